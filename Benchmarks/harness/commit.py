"""The latency of a put, compared with PostgreSQL's own time for a row and a commit."""

import os
import subprocess
import tempfile
from statistics import median

import bench
import processes
from outcome import Failed, Outcome, Table, number
from servers import Beanrow, Postgres

BODY = 200
LOAD = {"producers": 1, "workers": 0, "body": BODY}


def run(context):
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow:
        postgres.query("create table put (id bigint generated always as identity primary key, body bytea)")
        jobs = bench.sized(context, beanrow, **LOAD)
        pgbench(context, postgres)
        inserts, puts, reports = [], [], []
        for _ in range(context.rounds):
            inserts.append(pgbench(context, postgres))
            reports.append(bench.run(context, beanrow, jobs=jobs, **LOAD))
            puts.append(bench.latency(reports[-1], "put", "p50"))
    outcome = Outcome(reports={"puts": reports, "pgbench_p50_ms": inserts})
    ratio = median(put / insert for put, insert in zip(puts, inserts))
    outcome.at_most("put latency p50, against pgbench's insert with commit", 1.5, ratio, " times")
    outcome.tables.append(Table("One client, one row", ["", "p50 ms"], [
        [f"pgbench -M prepared, one client, insert of {BODY} bytes with commit", number(median(inserts), 3)],
        [f"put of {BODY} bytes, one client, to INSERTED", number(median(puts), 3)]]))
    return outcome


def pgbench(context, postgres):
    """The median of its transactions' latencies, in milliseconds."""
    with tempfile.TemporaryDirectory(dir=context.folder) as folder:
        with open(f"{folder}/insert.sql", "w") as script:
            script.write("insert into put (body) values (:body);\n")
        command = [f"{postgres.programs}/pgbench", "-n", "-M", "prepared", "-c", "1", "-j", "1",
                   "-T", str(max(1, round(context.seconds))), "-D", "body=" + r"\x" + "61" * BODY,
                   "-f", "insert.sql", "-l", "--log-prefix", "log", postgres.conninfo()]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=processes.environment())
        if done.returncode != 0:
            raise Failed(f"pgbench: {done.stderr.strip().splitlines()[-1]}")
        log, = (name for name in os.listdir(folder) if name.startswith("log."))
        with open(f"{folder}/{log}") as lines:
            # The third field is the latency in microseconds.
            return median(int(line.split()[2]) for line in lines) / 1000
