"""What it costs to look: viewers of the page, and how soon the API answers."""

import contextlib
import json
import threading
import time
import urllib.parse
import urllib.request
from statistics import median

import bench
import processes
import servers
from outcome import Failed, Outcome, Table, number, short
from servers import Beanrow, Postgres

TITLE = "Page and API"
VIEWERS = 20
# As many as a slow machine does without a backlog: what is measured is time, not throughput.
LOAD = {"producers": 8, "workers": 8, "rate": 1000}


class Watched(Beanrow):
    """A broker with its page."""

    def __init__(self, context, postgres):
        super().__init__(context, postgres)
        self.site = f"{servers.ADDRESS}:{servers.free_port()}"
        self.command += ["--http", self.site]

    def get(self, path):
        """The answer, and the milliseconds that it took."""
        begin = time.perf_counter()
        with urllib.request.urlopen(f"http://{self.site}{path}", timeout=servers.START) as answer:
            body = answer.read()
        return body, (time.perf_counter() - begin) * 1000

    def post(self, path, value):
        request = urllib.request.Request(
            f"http://{self.site}{path}", json.dumps(value).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=servers.START) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def viewers(server, count):
    """Streams of events of the table of tubes, each of which must have come in the end."""
    url = f"http://{server.site}/api/v1/events?view=tubes"
    streams = [urllib.request.urlopen(url, timeout=servers.START) for _ in range(count)]
    received = [0] * count

    def read(at):
        with contextlib.suppress(Exception):
            while part := streams[at].read1(65536):
                received[at] += len(part)

    threads = [threading.Thread(target=read, args=(at,), daemon=True) for at in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for stream in streams:
            # A thread that reads holds the stream, so only its socket can be ended.
            stream.fp.raw._sock.shutdown(2)
        for thread in threads:
            thread.join()
    if count and min(received) < 1000:
        raise Failed("a viewer was sent nothing")


def look(context):
    """CPU of the broker and the times of a client without viewers and with them, in turns."""
    tubes, seconds = (100, 3) if context.quick else (10_000, 20)
    outcome = Outcome()
    used = {0: [], VIEWERS: []}
    latency = {0: [], VIEWERS: []}
    with Postgres(context) as postgres, Watched(context, postgres) as server:
        fill(context, server, tubes, tubes)
        # The sampler has looked at all of them once.
        time.sleep(1 if context.quick else 25)
        for _ in range(context.rounds):
            for count in used:
                with viewers(server, count):
                    with processes.cpu({"broker": server.pid, "postgres": postgres.pid}) as cpu:
                        time.sleep(seconds)
                    used[count].append({label: 100 * sum(cpu[label]) / seconds for label in cpu})
                    latency[count].append(
                        bench.run(context, server, jobs=LOAD["rate"] * seconds, limit=120, **LOAD))
    broker = {count: median(each["broker"] for each in used[count]) for count in used}
    outcome.at_most(f"{VIEWERS} viewers of {tubes:,} tubes, CPU of the broker more than without", 1,
                    broker[VIEWERS] - broker[0], " % of a core")
    p99 = {count: median(bench.latency(report, "put", "p99") for report in latency[count]) for count in latency}
    outcome.at_most(f"put p99 at {LOAD['rate']:,} puts/s with {VIEWERS} viewers, against without", 1.1,
                    p99[VIEWERS] / p99[0], " times")
    outcome.reports["latency"] = latency
    outcome.tables.append(Table(
        f"{tubes:,} tubes, at rest and at {LOAD['rate']:,} puts/s",
        ["viewers", "broker, % of a core at rest", "PostgreSQL", "put p50, ms", "put p99, ms", "put to reserved p99, ms"],
        [[number(count), number(broker[count], 2), number(median(each["postgres"] for each in used[count]), 2),
          *(number(median(bench.latency(report, kind, point) for report in latency[count]), 2)
            for kind, point in (("put", "p50"), ("put", "p99"), ("reserved", "p99")))]
         for count in used]))
    return outcome


def fill(context, server, tubes, jobs):
    bench.run(context, server, jobs=jobs, limit=3600, producers=16, depth=64, workers=0, keep=True, tubes=tubes,
              tube="team", body=100)


def answer(context):
    """How soon the API answers with many jobs, and how fast it deletes them."""
    tubes = 100 if context.quick else 10_000
    outcome = Outcome()
    with Postgres(context) as postgres, Watched(context, postgres) as server:
        context.say(f"filling {tubes:,} tubes with {context.backlog:,} jobs")
        fill(context, server, tubes, context.backlog)
        postgres.settle()
        tube = json.loads(server.get("/api/v1/tubes?limit=1&sort=ready")[0])["tubes"][0]["name"]
        first = json.loads(server.get("/api/v1/jobs?limit=1")[0])["jobs"][0]["id"]
        name = urllib.parse.quote(tube, safe="")
        rows = [[path, *(number(value, 1) for value in times)] for path, times in (
            (path, timed(server, path)) for path in paths(name, first, first + context.backlog // 2))]
        slowest = max(float(row[2].replace(",", "")) for row in rows)
        outcome.at_most(f"the slowest answer of the API with {short(context.backlog)} jobs in {tubes:,} tubes", 200,
                        slowest, " ms", 0)
        outcome.tables.append(Table(f"Answers with {short(context.backlog)} jobs, ms", ["GET", "median", "maximum"], rows))
        outcome.notes.append(delete(context, server))
    return outcome


def paths(tube, first, middle):
    yield "/api/v1/overview"
    for sort in ("worst", "name", "-ready", "oldest"):
        yield f"/api/v1/tubes?sort={sort}"
    yield f"/api/v1/tubes?filter={tube[:6]}"
    yield f"/api/v1/tubes/{tube}"
    yield f"/api/v1/series?tube={tube}&window=10m"
    yield "/api/v1/jobs"
    yield f"/api/v1/jobs?after={middle}"
    yield f"/api/v1/jobs?tube={tube}"
    yield f"/api/v1/jobs?tube={tube}&state=ready"
    yield "/api/v1/jobs?state=buried"
    yield f"/api/v1/jobs/{first}"
    yield "/api/v1/brokers"
    yield "/api/v1/holders"
    yield "/api/v1/clients"
    yield "/api/v1/history"
    yield "/api/v1/reports"
    yield "/api/v1/warnings"


def timed(server, path):
    found = []
    for _ in range(20):
        found.append(server.get(path)[1])
        # The next one finds another frame.
        time.sleep(0.05)
    return median(found), max(found)


def delete(context, server):
    """A tenth of the jobs, by one operation on a filter."""
    everything = json.loads(server.get("/api/v1/jobs?limit=1")[0])["jobs"][0]["id"]
    filter = {"id_to": everything + context.backlog // 10 - 1}
    count = server.post("/api/v1/jobs/count", filter)["count"]
    begin = time.monotonic()
    operation = server.post("/api/v1/operations", {"action": "delete", "filter": filter, "expected_count": count})
    while operation["state"] == "running":
        if time.monotonic() > begin + 600:
            raise Failed("the operation took more than ten minutes")
        time.sleep(0.2)
        operation = json.loads(server.get(f"/api/v1/operations/{operation['id']}")[0])
    if operation["state"] != "done" or operation["changed"] != count:
        raise Failed(f"the operation ended with {operation}")
    seconds = time.monotonic() - begin
    return f"An operation deleted {count:,} jobs by their ids in {seconds:,.0f} s: {count / seconds:,.0f} jobs/s."
