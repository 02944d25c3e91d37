"""Several brokers on one database, against one broker on another, in turns."""

import contextlib
import subprocess
import threading
from dataclasses import dataclass, field
from statistics import median

import bench
import processes
from outcome import Failed, Outcome, Table, number
from servers import Beanrow, Postgres

TITLE = "Several brokers"
LIVE16 = {"producers": 16, "workers": 16}
LIVE64 = {"producers": 64, "workers": 64}
DRAIN = {"producers": 64, "depth": 16, "workers": 256, "mode": "phase"}
# A statement that takes jobs of another tube by SQL, as often as it can.
TAKER = "select beanrow.finish(array(select id from beanrow.reserve('{taken}', count => 10)));"


@dataclass
class Case:
    what: str
    load: dict
    bar: float
    brokers: int = 2
    # Where clients connect, by the number of the broker, and workers if elsewhere.
    clients: list = field(default_factory=lambda: [0, 1])
    workers: list = field(default_factory=list)
    # A SQL session takes from another tube all the time.
    has_taker: bool = False


CASES = [
    Case("a second broker idle, live 16/16", LIVE16, 0.97, clients=[0]),
    Case("a second broker idle, drain 256", DRAIN, 0.97, clients=[0]),
    Case("clients on both, live 16/16", LIVE16, 0.85),
    Case("clients on both, live 64/64", LIVE64, 0.85),
    Case("clients on both, drain 256", DRAIN, 0.85),
    Case("put at one, work at the other, live 16/16", LIVE16, 0.8, clients=[0], workers=[1]),
    Case("one broker, a SQL session takes from another tube, live 16/16", LIVE16, 0.97, brokers=1, clients=[0],
         has_taker=True),
    Case("three brokers, clients on all, live 64/64", LIVE64, 0.75, brokers=3, clients=[0, 1, 2]),
]


class Group:
    """Brokers as one target of `beanrow bench`."""

    def __init__(self, postgres, brokers, clients, workers=()):
        self.postgres = postgres
        self.addresses = [brokers[at].address for at in clients]
        self.worker_addresses = [brokers[at].address for at in workers]
        self.pids = {f"broker {at + 1}": broker.pid for at, broker in enumerate(brokers)} | {"postgres": postgres.pid}


@contextlib.contextmanager
def group(context, case):
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(Postgres(context))
        brokers = [stack.enter_context(Beanrow(context, postgres)) for _ in range(case.brokers)]
        if case.has_taker:
            stack.enter_context(taker(postgres))
        yield Group(postgres, brokers, case.clients, case.workers)


@contextlib.contextmanager
def taker(postgres):
    session = subprocess.Popen(postgres.psql(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                               env=processes.environment())
    over = threading.Event()

    def take():
        with contextlib.suppress(BrokenPipeError):
            while not over.wait(0.02):
                session.stdin.write(f"select count(*) from beanrow.put_many('taken', array_fill('x'::bytea, array[10]));"
                                    f"{TAKER}\n")
                session.stdin.flush()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
        if session.poll() is not None:
            raise Failed("the session that takes jobs has ended")
    finally:
        over.set()
        thread.join()
        session.kill()
        session.wait()


def run(context):
    outcome = Outcome()
    rows = []
    for case in CASES:
        context.say(case.what)
        with group(context, case) as several, Postgres(context) as postgres, Beanrow(context, postgres) as alone:
            jobs = bench.sized(context, several, vs=alone, **case.load)
            report = bench.run(context, several, vs=alone, rounds=context.rounds, jobs=jobs, **case.load)
            outcome.reports[case.what] = report
        ratio = report["ratios"]["done_per_second"]
        outcome.at_least(f"{case.what}, done/s against one broker", case.bar, ratio, " times")
        rows.append([case.what, *(number(bench.figure(report, "done_per_second", side)) for side in (0, 1)),
                     number(ratio, 2),
                     *(number(bench.latency(report, "reserved", point, side), 2)
                       for side in (0, 1) for point in ("p50", "p99"))])
    outcome.tables.append(Table(
        TITLE, ["load", "done/s", "one broker", "ratio", "RESERVED p50 ms", "p99", "one broker's p50", "p99"], rows))
    return outcome


def latency(context):
    """Half of the rate that one broker can do, put at one broker and worked at another; and what a job costs."""
    outcome = Outcome()
    apart = Case("", LIVE16, 0, clients=[0], workers=[1])
    with group(context, apart) as several, Postgres(context) as postgres, Beanrow(context, postgres) as alone:
        jobs = bench.sized(context, alone, **LIVE16)
        rate = int(bench.figure(bench.run(context, alone, jobs=jobs, **LIVE16), "done_per_second") / 2)
        report = bench.run(context, several, vs=alone, rounds=context.rounds, jobs=max(100, int(rate * context.seconds)),
                           rate=rate, **LIVE16)
        outcome.reports["half rate"] = report
        for point, bar in (("p50", 3), ("p99", 2)):
            times = bench.latency(report, "reserved", point) / bench.latency(report, "reserved", point, 1)
            outcome.at_most(f"put at one, work at the other, {rate:,} jobs/s: put to RESERVED {point} against one broker",
                            bar, times, " times")
    both = Case("", LIVE16, 0)
    with group(context, both) as several, Postgres(context) as postgres, Beanrow(context, postgres) as alone:
        jobs = bench.sized(context, several, vs=alone, **LIVE16)
        costs = {several: [], alone: []}
        for _ in range(context.rounds):
            for target in costs:
                before = wal(target)
                report = bench.run(context, target, jobs=jobs, **LIVE16)
                costs[target].append((bench.cpu(report, "postgres"), (wal(target) - before) / jobs))
        figures = {target: [median(values) for values in zip(*found)] for target, found in costs.items()}
        for what, several_cost, cost in zip(("CPU", "WAL"), figures[several], figures[alone]):
            outcome.at_most(f"clients on both, live 16/16, PostgreSQL's {what} a job against one broker", 1.3,
                            several_cost / cost, " times")
        outcome.tables.append(Table("What a job costs PostgreSQL, live 16/16", ["", "CPU us", "WAL bytes"], [
            [name, number(figures[target][0], 1), number(figures[target][1])]
            for name, target in (("two brokers, clients on both", several), ("one broker", alone))]))
    return outcome


def wal(target):
    return int(target.postgres.query("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"))
