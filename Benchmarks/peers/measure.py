"""One run of one peer: puts and workers at once (live), or all puts first (phase)."""

import multiprocessing
import time
from dataclasses import dataclass

import psycopg

import database
import processes
from tally import Tally, now

# Seconds the workers of a live run have to connect and LISTEN before the first put.
SETTLE = 2.0
# Seconds between checks of the progress.
LOOK = 0.005


@dataclass(frozen=True)
class Load:
    mode: str
    producers: int
    workers: int
    jobs: int
    body: int
    rate: float | None
    limit: float
    processes: int


def run(peer, conninfo, load):
    with database.fresh(conninfo, peer.name) as own:
        peer.install(own)
        with psycopg.connect(own, autocommit=True) as watcher:
            return Run(peer, own, load, watcher).result()


class Run:
    def __init__(self, peer, conninfo, load, watcher):
        self.peer, self.conninfo, self.load, self.watcher = peer, conninfo, load, watcher
        self.context = multiprocessing.get_context("spawn")
        self.tally = Tally(self.context, load.jobs, load.processes)
        self.started = []

    def result(self):
        server = database.settings(self.watcher)
        try:
            if self.load.mode == "live":
                self.start_workers()
                time.sleep(SETTLE)
                self.start_producers()
                finished = self.wait(self.all_put) and self.wait_until_done()
            else:
                self.start_producers()
                finished = self.wait(self.all_put)
                # Without this the planner has no statistics at all, unlike in any running system.
                self.watcher.execute("VACUUM ANALYZE")
                if finished:
                    self.start_workers()
                    finished = self.wait_until_done()
            end = now()
            self.tally.stopping.value = 1
            left = self.watcher.execute(self.peer.remaining).fetchone()[0]
        finally:
            self.stop()
        return self.report(server, finished, end, left)

    # MARK: The run

    def start_workers(self):
        for process, count in enumerate(processes.share(self.load.workers, self.load.processes)):
            self.start(processes.work, (self.peer, self.conninfo, self.load, self.tally, process, count))

    def start_producers(self):
        ready, go = self.context.Semaphore(0), self.context.Event()
        first = 0
        shares = processes.share(self.load.producers, self.load.processes)
        for process, count in enumerate(shares):
            self.start(processes.produce,
                       (self.peer, self.conninfo, self.load, self.tally, process, first, ready, go))
            first += count
        for _ in shares:
            if not ready.acquire(timeout=30):
                raise RuntimeError("the producers did not connect within 30 s")
        self.deadline = time.monotonic() + self.load.limit
        go.set()

    def start(self, function, arguments):
        process = self.context.Process(target=function, args=arguments, daemon=True)
        process.start()
        self.started.append(process)

    def stop(self):
        """Stops the workers at once: after a run nothing that they still do matters."""
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.join(5)
            if process.is_alive():
                process.kill()

    # MARK: Progress

    def wait(self, reached):
        """Whether `reached` became true before the limit."""
        while not reached():
            if time.monotonic() > self.deadline:
                return False
            if any(process.exitcode not in (None, 0) for process in self.started):
                raise RuntimeError("a client process ended early; its error is above")
            time.sleep(LOOK)
        return True

    def wait_until_done(self):
        """Counts jobs that are done in the database, not in a handler: some peers record the end later."""
        self.deadline = time.monotonic() + self.load.limit
        return self.wait(lambda: self.tally.deliveries() >= self.load.jobs) and self.wait(
            lambda: self.watcher.execute(self.peer.remaining).fetchone()[0] == 0)

    def all_put(self):
        return sum(self.tally.put) >= self.load.jobs

    # MARK: Results

    def report(self, server, finished, end, left):
        tally, load = self.tally, self.load
        put = sum(tally.put)
        distinct = tally.distinct()
        corrupt = sum(tally.corrupt)
        done = max(0, put - left)
        first_put = min((at for at in tally.put_at if at), default=end)
        first_reserved = min((at for at in tally.reserved_at if at), default=end)
        done_from = first_put if load.mode == "live" else first_reserved
        return {
            "peer": self.peer.name,
            "version": self.peer.version(),
            "mode": load.mode,
            "api": self.peer.api,
            "settings": self.peer.settings(processes.share(load.workers, load.processes)),
            "load": {"producers": load.producers, "workers": load.workers, "body": load.body, "rate": load.rate,
                     "processes": load.processes},
            "puts_per_second": per_second(put, max(tally.last_put) - first_put),
            "done_per_second": per_second(done, end - done_from),
            "jobs": load.jobs,
            "checked": bool(finished and distinct == load.jobs and corrupt == 0),
            "finished": bool(finished),
            "put": put,
            "delivered": distinct,
            "done": done,
            "doubles": tally.doubles(),
            "corrupt": corrupt,
            # If all puts come first, a job's age shows only the length of the queue.
            "latency_ms": {"reserved": percentiles(tally.latencies_ms())} if load.mode == "live" else {},
            "postgres": server,
        }


def per_second(count, nanoseconds):
    return round(count * 1e9 / nanoseconds, 1) if count and nanoseconds > 0 else 0.0


def percentiles(values):
    """Nearest rank."""
    if not values:
        return {}
    rank = lambda part: values[min(len(values) - 1, int(part * len(values)))]
    return {"p50": round(rank(0.50), 3), "p99": round(rank(0.99), 3), "max": round(values[-1], 3)}
