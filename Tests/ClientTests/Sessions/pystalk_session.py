"""Goes through the whole API of pystalk against the server on the given port of 127.0.0.1."""

import time

from expectations import HOST, LARGEST_BODY, PORT, expect, expect_error, expect_values, run
from pystalk import BeanstalkClient, BeanstalkError, ProductionPool

URI = f"beanstalkd://{HOST}:{PORT}"


class Client(BeanstalkClient):
    """A client with text bodies, closed at the end of its block."""

    def __init__(self, tube="default"):
        super().__init__(HOST, PORT, socket_timeout=30, auto_decode=True)
        self.use(tube)
        self.watch(tube)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def expect_reply(reply, call, *arguments, **named):
    expect(expect_error(BeanstalkError, call, *arguments, **named).message, reply)


def put_reserve_and_delete():
    with Client() as client:
        expect(client.ping(), True)
        status, job_id = client.put_job("h\u00e9llo\r\nthere")
        expect(status, b"INSERTED")
        job = client.reserve_job(timeout=5)
        expect((job.job_id, job.job_data), (job_id, "h\u00e9llo\r\nthere"))
        client.delete_job(job)
        expect_reply("NOT_FOUND", client.delete_job, job_id)
        expect_reply("TIMED_OUT", client.reserve_job, timeout=0)
        expect_reply("JOB_TOO_BIG", client.put_job, "x" * 65536)
        expect_reply("BAD_FORMAT", client.stats_tube, "-")


def bodies_of_any_bytes():
    client = BeanstalkClient.from_uri(URI, socket_timeout=30)
    for body in [LARGEST_BODY, b"", b"\r\n"]:
        client.put_job(body)
        job = client.reserve_job(timeout=5)
        expect(job.job_data, body)
        client.delete_job(job)
    client.close()


def the_order_of_priorities():
    with Client("order") as client:
        for body, priority in [("c", 30), ("a", 10), ("b", 20), ("d", 30)]:
            client.put_job(body, pri=priority)
        expect(client.peek_ready().job_data, "a")
        jobs = list(client.reserve_iter())
        expect([job.job_data for job in jobs], ["a", "b", "c", "d"])
        for job in jobs:
            client.release_job(job)
        seen = []
        for job in client.peek_ready_iter():
            seen.append(job.job_id)
            client.delete_job(job)
        expect(seen, sorted(job.job_id for job in jobs))


def release_bury_and_kick():
    with Client("states") as client:
        _, job_id = client.put_job("x", ttr=1000)
        expect(client.release_job(client.reserve_job(), pri=7, delay=1000), b"RELEASED")
        expect(client.peek_delayed().job_id, job_id)
        expect_values(client.stats_job(job_id), {"state": "delayed", "pri": 7, "delay": 1000, "releases": 1})
        expect(client.kick_jobs(10), (b"KICKED", 1))
        expect(client.bury_job(client.reserve_job(), pri=5), b"BURIED")
        expect(client.peek_buried().job_id, job_id)
        expect_reply("NOT_FOUND", client.release_job, job_id)
        client.kick_job(job_id)
        expect_reply("NOT_FOUND", client.kick_job, job_id)
        job = client.reserve_job()
        expect_values(client.stats_job(job), {
            "state": "reserved", "pri": 5, "ttr": 1000, "reserves": 3, "buries": 1, "kicks": 2, "tube": "states",
        })
        client.delete_job(job)
        for peek in [client.peek_ready, client.peek_delayed, client.peek_buried]:
            expect_reply("NOT_FOUND", peek)


def buried_jobs_come_back_in_their_order():
    with Client("buried") as client:
        for body in "abc":
            client.put_job(body)
        for job in list(client.reserve_iter()):
            client.bury_job(job)
        expect(client.kick_jobs(2), (b"KICKED", 2))
        expect([job.job_data for job in client.reserve_iter()], ["a", "b"])
        expect_values(client.stats_tube("buried"), {"current-jobs-reserved": 2, "current-jobs-buried": 1})
        for job in client.peek_buried_iter():
            expect(job.job_data, "c")
            client.delete_job(job)
    # Closing the connection has made the other two ready.
    with Client("buried") as client:
        for job in client.peek_ready_iter():
            client.delete_job(job)


