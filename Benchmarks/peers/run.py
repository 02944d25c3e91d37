"""Measures one PostgreSQL queue and prints one JSON object (see --help).

Exit 0: measured and checked. 1: a job is missing or broken, the limit was reached, or it failed. 2: bad usage.
3: skipped, with one line on stderr that says why.
"""

import argparse
import importlib
import json
import signal
import sys

import psycopg

import database
import measure
import payload
import processes
from peer import Skipped

# Each peer's module is loaded only when asked for, so that a missing package stops only its own peer.
PEERS = {
    "procrastinate": ("peer_procrastinate", "Procrastinate"),
    "pgqueuer": ("peer_pgqueuer", "PgQueuerPeer"),
    "pgmq": ("peer_pgmq", "Pgmq"),
}


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def body_size(text):
    number = int(text)
    if number < payload.SMALLEST:
        raise argparse.ArgumentTypeError(f"must be at least {payload.SMALLEST}")
    return number


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, metavar="CONNINFO",
                        help="a role here may create databases; each run makes one and drops it")
    parser.add_argument("--peer", required=True, choices=PEERS)
    parser.add_argument("--mode", choices=("live", "phase"), default="live")
    parser.add_argument("--api", choices=("single", "batch"), default="batch", help="default: batch")
    parser.add_argument("--producers", type=positive, default=16)
    parser.add_argument("--workers", type=positive, default=16,
                        help="jobs handled at a time; a peer may do that with fewer, larger workers (see settings)")
    parser.add_argument("--jobs", type=positive, default=5000)
    parser.add_argument("--body", type=body_size, default=200, metavar="BYTES")
    parser.add_argument("--rate", type=float, help="puts per second over all producers (live); default: no limit")
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS",
                        help="for the puts, and again for the rest")
    parser.add_argument("--processes", type=positive, default=processes.cores(),
                        help="client processes on each side; default: one per core")
    parser.add_argument("--json", action="store_true", help="on one line instead of indented")
    found = parser.parse_args()
    if found.rate is not None and (found.mode != "live" or found.rate <= 0):
        parser.error("--rate is a positive number and for --mode live")
    return found


def main():
    asked = arguments()
    # So that a cancelled run leaves no database and no process behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load = measure.Load(asked.mode, asked.producers, asked.workers, asked.jobs, asked.body, asked.rate, asked.limit,
                        asked.processes)
    module, name = PEERS[asked.peer]
    try:
        peer = getattr(importlib.import_module(module), name)(asked.api)
        peer.version()
        result = measure.run(peer, asked.database, load)
    except (Skipped, database.Unfair, ModuleNotFoundError) as why:
        print(f"{asked.peer} skipped: {why}", file=sys.stderr)
        return 3
    except (psycopg.Error, RuntimeError) as error:
        print(f"{asked.peer} failed: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result) if asked.json else json.dumps(result, indent=2))
    return 0 if result["checked"] else 1


if __name__ == "__main__":
    sys.exit(main())
