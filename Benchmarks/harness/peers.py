"""The same load on other queues that keep their jobs in PostgreSQL, through Benchmarks/peers."""

import json
import os
import subprocess
import sys
from statistics import median

import bench
import processes
from outcome import Failed, Outcome, Table, number
from servers import Beanrow, Postgres

PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "run.py")
PEERS = ("procrastinate", "pgqueuer", "pgmq")
LOADS = {
    "live 16/16, a call for each job": {"mode": "live", "api": "single"},
    "live 16/16, batches": {"mode": "live", "api": "batch"},
    "phases 16/16, batches": {"mode": "phase", "api": "batch"},
}
HEADER = ["load", "queue", "puts/s", "done/s", "RESERVED p50 ms", "RESERVED p99 ms", "Beanrow's done/s against it"]


def run(context):
    outcome = Outcome()
    loads = dict(list(LOADS.items())[1:2]) if context.quick else LOADS
    settings = {}
    # The peers make their own databases in the same cluster.
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow:
        for title, load in loads.items():
            compare(context, outcome, postgres, beanrow, title, load, settings)
    outcome.tables.append(Table("How the others were set", ["queue", "version", "call", "settings"], [
        [name, version, api, text] for (name, api), (version, text) in settings.items()]))
    outcome.notes.append("Beanrow puts and deletes one job at a time in both kinds of live load: its protocol knows "
                         "no batches. Its figures are of the same number of producers and workers.")
    return outcome


def compare(context, outcome, postgres, beanrow, title, load, settings):
    """A round runs each peer once and then Beanrow, so that a disturbance of the machine affects all."""
    own_load = {"mode": load["mode"], "producers": 16, "workers": 16}
    own_jobs = bench.sized(context, beanrow, **own_load)
    jobs, results, own = {}, {name: [] for name in PEERS}, []
    for name in PEERS:
        try:
            jobs[name] = size(context, postgres, name, load)
        except Failed as failure:
            outcome.notes.append(f"{title}: {failure}.")
    for _ in range(context.rounds):
        for name in list(jobs):
            try:
                results[name].append(measure(postgres, name, load, jobs[name]))
            except Failed as failure:
                outcome.notes.append(f"{title}: {failure}.")
                del jobs[name]
        own.append(bench.run(context, beanrow, jobs=own_jobs, **own_load))
    outcome.reports[title] = {"peers": results, "beanrow": own}

    done = median(bench.figure(report, "done_per_second") for report in own)
    rows = [[title, "Beanrow", number(median(bench.figure(report, "puts_per_second") for report in own)), number(done),
             *(number(median(bench.latency(report, "reserved", percentile) for report in own), 1)
               if load["mode"] == "live" else "" for percentile in ("p50", "p99")), ""]]
    for name in jobs:
        found = results[name]
        rate = median(result["done_per_second"] for result in found)
        latencies = [result["latency_ms"].get("reserved", {}) for result in found]
        rows.append([title, name, number(median(result["puts_per_second"] for result in found)), number(rate),
                     *(number(median(values[percentile] for values in latencies), 1) if all(latencies) else ""
                       for percentile in ("p50", "p99")),
                     f"{done / rate:.1f} times" if rate else ""])
        settings[(name, load["api"])] = (found[0]["version"], found[0]["settings"])
    outcome.tables.append(Table("Other queues in PostgreSQL", HEADER, rows))


def size(context, postgres, name, load):
    """Warms up, and returns how many jobs take about `context.seconds`."""
    if context.quick:
        return 200
    jobs = 2000
    rate = measure(postgres, name, load, jobs)["done_per_second"]
    return max(jobs, min(50_000, int(rate * context.seconds)))


def measure(postgres, name, load, jobs):
    command = [sys.executable, PROGRAM, "--database", postgres.conninfo("postgres"), "--peer", name, "--json",
               "--mode", load["mode"], "--api", load["api"], "--producers", "16", "--workers", "16",
               "--jobs", str(jobs)]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=processes.environment(), start_new_session=True)
    try:
        output, errors = done.communicate(timeout=300)
    except BaseException:
        # It ends its own processes at SIGTERM.
        processes.stop(done, patience=15)
        raise
    if done.returncode != 0:
        lines = errors.strip().splitlines() or [f"{name} ended with {done.returncode}"]
        raise Failed(lines[-1])
    return json.loads(output)
