"""Many connections: idle ones, and waiting workers."""

import time

import bench
import processes
from outcome import Failed, Outcome, Table, number
from servers import Beanrow, Beanstalkd, Postgres

# A broker's heartbeats are no cost of connections. The count has a resolution of a hundredth of a core.
NO_CPU = 0.01


def idle(context):
    # Seconds for which CPU is measured, and in which the connections are made and settle.
    watch, patience = (1, 3) if context.quick else (5, 10)
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow:
        # What the broker allocates once does not belong to the connections.
        bench.run(context, beanrow, jobs=1000 if context.quick else 20_000, producers=64, workers=64)
        time.sleep(1)
        before, alone = processes.memory(beanrow.pid)[0], usage(beanrow, watch)
        # The connections stay for this long.
        holding = bench.start(context, beanrow, producers=0, workers=0, idle=context.idle, limit=watch + patience)
        try:
            until_connected(beanrow, context.idle, patience * 0.7)
            time.sleep(patience * 0.2)
            after, used = processes.memory(beanrow.pid)[0], usage(beanrow, watch)
        except BaseException:
            holding.kill()
            raise
        bench.finish(holding)
    each = (after - before) / 1024 / context.idle
    outcome = Outcome()
    outcome.at_most(f"{context.idle:,} idle connections, each", 8, each, " KiB")
    outcome.at_most(f"{context.idle:,} idle connections, more CPU than without (no CPU)", NO_CPU, max(0, used - alone),
                    " cores", 3)
    outcome.tables.append(Table("Idle connections", ["broker", "memory, MiB", f"CPU ticks of 10 ms in {watch} s"], [
        ["without", number(before / 2**20, 1), number(alone * watch * processes.TICKS_PER_SECOND)],
        [f"with {context.idle:,}", number(after / 2**20, 1), number(used * watch * processes.TICKS_PER_SECOND)]]))
    return outcome


def usage(server, seconds):
    """Cores used while nobody asks for anything."""
    with processes.cpu({"broker": server.pid}) as used:
        time.sleep(seconds)
    return sum(used["broker"]) / seconds


def until_connected(server, count, seconds):
    end = time.monotonic() + seconds
    with server.connect() as client:
        while (connected := client.stats()["current-connections"]) < count:
            if time.monotonic() > end:
                raise Failed(f"only {connected:,} of {count:,} connections came to be")
            time.sleep(0.05)


def waiting(context):
    workers, rate = (100, 200) if context.quick else (1000, 1000)
    load = {"producers": 16, "workers": workers, "rate": rate}
    with Postgres(context) as postgres, Beanrow(context, postgres) as beanrow, Beanstalkd(context) as beanstalkd:
        for rounds, seconds in ((1, context.seconds / 4), (context.rounds, context.seconds)):
            report = bench.run(context, beanrow, vs=beanstalkd, rounds=rounds, jobs=int(rate * seconds), **load)
    outcome = Outcome(reports={"load": report})
    outcome.at_most(f"{workers:,} workers waiting on one tube, put to RESERVED p99", 10,
                    bench.latency(report, "reserved", "p99"), " ms")
    rows = [[name, *(number(bench.latency(report, "reserved", percentile, side), 2)
                     for percentile in ("p50", "p99", "p999", "max"))]
            for side, name in enumerate(("Beanrow", "beanstalkd in memory"))]
    outcome.tables.append(Table(
        f"Put to RESERVED with {workers:,} workers waiting, {rate:,} puts a second, ms",
        ["server", "p50", "p99", "p99.9", "max"], rows))
    return outcome
