"""pgmq: SQL functions, called here with asyncpg and prepared statements; it has no worker of its own."""

import asyncio
import contextlib
import importlib.metadata
import importlib.resources
import json
import os
import pathlib

import asyncpg
import psycopg

from database import asyncpg_arguments
from peer import Peer, Skipped

# Seconds a job stays hidden from the others. Long, so that a slow run is not taken for a dead worker.
VISIBILITY = 300


class Pgmq(Peer):
    name = "pgmq"
    remaining = "SELECT count(*) FROM pgmq.q_bench"
    # Messages one read takes with the batch API.
    take = 100
    # Workers in one process with the batch API; more of them only compete for the same rows.
    loops = 2
    # Seconds an idle worker sleeps before it looks again. pgmq's own read_with_poll has 0.1.
    pause = 0.01

    def version(self):
        return source()[0]

    def arranged(self, share):
        return min(self.loops, share) if self.api == "batch" else share

    def settings(self, shares):
        workers = sum(self.arranged(share) for share in shares)
        if self.api == "batch":
            how = f"send_batch({self.batch}); {workers} workers each read({self.take}) and delete(array)"
        else:
            how = f"send; {workers} workers each read(1) and delete(one)"
        return (f"asyncpg with uvloop and prepared statements, a connection each, {how}, "
                f"idle workers poll every {self.pause * 1000:.0f} ms, logged queue")

    def install(self, conninfo):
        with psycopg.connect(conninfo) as connection:
            connection.execute(source()[1])
            connection.execute("SELECT pgmq.create('bench')")

    @contextlib.asynccontextmanager
    async def producer(self, conninfo):
        connection = await asyncpg.connect(**asyncpg_arguments(conninfo))
        if self.api == "batch":
            send = await connection.prepare("SELECT pgmq.send_batch('bench', $1::jsonb[])")
        else:
            send = await connection.prepare("SELECT pgmq.send('bench', $1::jsonb)")

        async def put(bodies):
            messages = [json.dumps({"body": body}) for body in bodies]
            await send.fetch(messages if self.api == "batch" else messages[0])

        try:
            yield put
        finally:
            await connection.close()

    async def work(self, conninfo, workers, delivered):
        async def one():
            connection = await asyncpg.connect(**asyncpg_arguments(conninfo))
            count = self.take if self.api == "batch" else 1
            # The settings are literals: nothing for the planner to guess.
            read = await connection.prepare(f"SELECT msg_id, message FROM pgmq.read('bench', {VISIBILITY}, {count})")
            kind = "bigint[]" if self.api == "batch" else "bigint"
            delete = await connection.prepare(f"SELECT pgmq.delete('bench', $1::{kind})")
            while True:
                rows = await read.fetch()
                if not rows:
                    await asyncio.sleep(self.pause)
                    continue
                for _, message in rows:
                    delivered(json.loads(message)["body"])
                ids = [identifier for identifier, _ in rows]
                await delete.fetch(ids if self.api == "batch" else ids[0])

        await asyncio.gather(*(one() for _ in range(self.arranged(workers))))


def source():
    """pgmq's version and SQL: the file PGMQ_SQL names, else what the PyPI package `pgmq` carries."""
    path = os.environ.get("PGMQ_SQL")
    if path:
        try:
            return f"from {path}", pathlib.Path(path).read_text()
        except OSError as error:
            raise Skipped(f"PGMQ_SQL cannot be read: {error}") from error
    try:
        files = importlib.resources.files("pgmq") / "sql"
        package = importlib.metadata.version("pgmq")
        version = (files / "VERSION").read_text().strip()
        return f"{version} (SQL of PyPI pgmq {package})", (files / "pgmq.sql").read_text()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise Skipped("its SQL is not here; install pgmq from PyPI or set PGMQ_SQL=/path/pgmq.sql.") from error
