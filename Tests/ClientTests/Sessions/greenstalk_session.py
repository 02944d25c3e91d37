"""Goes through the whole API of greenstalk against the server on the given port of 127.0.0.1."""

import time

import greenstalk
from expectations import HOST, LARGEST_BODY, PORT, expect, expect_error, expect_values, run

ADDRESS = (HOST, PORT)


def put_reserve_and_delete():
    with greenstalk.Client(ADDRESS) as client:
        job_id = client.put("h\u00e9llo\r\nthere")
        job = client.reserve()
        expect((job.id, job.body), (job_id, "h\u00e9llo\r\nthere"))
        client.delete(job)
        expect_error(greenstalk.NotFoundError, client.delete, job_id)
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=0)
        expect_error(greenstalk.JobTooBigError, client.put, "x" * 65536)
        expect_error(greenstalk.BadFormatError, client.put, "x", priority=2**32)


def bodies_of_any_bytes():
    with greenstalk.Client(ADDRESS, encoding=None) as client:
        for body in [LARGEST_BODY, b"", b"\r\n"]:
            client.put(body)
            job = client.reserve(timeout=5)
            expect(job.body, body)
            client.delete(job)


def the_order_of_priorities():
    with greenstalk.Client(ADDRESS, use="order", watch="order") as client:
        for body, priority in [("c", 30), ("a", 10), ("b", 20), ("d", 30)]:
            client.put(body, priority=priority)
        expect(client.peek_ready().body, "a")
        for expected in "abcd":
            job = client.reserve(timeout=5)
            expect(job.body, expected)
            client.delete(job)


def release_bury_kick_and_touch():
    with greenstalk.Client(ADDRESS, use="states", watch="states") as client:
        job_id = client.put("x", ttr=1000)
        job = client.reserve(timeout=5)
        client.touch(job)
        client.release(job, priority=7, delay=1000)
        expect(client.peek_delayed().id, job_id)
        expect_values(client.stats_job(job_id), {"state": "delayed", "pri": 7, "delay": 1000, "releases": 1})
        expect(client.kick(10), 1)
        job = client.reserve(timeout=5)
        client.bury(job, priority=5)
        expect(client.peek_buried().id, job_id)
        client.kick_job(job)
        expect_error(greenstalk.NotFoundError, client.kick_job, job)
        job = client.reserve_job(job_id)
        expect(job.body, "x")
        expect_values(client.stats_job(job), {
            "state": "reserved", "reserves": 3, "buries": 1, "kicks": 2, "tube": "states",
        })
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
        expect_values(client.stats_tube("emails"), {
            "name": "emails", "current-jobs-ready": 1, "current-using": 1, "current-watching": 1,
        })
        client.delete(client.reserve(timeout=5))
        expect_error(greenstalk.NotFoundError, client.stats_tube, "sms")


def pause():
    with greenstalk.Client(ADDRESS, use="pause", watch="pause") as client:
        client.put("x")
        client.pause_tube("pause", 1000)
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=0)
        expect_values(client.stats_tube("pause"), {"pause": 1000, "cmd-pause-tube": 1})
        client.pause_tube("pause", 0)
        client.delete(client.reserve(timeout=5))
        expect_error(greenstalk.NotFoundError, client.pause_tube, "nowhere", 1)


def stats():
    with greenstalk.Client(ADDRESS) as client:
        stats = client.stats()
        expect(len(stats), 52 if "beanrow-version" in stats else 51)
        expect_values(stats, {"current-jobs-ready": 0, "current-connections": 1, "max-job-size": 65535})
        assert stats["cmd-put"] > 0 and isinstance(stats["version"], str), stats


def delays_and_timeouts():
    with greenstalk.Client(ADDRESS, use="times", watch="times") as client:
        start = time.monotonic()
        client.put("x", delay=1, ttr=3)
        job = client.reserve(timeout=10)
        assert time.monotonic() - start >= 1
        expect_error(greenstalk.DeadlineSoonError, client.reserve, timeout=10)
        client.delete(job)
        start = time.monotonic()
        expect_error(greenstalk.TimedOutError, client.reserve, timeout=1)
        assert time.monotonic() - start >= 1


def a_job_held_too_long():
    with greenstalk.Client(ADDRESS, use="held", watch="held") as client:
        job_id = client.put("x", ttr=3)
        job = client.reserve(timeout=5)
        with greenstalk.Client(ADDRESS, watch="held") as other:
            again = other.reserve(timeout=10)
            expect((again.id, other.stats_job(job_id)["timeouts"]), (job_id, 1))
            expect_error(greenstalk.NotFoundError, client.touch, job)
            other.delete(again)


run(
    put_reserve_and_delete,
    bodies_of_any_bytes,
    the_order_of_priorities,
    release_bury_kick_and_touch,
    tubes,
    pause,
    stats,
    delays_and_timeouts,
    a_job_held_too_long,
)
