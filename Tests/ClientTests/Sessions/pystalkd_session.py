"""Goes through the whole API of pystalkd against the server on the given port of 127.0.0.1."""

import time
from contextlib import closing
from datetime import timedelta

from expectations import HOST, PORT, expect, expect_error, expect_values, run
from pystalkd.Beanstalkd import BeanstalkdException, CommandFailed, Connection, DeadlineSoon


def connect(tube="default"):
    connection = Connection(HOST, PORT)
    connection.use(tube)
    connection.watch(tube)
    if tube != "default":
        connection.ignore("default")
    return closing(connection)


def expect_reply(kind, reply, call, *arguments, **named):
    expect(str(expect_error(kind, call, *arguments, **named)), reply)


def put_reserve_and_delete():
    with connect() as client:
        job_id = client.put("h\u00e9llo\r\nthere")
        job = client.reserve()
        expect((job.job_id, job.body, job.size), (job_id, "h\u00e9llo\r\nthere", 13))
        job.delete()
        expect_reply(CommandFailed, "NOT_FOUND", client.delete, job_id)
        expect(client.reserve(timeout=0), None)
        expect_reply(CommandFailed, "JOB_TOO_BIG", client.put, "x" * 65536)


def bodies_of_bytes():
    with connect() as client:
        # The library takes a reply for over where a read ends with a line end, and strips white space from its end.
        for body in [b"x" * 65535, b"", b"\x00\xff"]:
            client.put_bytes(body)
            job = client.reserve_bytes(timeout=5)
            expect((job.body or b"", job.size), (body, len(body)))
            job.delete()


def the_order_of_priorities():
    with connect("order") as client:
        for body, priority in [("c", 30), ("a", 10), ("b", 20), ("d", 30)]:
            client.put(body, priority=priority)
        expect(client.peek_ready().body, "a")
        for expected in "abcd":
            job = client.reserve(timeout=5)
            expect(job.body, expected)
            job.delete()


def release_bury_kick_and_touch():
    with connect("states") as client:
        job_id = client.put("x", priority=9, ttr=timedelta(minutes=10))
        job = client.reserve(timeout=timedelta(seconds=5))
        job.touch()
        job.release(delay=timedelta(minutes=10))
        expect(client.peek_delayed().job_id, job_id)
        expect_values(client.stats_job(job_id), {"state": "delayed", "pri": 9, "delay": 600, "releases": 1})
        expect(client.kick(10), 1)
        job = client.reserve(timeout=5)
        job.bury(priority=5)
        expect(client.peek_buried().job_id, job_id)
        expect_reply(CommandFailed, "NOT_FOUND", client.touch, job_id)
        job.kick()
        expect_reply(CommandFailed, "NOT_FOUND", job.kick)
        job = client.reserve(timeout=5)
        expect_values(job.stats(), {
            "state": "reserved", "pri": 5, "ttr": 600, "reserves": 3, "buries": 1, "kicks": 2, "tube": "states",
        })
        job.delete()
        expect([client.peek(job_id), client.peek_ready(), client.peek_delayed(), client.peek_buried()], [None] * 4)
        expect_reply(CommandFailed, "NOT_FOUND", client.stats_job, job_id)


def tubes():
    with connect() as client:
        expect((client.using(), client.watching()), ("default", ["default"]))
        expect(client.use("emails"), "emails")
        expect(client.watch("emails"), 2)
        with client.temporary_watch("sms"):
            expect(sorted(client.watching()), ["default", "emails", "sms"])
        expect(client.ignore("default"), 1)
        expect_reply(CommandFailed, "NOT_IGNORED", client.ignore, "emails")
        with client.temporary_use("sms"):
            expect(sorted(client.tubes()), ["default", "emails", "sms"])
        expect((client.using(), client.tubes()), ("emails", ["default", "emails"]))
        client.put("x")
        expect_values(client.stats_tube("emails"), {
            "name": "emails", "current-jobs-ready": 1, "current-using": 1, "current-watching": 1,
        })
        client.reserve(timeout=5).delete()
        expect_reply(CommandFailed, "NOT_FOUND", client.stats_tube, "sms")
        expect_reply(BeanstalkdException, "BAD_FORMAT", client.use, "-")
        client.reconnect()
        expect((client.using(), client.watching()), ("default", ["default"]))


def pause():
    with connect("pause") as client:
        client.put("x")
        client.pause_tube("pause", timedelta(seconds=1000))
        expect(client.reserve(timeout=0), None)
        expect_values(client.stats_tube("pause"), {"pause": 1000, "cmd-pause-tube": 1})
        client.pause_tube("pause", 0)
        client.reserve(timeout=5).delete()
        expect_reply(CommandFailed, "NOT_FOUND", client.pause_tube, "nowhere", 1)


def stats():
    with connect() as client:
        stats = client.stats()
        expect(len(stats), 52 if "beanrow-version" in stats else 51)
        expect_values(stats, {"current-jobs-ready": 0, "current-jobs-reserved": 0, "max-job-size": 65535})
        assert stats["cmd-put"] > 0 and isinstance(stats["version"], str), stats


def delays_and_timeouts():
    with connect("times") as client:
        start = time.monotonic()
        client.put("x", delay=1, ttr=3)
        job = client.reserve(timeout=10)
        assert time.monotonic() - start >= 1
        expect_error(DeadlineSoon, client.reserve, timeout=10)
        job.delete()
        start = time.monotonic()
        expect(client.reserve(timeout=1), None)
        assert time.monotonic() - start >= 1


def a_job_held_too_long():
    with connect("held") as client, connect("held") as other:
        job_id = client.put("x", ttr=3)
        job = client.reserve(timeout=5)
        again = other.reserve(timeout=10)
        expect(again is None, False)
        expect((again.job_id, again.stats()["timeouts"]), (job_id, 1))
        expect_reply(CommandFailed, "NOT_FOUND", job.touch)
        again.delete()


run(
    put_reserve_and_delete,
    bodies_of_bytes,
    the_order_of_priorities,
    release_bury_kick_and_touch,
    tubes,
    pause,
    stats,
    delays_and_timeouts,
    a_job_held_too_long,
)
