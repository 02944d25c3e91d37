"""`beanrow bench`, the load generator that checks every delivery."""

import json
import math
import subprocess
from statistics import median

from outcome import Failed

# Seconds that a run may take.
LIMIT = 120


def start(context, server, *, vs=None, rounds=1, limit=LIMIT, **load):
    """Starts runs against one target, or against two in turns."""
    command = [context.beanrow, "bench", *server.addresses, "--json", "--quiet",
               "--rounds", str(rounds), "--limit", str(limit)]
    for address in server.worker_addresses:
        command += ["--workers-at", address]
    for label, pid in server.pids.items():
        command += ["--cpu", f"{label}={pid}"]
    if vs:
        command += ["--vs", vs.address]
        for label, pid in vs.pids.items():
            command += ["--vs-cpu", f"{label}={pid}"]
    for name, value in load.items():
        command += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """The report of runs that were started."""
    with process:
        try:
            output, errors = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise Failed((errors.strip().splitlines() or [f"beanrow bench: exit {process.returncode}"])[-1])
    return json.loads(output)


def run(context, server, **arguments):
    return finish(start(context, server, **arguments))


def sized(context, server, *, vs=None, most=10_000_000, **load):
    """Warms the servers up with a load, and returns how many jobs of it take the slower one `context.seconds`."""
    jobs = 300 if context.quick else 5000
    while True:
        report = run(context, server, vs=vs, rounds=1, jobs=jobs, **load)
        slowest = max(runs["seconds"] for side in report["servers"] for runs in side["runs"])
        if slowest >= context.seconds / 6 or jobs >= most:
            break
        # Short runs predict long ones badly, so the size grows in steps.
        jobs = min(most, int(jobs * min(10, max(2, context.seconds / 3 / slowest))))
    jobs = min(most, jobs * context.seconds / slowest)
    # Two digits are enough.
    step = 10 ** max(0, int(math.log10(jobs)) - 1)
    return max(100, int(jobs // step * step))


def figure(report, name, side=0):
    """A median over a server's runs."""
    return report["servers"][side]["median"].get(name)


def latency(report, kind, percentile, side=0):
    values = [runs["latency_ms"][kind][percentile] for runs in report["servers"][side]["runs"]
              if kind in runs["latency_ms"]]
    return median(values) if values else None


def cpu(report, label, side=0):
    """Microseconds a job, a median over the runs."""
    return median(runs["cpu_us_per_job"][label] for runs in report["servers"][side]["runs"])
