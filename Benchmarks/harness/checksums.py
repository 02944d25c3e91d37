"""The cost of PostgreSQL's data checksums: brokers on a cluster with them and on one without, in turns."""

import comparison
from outcome import Outcome
from servers import Beanrow, Postgres

LOADS = {
    "pipelined puts": {"producers": 16, "depth": 64, "workers": 0},
    "drain, 256 workers": {"mode": "phase", "producers": 16, "depth": 64, "workers": 256},
    "live 16/16": {"producers": 16, "workers": 16},
}


def run(context):
    outcome = Outcome()
    with (
        Postgres(context, initdb=["--data-checksums"]) as checked_postgres,
        Beanrow(context, checked_postgres) as checked,
        Postgres(context) as plain_postgres,
        Beanrow(context, plain_postgres) as plain,
    ):
        shipped = plain_postgres.query("show data_checksums")
        for name, load in list(LOADS.items())[:1 if context.quick else None]:
            report, used = comparison.compare(context, checked, plain, **load)
            outcome.reports[name] = report
            ratio = report["ratios"]["done_per_second"] or report["ratios"]["puts_per_second"]
            outcome.tables.append(comparison.table("Data checksums", name, report, used,
                                                   names=("with checksums", f"as shipped ({shipped})")))
            outcome.notes.append(f"{name}: with checksums {ratio:.2f} times the rate of the cluster as shipped.")
    return outcome
