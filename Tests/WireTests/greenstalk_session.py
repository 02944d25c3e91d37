"""Goes through the whole API of greenstalk against the server on the given port of 127.0.0.1."""

import sys
import time

import greenstalk

ADDRESS = ("127.0.0.1", int(sys.argv[1]))


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def expect_error(error, call, *arguments, **named):
    try:
        result = call(*arguments, **named)
    except error:
        return
    raise AssertionError(f"expected {error.__name__}, got {result!r}")


def put_reserve_delete():
    with greenstalk.Client(ADDRESS) as client:
        job_id = client.put("h\u00e9llo\r\nthere")
        job = client.reserve()
        expect((job.id, job.body), (job_id, "h\u00e9llo\r\nthere"))
        client.delete(job)
        expect_error(greenstalk.NotFoundError, client.delete, job_id)
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=0)
        expect_error(greenstalk.JobTooBigError, client.put, "x" * 65536)
        expect_error(greenstalk.BadFormatError, client.put, "x", priority=2**32)
    with greenstalk.Client(ADDRESS, encoding=None) as client:
        body = bytes(range(256)) * 255
        client.put(body)
        job = client.reserve(timeout=5)
        expect(job.body, body)
        client.delete(job)


def order():
    with greenstalk.Client(ADDRESS, use="order", watch="order") as client:
        for body, priority in [("c", 30), ("a", 10), ("b", 20), ("d", 30)]:
            client.put(body, priority=priority)
        expect(client.peek_ready().body, "a")
        for expected in "abcd":
            job = client.reserve(timeout=5)
            expect(job.body, expected)
            client.delete(job)


def release_bury_kick_touch():
    with greenstalk.Client(ADDRESS, use="states", watch="states") as client:
        job_id = client.put("x", ttr=1000)
        job = client.reserve(timeout=5)
        client.touch(job)
        client.release(job, priority=7, delay=1000)
        expect(client.peek_delayed().id, job_id)
        stats = client.stats_job(job_id)
        expect((stats["state"], stats["pri"], stats["delay"], stats["releases"]), ("delayed", 7, 1000, 1))
        expect(client.kick(10), 1)
        job = client.reserve(timeout=5)
        client.bury(job, priority=5)
        expect(client.peek_buried().id, job_id)
        client.kick_job(job)
        expect_error(greenstalk.NotFoundError, client.kick_job, job)
        job = client.reserve_job(job_id)
        expect(job.body, "x")
        stats = client.stats_job(job)
        expect([stats[key] for key in ("state", "reserves", "buries", "kicks", "tube")],
               ["reserved", 3, 1, 2, "states"])
        client.delete(job)
        expect_error(greenstalk.NotFoundError, client.peek, job_id)


def tubes():
    with greenstalk.Client(ADDRESS) as client:
        expect((client.using(), client.watching()), ("default", ["default"]))
        client.use("emails")
        expect(client.watch("emails"), 2)
        expect(client.watch("sms"), 3)
        expect(client.ignore("default"), 2)
        expect((client.using(), sorted(client.watching())), ("emails", ["emails", "sms"]))
        expect(client.ignore("sms"), 1)
        expect_error(greenstalk.NotIgnoredError, client.ignore, "emails")
        expect(client.tubes(), ["default", "emails"])
        client.put("x")
        stats = client.stats_tube("emails")
        expect([stats[key] for key in ("name", "current-jobs-ready", "current-using", "current-watching")],
               ["emails", 1, 1, 1])
        client.delete(client.reserve(timeout=5))
        expect_error(greenstalk.NotFoundError, client.stats_tube, "sms")


def times():
    with greenstalk.Client(ADDRESS, use="times", watch="times") as client:
        start = time.monotonic()
        job_id = client.put("x", delay=1, ttr=1)
        job = client.reserve(timeout=10)
        assert time.monotonic() - start >= 1
        expect_error(greenstalk.DeadlineSoonError, client.reserve, timeout=10)
        # It runs out, and comes back.
        with greenstalk.Client(ADDRESS, watch="times") as other:
            again = other.reserve(timeout=10)
            expect((again.id, other.stats_job(job_id)["timeouts"]), (job_id, 1))
            expect_error(greenstalk.NotFoundError, client.touch, job)
            other.delete(again)
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=1)


def pause():
    with greenstalk.Client(ADDRESS, use="pause", watch="pause") as client:
        client.put("x")
        client.pause_tube("pause", 1000)
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=0)
        expect(client.stats_tube("pause")["pause"], 1000)
        client.pause_tube("pause", 0)
        client.delete(client.reserve(timeout=5))


def stats():
    with greenstalk.Client(ADDRESS) as client:
        stats = client.stats()
        expect((len(stats), stats["current-jobs-ready"], stats["current-connections"]), (51, 0, 1))
        assert stats["cmd-put"] > 0 and isinstance(stats["version"], str)


for part in [put_reserve_delete, order, release_bury_kick_touch, tubes, times, pause, stats]:
    part()
print("done")
