"""The cost of a put from SQL, compared with the insert of an equal row, and how soon a worker has the job."""

import contextlib
import random
import subprocess
import threading
import time
from dataclasses import dataclass
from statistics import median

import processes
from outcome import Failed, Outcome, Table, number
from servers import Beanrow, Postgres

TITLE = "Puts from SQL"
BODY = 200
CLIENTS = (1, 16, 100)
TUBE = "bench"
LATENCIES = 200


@dataclass(frozen=True)
class Load:
    what: str
    script: str
    puts: int = 1
    has_broker: bool = False
    has_worker: bool = False
    has_history: bool = False


INSERT = "insert into {} (id, tube_id, priority, state, ttr, delay, created_at, due_at, body) values " \
    "(nextval('bare_id'), 1, 1024, 0, 60, 0, clock_timestamp(), clock_timestamp(), :body);"
PUT = f"select beanrow.put('{TUBE}', :body::bytea);"
LIFE = f"""begin;
select count(*) from beanrow.put_many('{TUBE}', array_fill(:body::bytea, array[100]));
select beanrow.finish(array(select id from beanrow.reserve('{{{TUBE}}}', count => 100)));
commit;"""
BARE = Load("insert into an equal table, no function", INSERT.format("bare"))
LOADS = [
    BARE,
    Load("put, no broker", PUT),
    Load("put, a broker without a waiting client", PUT, has_broker=True),
    Load("put, a broker and a worker that takes the jobs", PUT, has_broker=True, has_worker=True),
    Load("an insert of the caller's own in one transaction with a put, no broker",
         f"begin;\n{INSERT.format('own')}\n{PUT}\ncommit;"),
    Load("put_many of 100, no broker",
         f"select count(*) from beanrow.put_many('{TUBE}', array_fill(:body::bytea, array[100]));", puts=100),
    Load("put, no broker, the tube keeps history", PUT, has_history=True),
    Load("put_many, reserve and finish of 100 in one transaction, no broker", LIFE, puts=100),
    Load("the same, the tube keeps history", LIFE, puts=100, has_history=True),
]


def run(context):
    with Postgres(context, settings=("max_connections=200",)) as postgres:
        with serving(context, postgres):
            postgres.query(f"select beanrow.put('{TUBE}', 'x')")
        postgres.query("create table bare (like beanrow.job including all) with (fillfactor = 90);"
                       "create table own (like beanrow.job including all) with (fillfactor = 90);"
                       "create sequence bare_id")
        rates = {(load, clients): [] for load in LOADS for clients in CLIENTS}
        for _ in range(context.rounds):
            for load in LOADS:
                for clients in CLIENTS:
                    rates[load, clients].append(measure(context, postgres, load, clients))
        found = sorted(latencies(context, postgres))
    outcome = Outcome(reports={f"{load.what}, {clients} clients": found for (load, clients), found in rates.items()})
    outcome.tables.append(Table(
        TITLE, ["", *(f"{clients} client{'s' if clients > 1 else ''}, puts/s" for clients in CLIENTS)],
        [[load.what, *(cell(rates, load, clients) for clients in CLIENTS)] for load in LOADS]))
    outcome.tables.append(Table(
        f"From the commit of a put to the worker that waits, {len(found)} single puts", ["p50 ms", "p99 ms", "max ms"],
        [[number(found[len(found) // 2], 1), number(found[len(found) * 99 // 100], 1), number(found[-1], 1)]]))
    outcome.notes.append(f"Bodies of {BODY} bytes, pgbench -M prepared, each put a transaction of its own unless said "
                         "otherwise; in brackets the ratio to the insert of the same round.")
    return outcome


@contextlib.contextmanager
def serving(context, postgres):
    """A broker that has made its schema: before that it accepts clients and answers what it need not look up."""
    with Beanrow(context, postgres) as broker:
        with broker.connect() as client:
            client.ask("peek 1000000000000")
        yield broker


def cell(rates, load, clients):
    found = rates[load, clients]
    ratio = median(rate / bare for rate, bare in zip(found, rates[BARE, clients]))
    return f"{number(median(found))} ({number(ratio, 2)})"


def measure(context, postgres, load, clients):
    """Puts per second."""
    empty(postgres)
    keeps = "'1 day'" if load.has_history else "null"
    postgres.query(f"select beanrow.set_policy('{TUBE}', history => {keeps})")
    postgres.query("checkpoint")
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(serving(context, postgres)) if load.has_broker else None
        if load.has_worker:
            stack.enter_context(Worker(broker))
        return pgbench(context, postgres, load, clients) * load.puts


def empty(postgres):
    postgres.query("truncate bare, own, beanrow.job, beanrow.sql_lease, beanrow.sql_change, beanrow.tube_count, "
                   "beanrow.ledger, beanrow.job_history")


def pgbench(context, postgres, load, clients):
    """Transactions per second."""
    command = [f"{postgres.programs}/pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
               "-T", str(max(2, round(context.seconds))), "-D", "body=" + r"\x" + "61" * BODY, "-f", "/dev/stdin",
               postgres.conninfo()]
    done = subprocess.run(command, input=load.script + "\n", capture_output=True, text=True,
                          env=processes.environment())
    if done.returncode != 0:
        raise Failed(f"pgbench: {done.stderr.strip().splitlines()[-1]}")
    for line in done.stdout.splitlines():
        if line.startswith("tps = "):
            return float(line.split()[2])
    raise Failed(f"pgbench did nothing in its time: {load.what}, {clients} clients")


class Worker:
    """Reserves and deletes one job after the other, and records when it got each."""

    def __init__(self, broker):
        self.client = broker.connect()
        self.client.socket.settimeout(None)
        self.times = {}
        self.is_ending = False
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.client.ask(f"watch {TUBE}")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ending = True
        # A reserve may wait for ever; the end of the connection ends it.
        with contextlib.suppress(OSError):
            self.client.socket.shutdown(2)
        self.thread.join()
        self.client.__exit__()

    def work(self):
        try:
            while not self.is_ending:
                answer = self.client.ask("reserve")
                if answer[:1] != ["RESERVED"]:
                    return
                self.times[int(answer[1])] = time.monotonic()
                self.client.input.read(int(answer[2]) + 2)
                self.client.ask(f"delete {answer[1]}")
        except OSError:
            if not self.is_ending:
                raise


def latencies(context, postgres):
    """Milliseconds from the answer to a put, which comes after its commit, to RESERVED."""
    empty(postgres)
    found = []
    with serving(context, postgres) as broker, Worker(broker) as worker, subprocess.Popen(
            postgres.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=processes.environment()) as psql:
        for _ in range(20 if context.quick else LATENCIES):
            # Not in step with brokers, which look at fixed intervals.
            time.sleep(random.uniform(0.05, 0.15))
            psql.stdin.write(f"select beanrow.put('{TUBE}', 'x');\n")
            psql.stdin.flush()
            job = int(psql.stdout.readline())
            committed = time.monotonic()
            end = committed + 30
            while job not in worker.times:
                if time.monotonic() > end:
                    raise Failed("a job put by SQL did not come to the worker")
                time.sleep(0.0005)
            found.append(max(0.0, worker.times[job] - committed) * 1000)
        psql.stdin.close()
    return found
