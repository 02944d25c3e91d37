"""Rows against beanstalkd without a log."""

import bench
import comparison
from outcome import Outcome
from servers import Beanrow, Beanstalkd, Postgres

TITLE = "Against beanstalkd in memory"


def row(what, figure, least, **load):
    def run(context):
        with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow, Beanstalkd(context) as beanstalkd:
            report, used = comparison.compare(context, beanrow, beanstalkd, **load)
        outcome = Outcome(tables=[comparison.table(TITLE, what, report, used)], reports={"load": report})
        outcome.at_least(f"{what}, against beanstalkd in memory", least, report["ratios"][figure], " times")
        if load["workers"] == 256:
            outcome.at_most("CPU per job at 256 workers, broker", 10, bench.cpu(report, "broker"), " us", 1)
            outcome.at_most("CPU per job at 256 workers, PostgreSQL", 6, bench.cpu(report, "postgres"), " us", 1)
            outcome.notes.append(
                f"beanstalkd's own CPU per job in the drain row is {bench.cpu(report, 'beanstalkd', 1):.1f} us: what "
                "the kernel's sockets cost is in it as in the broker's; the split is in the table.")
        return outcome

    return run


puts = row("pipelined puts", "puts_per_second", 1.5, producers=16, depth=64, workers=0)
drain = row("drain, 256 workers", "done_per_second", 1.0, mode="phase", producers=16, depth=64, workers=256)
live64 = row("live 64/64", "done_per_second", 0.8, producers=64, workers=64)
live16 = row("live 16/16", "done_per_second", 0.5, producers=16, workers=16)
