"""What the sessions of the Python libraries share. A mismatch ends the program with exit code 1 and a traceback."""

import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1])

# As large as a job may be.
LARGEST_BODY = (bytes(range(256)) * 256)[:65535]


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def expect_values(stats, expected):
    """The stats must have these values, and may have others."""
    expect({key: stats.get(key) for key in expected}, expected)


def expect_error(kind, call, *arguments, **named):
    """The call must raise an error of this class, which is returned."""
    try:
        result = call(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got {result!r}")


def run(*steps):
    for step in steps:
        print(step.__name__.replace("_", " "), flush=True)
        step()
    print("done")
