"""All rows, in the order of the page."""

from dataclasses import dataclass
from typing import Callable

import backlog
import binlog
import bodies
import checksums
import commit
import connections
import looking
import memory
import peers
import replay
import several
import snapshot
import sql
from outcome import Outcome


@dataclass(frozen=True)
class Row:
    name: str
    section: str
    about: str
    run: Callable[..., Outcome]


ROWS = [
    Row("puts", memory.TITLE, "pipelined puts, 16 producers of depth 64", memory.puts),
    Row("drain", memory.TITLE, "drain with 256 workers; CPU per job", memory.drain),
    Row("live-64", memory.TITLE, "64 producers and 64 workers at once", memory.live64),
    Row("live-16", memory.TITLE, "16 producers and 16 workers at once", memory.live16),
    Row("binlog-live", binlog.TITLE, "16 producers and 16 workers at once", binlog.live16),
    Row("binlog-drain", binlog.TITLE, "drain with 256 workers", binlog.drain),
    Row("binlog-single", binlog.TITLE, "one client, one put at a time", binlog.single),
    Row("commit", "Against pgbench", "put latency against an insert with commit", commit.run),
    Row("backlog", "Backlog and statistics", "millions of jobs in a tube: memory, rates, restart, stats", backlog.run),
    Row("replay", "Backlog and statistics", "beanstalkd -b with a tenth of that", replay.run),
    Row("snapshot", "A held snapshot", "many jobs under an open transaction", snapshot.run),
    Row("idle", "Connections", "10,000 idle connections", connections.idle),
    Row("waiting", "Connections", "1,000 workers waiting on one tube", connections.waiting),
    Row("bodies", "Bodies and tubes", "bodies of 100 B to 64 KB", bodies.sizes),
    Row("tubes", "Bodies and tubes", "1,000 tubes at once", bodies.tubes),
    Row("checksums", "Data checksums", "a cluster with data checksums against one as shipped", checksums.run),
    Row("sql", sql.TITLE, "puts from SQL against the bare insert, and how soon a worker has the job", sql.run),
    Row("several", several.TITLE, "two and three brokers against one", several.run),
    Row("several-cost", several.TITLE, "from one broker to another at half the rate; CPU and WAL a job", several.latency),
    Row("viewers", looking.TITLE, "20 viewers of 10,000 tubes: CPU, and a client's puts meanwhile", looking.look),
    Row("answers", looking.TITLE, "the API with millions of jobs: its answers, and a deletion by a filter",
        looking.answer),
    Row("peers", "Other queues in PostgreSQL", "procrastinate, pgqueuer and pgmq", peers.run),
]
