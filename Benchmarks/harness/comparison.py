"""One load on two servers in turns, as lines of a table."""

import bench
import processes
from outcome import Table, number

HEADER = ["load", "server", "puts/s", "done/s", "put p50 ms", "put p99 ms", "RESERVED p50 ms", "RESERVED p99 ms",
          "CPU us/job"]


def compare(context, server, other, *, most=10_000_000, **load):
    """Returns the report of a load of the right size, and for each server the CPU seconds of its processes."""
    jobs = bench.sized(context, server, vs=other, most=most, **load)
    with processes.cpu(server.pids) as used, processes.cpu(other.pids) as used_by_other:
        report = bench.run(context, server, vs=other, rounds=context.rounds, jobs=jobs, **load)
    return report, [used, used_by_other]


def table(title, load, report, used, names=("Beanrow", "beanstalkd")):
    """Two lines of figures. They leave out the deletes after a load without workers."""
    works = report["load"]["workers"] > 0
    # If all puts come first, a job's age shows only the length of the queue.
    kinds = ("put", "reserved") if report["load"]["mode"] == "live" else ("put", "")
    rows = []
    for side, name in enumerate(names):
        rates = [number(bench.figure(report, f"{kind}_per_second", side)) for kind in ("puts", "done")]
        latencies = [number(bench.latency(report, kind, percentile, side), 2)
                     for kind in kinds for percentile in ("p50", "p99")]
        labels = report["servers"][side]["runs"][0]["cpu_us_per_job"]
        cpu = [cost(report, label, side, used[side][label] if works else None) for label in labels]
        rows.append([load, name, *rates, *latencies, "; ".join(cpu)])
    return Table(title, HEADER, rows)


def cost(report, label, side, used):
    """CPU per job of a process; with (user, system) seconds over all runs, also the kernel's part."""
    text = f"{label} {number(bench.cpu(report, label, side), 1)}"
    if used is None or sum(used) == 0:
        return text
    return f"{text} ({used[1] / sum(used):.0%} system)"
