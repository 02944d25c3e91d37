"""Bodies of all sizes, and many tubes at once."""

import bench
import comparison
from outcome import Outcome, Table, number
from servers import Beanrow, Beanstalkd, Postgres

SIZES = {100: "100 B", 1024: "1 KB", 16_384: "16 KB", 65_535: "64 KB"}
PHASE = {"mode": "phase", "producers": 16, "depth": 16, "workers": 64}
# A bigger run would measure the filling of memory.
MOST_BYTES = 500 << 20
# The limits of "no cliff": the bytes a second of a bigger body, and the rate that many tubes keep.
BYTES_LEFT = 0.8
RATE_LEFT = 0.5


def sizes(context):
    outcome = Outcome()
    rows, rates, megabytes = [], {}, {}
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow, Beanstalkd(context) as beanstalkd:
        for size, name in SIZES.items():
            report, _ = comparison.compare(context, beanrow, beanstalkd, most=MOST_BYTES // size, body=size, **PHASE)
            outcome.reports[name] = report
            rates[size] = bench.figure(report, "done_per_second")
            megabytes[size] = rates[size] * size / 1e6
            puts = bench.figure(report, "puts_per_second")
            rows.append([
                name, number(puts), number(rates[size]), number(puts * size / 1e6, 1), number(megabytes[size], 1),
                *(number(report["ratios"][f"{kind}_per_second"], 2) for kind in ("puts", "done"))])
    outcome.tables.append(Table(
        "Bodies, phases, 16 producers of depth 16, 64 workers",
        ["body", "puts/s", "done/s", "MB/s put", "MB/s done", "puts: ratio to beanstalkd in memory",
         "done: ratio"], rows))
    sizes = list(SIZES)
    worst = min(megabytes[larger] / megabytes[smaller] for smaller, larger in zip(sizes, sizes[1:]))
    outcome.at_least("bodies of 100 B to 64 KB, MB/s done against the next smaller size (no cliff)", BYTES_LEFT, worst,
                     " times")
    # Below half the jobs a second of the smallest body, bytes dominate the cost.
    bound = next((SIZES[size] for size in sizes if rates[size] < rates[sizes[0]] / 2), None)
    outcome.notes.append(
        f"Bandwidth takes over at {bound}: from there on fewer than half as many jobs a second are done as of "
        f"{SIZES[sizes[0]]}." if bound else "No size here is bound by bandwidth.")
    return outcome


def tubes(context):
    count = 50 if context.quick else 1000
    load = {"producers": 16, "workers": 16}
    title = "Tubes, live 16/16"
    outcome = Outcome()
    rates = {}
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow, Beanstalkd(context) as beanstalkd:
        for number_of_tubes in (1, count):
            report, used = comparison.compare(context, beanrow, beanstalkd, tubes=number_of_tubes, **load)
            outcome.reports[f"{number_of_tubes} tubes"] = report
            rates[number_of_tubes] = bench.figure(report, "done_per_second")
            name = "one tube" if number_of_tubes == 1 else f"{count:,} tubes, each worker watches all"
            outcome.tables.append(comparison.table(title, name, report, used))
            outcome.notes.append(f"{name}: {report['ratios']['done_per_second']:.2f} times beanstalkd's done/s.")
    outcome.at_least(f"{count:,} tubes at once, done/s against one tube (no cliff)", RATE_LEFT,
                     rates[count] / rates[1], " times")
    return outcome