def tubes():
    with Client() as client:
        client.put_job_into("emails", "x")
        with client.using("sms") as inserter:
            inserter.put_job("y")
        expect(client.current_tube, "default")
        expect(sorted(client.list_tubes()), ["default", "emails", "sms"])
        client.watchlist = ["emails", "sms"]
        expect(sorted(job.job_data for job in client.reserve_iter()), ["x", "y"])
        expect_values(client.stats_tube("emails"), {
            "name": "emails", "current-jobs-reserved": 1, "current-using": 0, "current-watching": 1, "total-jobs": 1,
        })
        expect_reply("NOT_FOUND", client.stats_tube, "nowhere")
        # It lets go of its jobs, and watches the same tubes when it connects again.
        client.close()
        jobs = list(client.reserve_iter())
        expect(sorted(job.job_data for job in jobs), ["x", "y"])
        for job in jobs:
            expect_values(client.stats_job(job), {"reserves": 2, "releases": 0, "timeouts": 0})
            client.delete_job(job)


def a_pool_of_producers():
    pool = ProductionPool.from_uris([URI, URI], socket_timeout=30)
    pool.use("pool")
    for body in "abcd":
        pool.put_job(body)
    pool.put_job_into("pool", "e")
    with Client("pool") as client:
        jobs = list(client.reserve_iter())
        expect([job.job_data for job in jobs], ["a", "b", "c", "d", "e"])
        for job in jobs:
            client.delete_job(job)


def pause():
    with Client("pause") as client:
        client.put_job("x")
        expect(client.pause_tube("pause", 1000), b"PAUSED")
        expect_reply("TIMED_OUT", client.reserve_job, timeout=0)
        expect_values(client.stats_tube("pause"), {"pause": 1000, "cmd-pause-tube": 1})
        expect(client.unpause_tube("pause"), b"PAUSED")
        client.delete_job(client.reserve_job())
        expect_reply("NOT_FOUND", client.pause_tube, "nowhere")


def stats():
    with Client() as client:
        stats = client.stats()
        expect(len(stats), 52 if "beanrow-version" in stats else 51)
        expect_values(stats, {"current-jobs-ready": 0, "current-jobs-reserved": 0, "max-job-size": 65535})
        assert stats["cmd-put"] > 0 and isinstance(stats["version"], str), stats


def delays_and_timeouts():
    with Client("times") as client:
        start = time.monotonic()
        client.put_job("x", delay=3, ttr=3)
        expect_reply("TIMED_OUT", client.reserve_job, timeout=0)
        job = client.reserve_job(timeout=10)
        assert time.monotonic() - start >= 3
        expect_reply("DEADLINE_SOON", client.reserve_job, timeout=10)
        client.delete_job(job)
        start = time.monotonic()
        expect_reply("TIMED_OUT", client.reserve_job, timeout=1)
        assert time.monotonic() - start >= 1


def a_job_held_too_long():
    with Client("held") as client, Client("held") as other:
        _, job_id = client.put_job("x", ttr=3)
        client.reserve_job()
        expect(other.reserve_job(timeout=10).job_id, job_id)
        expect(other.stats_job(job_id)["timeouts"], 1)
        expect_reply("NOT_FOUND", client.delete_job, job_id)
        other.delete_job(job_id)


run(
    put_reserve_and_delete,
    bodies_of_any_bytes,
    the_order_of_priorities,
    release_bury_and_kick,
    buried_jobs_come_back_in_their_order,
    tubes,
    a_pool_of_producers,
    pause,
    stats,
    delays_and_timeouts,
    a_job_held_too_long,
)
