"""The frame of a session: a broker, steps that are printed as they begin, and `done` at the end."""
import contextlib
import sys

from broker import Broker


def step(text):
    print(text, flush=True)


@contextlib.contextmanager
def broker(*options, **more):
    """A broker on the database of the arguments: BINARY CONNECTION-STRING SCHEMA."""
    binary, database, schema = sys.argv[1:4]
    made = Broker(binary, ["--database", database, "--schema", schema], options, **more)
    try:
        yield made
    finally:
        made.stop()


def expect(is_so, what):
    if not is_so:
        raise AssertionError(what)


def run(session):
    session()
    print("done", flush=True)
