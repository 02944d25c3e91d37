"""A database of its own for each run, so that no run inherits another's dead rows and nothing stays behind."""

import contextlib
import os

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Unfair(Exception):
    """Raised when the server lacks the durability that every figure here is measured with."""


@contextlib.contextmanager
def fresh(conninfo, peer):
    """The conninfo of a new, empty database on the same server, dropped at the end."""
    name = f"beanrow_peer_{peer}_{os.getpid()}"
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield make_conninfo(conninfo, dbname=name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def settings(connection):
    """The server's durability settings; raises Unfair when a commit could be lost."""
    names = ("server_version", "synchronous_commit", "fsync", "full_page_writes")
    found = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}
    for name in ("synchronous_commit", "fsync"):
        if found[name] != "on":
            raise Unfair(f"{name} is {found[name]}; the comparison is made with {name} on.")
    return found


def asyncpg_arguments(conninfo):
    """The same address for asyncpg, which does not read libpq's key=value form."""
    found = conninfo_to_dict(conninfo)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
    return {ours: found[theirs] for theirs, ours in names.items() if found.get(theirs)}
