"""Millions of ready jobs in one tube, compared with a broker whose table holds only what a load needs; and their
statistics."""

import time
from statistics import median

import bench
import processes
from outcome import Failed, Outcome, Table, number, short
from servers import Beanrow, Postgres

TUBE = "backlog"
FILL = {"producers": 16, "depth": 64, "workers": 0, "tube": TUBE, "keep": True}
DRAIN = {"producers": 0, "workers": 256, "tube": TUBE, "drain": True}
# In a tube beside the backlog.
PUTS = {"producers": 16, "depth": 64, "workers": 0}
LIVE = {"producers": 16, "workers": 16}


def run(context):
    outcome = Outcome()
    with (
        Postgres(context) as postgres, Beanrow(context, postgres) as full,
        Postgres(context) as empty_postgres, Beanrow(context, empty_postgres) as empty,
    ):
        context.say(f"filling a tube with {context.backlog:,} jobs")
        outcome.reports["fill"] = bench.run(context, full, jobs=context.backlog, limit=3600, **FILL)
        seconds = until_exact(full, context.backlog)
        filled = processes.memory(full.pid)[0]
        size = int(postgres.query("select pg_database_size('beanrow')"))
        postgres.settle()

        statistics(context, outcome, full, seconds)
        drained = loads(context, outcome, full, empty)
        until_exact(full, context.backlog - drained)
        resident, highest = processes.memory(full.pid)
        outcome.at_most(f"memory of the broker with {short(context.backlog)} jobs, at its highest", 256,
                        highest / 2**20, " MiB", 0)
        starts(context, outcome, full, postgres)
    outcome.tables.append(Table("Memory and disk", ["", "MiB"], [
        [f"broker, {short(context.backlog)} jobs put", number(filled / 2**20)],
        ["broker, after the loads", number(resident / 2**20)],
        ["broker, at its highest since its start", number(highest / 2**20)],
        ["database", number(size / 2**20)]]))
    rate = bench.figure(outcome.reports["fill"], "puts_per_second")
    outcome.notes.append(f"The tube was filled at {rate:,.0f} puts/s.")
    return outcome


def until_exact(server, jobs):
    """Seconds until `stats-tube` shows the right number of jobs."""
    begin = time.monotonic()
    with server.connect() as client:
        while (told := client.stats_tube(TUBE)["current-jobs-ready"]) != jobs:
            if time.monotonic() > begin + 10:
                raise Failed(f"stats-tube tells {told:,} ready jobs for 10 s, but there are {jobs:,}")
            time.sleep(0.01)
    return time.monotonic() - begin


def statistics(context, outcome, full, seconds):
    """`stats` and `stats-tube` every 10 ms, first without a load, then with one."""
    rows = []
    ask = {"producers": 0, "workers": 0, "tube": TUBE, "stats": True, "limit": max(2, context.seconds)}
    live = {**LIVE, "rate": 500 if context.quick else 5000}
    for title, load in (("no load", None), (f"{live['rate']:,} jobs a second through another tube", live)):
        asking = bench.start(context, full, **ask)
        if load:
            bench.run(context, full, jobs=int(load["rate"] * ask["limit"]), **load)
        report = bench.finish(asking)
        outcome.reports[f"statistics, {title}"] = report
        for kind, command in (("stats", "stats"), ("stats_tube", "stats-tube")):
            values = [bench.latency(report, kind, percentile) for percentile in ("p50", "p99", "max")]
            rows.append([command, title, *(number(value, 2) for value in values)])
            outcome.at_most(f"{command} over {short(context.backlog)} jobs, p99, {title}", 10, values[1], " ms")
    outcome.at_most("counts of stats-tube exact after the last INSERTED", 1, seconds, " s")
    outcome.tables.append(Table("Statistics", ["command", "beside", "p50 ms", "p99 ms", "max ms"], rows))


def loads(context, outcome, full, empty):
    """Returns how many jobs of the backlog were drained."""
    rows = []

    def compare(title, figure, report):
        outcome.reports[title] = report
        ratio = report["ratios"][figure]
        outcome.at_least(f"{title}, with {short(context.backlog)} jobs in the table, against without", 0.9, ratio,
                         " times")
        sides = [number(bench.figure(report, figure, side)) for side in (0, 1)]
        rows.append([title, *sides, number(ratio, 2)])

    for title, figure, load in (("puts, in another tube", "puts_per_second", PUTS),
                                ("done, live 16/16 in another tube", "done_per_second", LIVE)):
        jobs = bench.sized(context, full, vs=empty, **load)
        compare(title, figure, bench.run(context, full, vs=empty, rounds=context.rounds, jobs=jobs, **load))

    # Both have as many jobs as all rounds together drain, and one round more for the warm-up.
    rounds = context.rounds + 1
    rate = bench.figure(outcome.reports["done, live 16/16 in another tube"], "done_per_second")
    jobs = int(min(rate * context.seconds, context.backlog / (2 * rounds)))
    bench.run(context, empty, jobs=jobs * rounds, limit=600, **FILL)
    empty.postgres.settle()
    bench.run(context, full, vs=empty, rounds=1, jobs=jobs, **DRAIN)
    compare("done, 256 workers draining the backlog", "done_per_second",
            bench.run(context, full, vs=empty, rounds=context.rounds, jobs=jobs, **DRAIN))
    outcome.tables.append(
        Table("Rates a second", ["", f"with {short(context.backlog)} jobs", "without", "ratio"], rows))
    return jobs * rounds


def starts(context, outcome, full, postgres):
    """Three restarts over the same PostgreSQL, each to the first RESERVED of the backlog."""
    stops, seconds = [], []
    for _ in range(3):
        stops.append(full.stop())
        begin = time.monotonic()
        full.launch()
        with full.connect() as client:
            client.reserve(TUBE)
            seconds.append(time.monotonic() - begin)
    both = median(stop + start for stop, start in zip(stops, seconds))
    outcome.at_most(f"stop and start to the first RESERVED of {short(context.backlog)} jobs", 1, both, " s")
    outcome.tables.append(Table("Restart", ["", "s"], [
        ["SIGTERM to the end of the process, median of 3", number(median(stops), 2)],
        ["start of the process to RESERVED, median of 3", number(median(seconds), 2)]]))
