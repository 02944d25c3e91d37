"""Child processes that end with this one, and their figures in /proc."""

import contextlib
import os
import signal
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def environment():
    """The environment without PG*, which would change the behaviour of PostgreSQL's programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def start(command, *, log=subprocess.DEVNULL, death_signal="TERM", **options):
    """Starts a program in its own session, so that Ctrl-C reaches only this script, which then stops the program.
    If this script is killed, the kernel sends `death_signal`."""
    return subprocess.Popen(["setpriv", "--pdeathsig", death_signal, *command], stdin=subprocess.DEVNULL, stdout=log,
                            stderr=subprocess.STDOUT, start_new_session=True, env=environment(), **options)


def stop(process, number=signal.SIGTERM, patience=60):
    """Ends a program and returns how many seconds that took."""
    begin = time.monotonic()
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return time.monotonic() - begin


def memory(pid):
    """Resident memory in bytes, now and at its highest."""
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file if line.startswith(("VmRSS", "VmHWM")))
    return tuple(int(fields[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM"))


def ticks(pid):
    """User and system time of a process, its descendants, and ended ones that were waited for, in clock ticks."""
    stats = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat") as file:
                # The program's name is in parentheses and may contain anything.
                fields = file.read().rpartition(")")[2].split()
            stats[int(name)] = (int(fields[1]), [int(field) for field in fields[11:15]])
    tree = {pid}
    while more := {child for child, (parent, _) in stats.items() if parent in tree} - tree:
        tree |= more
    used = [stats[member][1] for member in tree if member in stats]
    return sum(times[0] + times[2] for times in used), sum(times[1] + times[3] for times in used)


def foreign():
    """Seconds since its start that the machine has worked for others than this script: other processes, its host, and
    the kernel's own work."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal - sum(ticks(os.getpid()))) / TICKS_PER_SECOND


@contextlib.contextmanager
def cpu(pids):
    """Yields a dictionary. Afterwards it has the (user, system) seconds used meanwhile, by the labels of `pids`."""
    before = {label: ticks(pid) for label, pid in pids.items()}
    used = {}
    yield used
    for label, pid in pids.items():
        used[label] = tuple((now - then) / TICKS_PER_SECOND for now, then in zip(ticks(pid), before[label]))
