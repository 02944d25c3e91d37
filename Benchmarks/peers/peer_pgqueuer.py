"""PgQueuer: asyncpg, jobs taken in batches, their ends written in batches by its own buffer.

One queue manager per process, however many workers are asked for: each handles a whole batch at a time, and every
NOTIFY wakes them all. Sixteen did half as much as two, with ten times the latency.
"""

import asyncio
import contextlib
import importlib.metadata

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.queries import Queries

from database import asyncpg_arguments
from peer import Peer


class PgQueuerPeer(Peer):
    name = "pgqueuer"
    remaining = "SELECT count(*) FROM pgqueuer"
    # Jobs one worker takes at a time; also how many ends its buffer gathers before it writes them.
    take = 100

    def version(self):
        return importlib.metadata.version("pgqueuer")

    def settings(self, shares):
        how = f"enqueue of {self.batch}" if self.api == "batch" else "enqueue of one"
        return (f"asyncpg with uvloop, {how}; {len(shares)} queue managers, a connection each, batch_size {self.take}, "
                "LISTEN/NOTIFY with the default 30 s poll behind it, durable tables")

    def install(self, conninfo):
        async def install():
            async with self.queries(conninfo) as queries:
                await queries.install()

        asyncio.run(install())

    @contextlib.asynccontextmanager
    async def producer(self, conninfo):
        async with self.queries(conninfo) as queries:

            async def put(bodies):
                if self.api == "batch":
                    payloads = [body.encode() for body in bodies]
                    await queries.enqueue(["job"] * len(bodies), payloads, [0] * len(bodies))
                else:
                    await queries.enqueue("job", bodies[0].encode(), 0)

            yield put

    async def work(self, conninfo, workers, delivered):
        connection = await asyncpg.connect(**asyncpg_arguments(conninfo))
        queuer = PgQueuer.from_asyncpg_connection(connection)

        @queuer.entrypoint("job")
        async def job(job):
            delivered(job.payload.decode())

        await queuer.run(batch_size=self.take)

    @contextlib.asynccontextmanager
    async def queries(self, conninfo):
        connection = await asyncpg.connect(**asyncpg_arguments(conninfo))
        try:
            yield Queries.from_asyncpg_connection(connection)
        finally:
            await connection.close()
