"""procrastinate: psycopg's pool, one NOTIFY per job, one job per fetch."""

import asyncio
import contextlib
import importlib.metadata
import logging

import procrastinate

from peer import Peer


class Procrastinate(Peer):
    name = "procrastinate"
    # Finished jobs are deleted, see work().
    remaining = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    # Workers in one process; each handles its part of the jobs at a time with `concurrency`. Every worker LISTENs and
    # every NOTIFY wakes them all: two did as much as eight, and got a lone job sooner.
    loops = 2

    def version(self):
        return importlib.metadata.version("procrastinate")

    def arranged(self, share):
        """How many workers a process runs, and how many jobs each handles at a time."""
        loops = min(self.loops, share)
        return loops, -(-share // loops)

    def settings(self, shares):
        arranged = [self.arranged(share) for share in shares]
        how = f"batch_defer_async({self.batch})" if self.api == "batch" else "defer_async"
        return (f"psycopg pool with uvloop, {how}; {sum(loops for loops, _ in arranged)} workers "
                f"of concurrency {arranged[0][1]}, "
                "LISTEN/NOTIFY with the default 5 s poll behind it, successful jobs deleted; it has no batch fetch")

    def install(self, conninfo):
        app = self.app(conninfo, 1, lambda body: None)

        async def apply():
            async with app.open_async():
                await app.schema_manager.apply_schema_async()

        asyncio.run(apply())

    @contextlib.asynccontextmanager
    async def producer(self, conninfo):
        app = self.app(conninfo, 1, lambda body: None)
        async with app.open_async():
            job = app.tasks["job"]

            async def put(bodies):
                if self.api == "batch":
                    await job.batch_defer_async(*({"body": body} for body in bodies))
                else:
                    await job.defer_async(body=bodies[0])

            yield put

    async def work(self, conninfo, workers, delivered):
        loops, concurrency = self.arranged(workers)
        # A connection for each fetch and each end of a job under way.
        app = self.app(conninfo, loops * (concurrency + 1), delivered)
        async with app.open_async():
            await asyncio.gather(*(
                app.run_worker_async(
                    concurrency=concurrency,
                    # Keeps the table small, as beanstalkd's delete does.
                    delete_jobs="successful",
                    install_signal_handlers=False,
                )
                for _ in range(loops)
            ))

    def app(self, conninfo, connections, delivered):
        # Otherwise two log lines per job would be measured too.
        logging.getLogger("procrastinate").setLevel(logging.ERROR)
        connector = procrastinate.PsycopgConnector(conninfo=conninfo, min_size=connections, max_size=connections)
        app = procrastinate.App(connector=connector)

        @app.task(name="job")
        async def job(body):
            delivered(body)

        return app
