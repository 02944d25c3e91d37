"""A transaction that stays open while jobs are done, so that no dead row can be removed."""

import contextlib
import subprocess
from statistics import median

import bench
import processes
from outcome import Failed, Outcome, Table, number, short
from servers import Beanrow, Postgres

LIVE = {"producers": 64, "workers": 64, "depth": 8}
# Jobs that no worker waited for are read from the table, past the dead rows of earlier jobs.
FILL = {"producers": 16, "depth": 64, "workers": 0, "tube": "passed", "keep": True}
DRAIN = {"producers": 0, "workers": 256, "tube": "passed", "drain": True}
LOADS = {"live 64/64": "live", "256 workers draining a tube": "drain"}
PARTS = 4


def run(context):
    """Runs without, with, without, ... a snapshot, each on a new cluster, without the dead rows of other runs."""
    # Half of the jobs live, half drained, in quarters.
    jobs = context.snapshot // (2 * PARTS)
    outcome = Outcome()
    rates = {(load, held): [] for load in LOADS.values() for held in (False, True)}
    dead = 0
    for _ in range(context.rounds):
        for held in (False, True):
            with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow:
                # A table that has been in use, as in any other row.
                bench.run(context, beanrow, jobs=max(100, jobs // 10), **LIVE)
                with snapshot(postgres) if held else contextlib.nullcontext():
                    for load, parts in quarters(context, beanrow, jobs).items():
                        rates[load, held].append(parts)
                    if held:
                        dead = dead_rows(postgres)
    outcome.reports["done per second"] = {f"{load}, {'held' if held else 'free'}": parts
                                          for (load, held), parts in rates.items()}
    rows = []
    for title, load in LOADS.items():
        ratio = median(whole(held) / whole(free) for free, held in zip(rates[load, False], rates[load, True]))
        outcome.at_least(f"{title}, a held snapshot while {short(context.snapshot)} jobs pass, done/s against without",
                         0.9, ratio, " times")
        for held, name in ((False, "none"), (True, "held")):
            found = rates[load, held]
            rows.append([title, name, number(median(map(whole, found))),
                         *(number(median(part)) for part in zip(*found))])
    outcome.tables.append(
        Table("done/s", ["load", "snapshot", "all", *(f"quarter {part + 1}" for part in range(PARTS))], rows))
    outcome.notes.append(f"At the end of a held run the job table had {dead:,} dead rows that no vacuum could remove.")
    return outcome


def quarters(context, beanrow, jobs):
    """The done/s of each quarter, by load."""
    found = {"live": [], "drain": []}
    for _ in range(PARTS):
        found["live"].append(bench.run(context, beanrow, jobs=jobs, **LIVE))
        bench.run(context, beanrow, jobs=jobs, **FILL)
        found["drain"].append(bench.run(context, beanrow, jobs=jobs, **DRAIN))
    return {load: [bench.figure(report, "done_per_second") for report in reports] for load, reports in found.items()}


def whole(parts):
    """The rate over quarters with equal numbers of jobs."""
    return len(parts) / sum(1 / rate for rate in parts)


@contextlib.contextmanager
def snapshot(postgres):
    """A session that holds a snapshot, and must still do so at the end."""
    session = subprocess.Popen(postgres.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=processes.environment())
    try:
        session.stdin.write("begin isolation level repeatable read; select pg_backend_pid();\n")
        session.stdin.flush()
        pid = int(session.stdout.readline())
        yield
        holds = postgres.query(f"select backend_xmin is not null from pg_stat_activity where pid = {pid}")
        if holds != "t":
            raise Failed("the snapshot was not held to the end")
    finally:
        session.kill()
        session.wait()
        session.stdin.close()
        session.stdout.close()


def dead_rows(postgres):
    # The server's counts are up to a second late, so the table itself is asked.
    postgres.query("vacuum beanrow.job")
    return int(postgres.query("select n_dead_tup from pg_stat_user_tables where relid = 'beanrow.job'::regclass"))
