"""Rows against `beanstalkd -b DIR -f0`, which syncs its log for each write: the durability that Beanrow has."""

import tempfile

import comparison
from outcome import Outcome
from servers import Beanrow, Beanstalkd, Postgres

TITLE = "Against beanstalkd -b -f0"


def row(what, figure, least, **load):
    def run(context):
        with (
            tempfile.TemporaryDirectory(prefix="binlog-", dir=context.folder) as log,
            Postgres(context) as postgres,
            Beanrow(context, postgres) as beanrow,
            Beanstalkd(context, "-b", log, "-f", "0") as beanstalkd,
        ):
            report, used = comparison.compare(context, beanrow, beanstalkd, **load)
        table = comparison.table(TITLE, what, report, used, names=("Beanrow", "beanstalkd -b -f0"))
        outcome = Outcome(tables=[table], reports={"load": report})
        outcome.at_least(f"{what}, against beanstalkd -b -f0", least, report["ratios"][figure], " times")
        return outcome

    return run


live16 = row("live 16/16", "done_per_second", 3, producers=16, workers=16)
drain = row("drain, 256 workers", "done_per_second", 4, mode="phase", producers=16, depth=64, workers=256)
single = row("one client, one put at a time", "puts_per_second", 0.6, producers=1, workers=0)
