"""A backlog in beanstalkd -b, which keeps it in memory and reads its whole log at the start."""

import os
import tempfile
import time

import bench
import processes
from outcome import Outcome, Table, number, short
from servers import Beanstalkd

TUBE = "backlog"


def run(context):
    # A tenth of the backlog: all of it would take memory and minutes, and the figure grows with the jobs.
    jobs = context.backlog // 10
    with tempfile.TemporaryDirectory(prefix="binlog-", dir=context.folder) as log:
        # -F writes the same log faster.
        with Beanstalkd(context, "-b", log, "-F") as server:
            report = bench.run(context, server, jobs=jobs, limit=600, producers=16, depth=64, workers=0, tube=TUBE,
                               keep=True)
            resident = processes.memory(server.pid)[0]
            size = sum(os.path.getsize(f"{log}/{name}") for name in os.listdir(log))
            stop = server.stop()
            begin = time.monotonic()
            server.launch()
            with server.connect() as client:
                client.reserve(TUBE)
                start = time.monotonic() - begin
            replayed = processes.memory(server.pid)[0]
    header = ["", f"{short(jobs)} jobs, measured", f"{short(context.backlog)} jobs, 10 times that"]
    rows = [[what, number(value, digits), number(value * 10, digits)] for what, value, digits in (
        ("memory, MiB", resident / 2**20, 0), ("memory after the restart, MiB", replayed / 2**20, 0),
        ("log on disk, MiB", size / 2**20, 0), ("start of the process to RESERVED, s", start, 2))]
    return Outcome(
        tables=[Table("beanstalkd -b with a backlog", header, rows)], reports={"fill": report},
        notes=[f"beanstalkd -b was filled with a tenth of the backlog; the last column is an estimate, on the "
               f"assumption that memory and time grow with the jobs. It stopped in {stop:.2f} s."])
