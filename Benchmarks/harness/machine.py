"""The machine, the versions and the settings of the measurement."""

import datetime
import os
import platform
import subprocess

import processes
from servers import Postgres, postgres_programs

SETTINGS = ("server_version", "synchronous_commit", "fsync", "full_page_writes", "wal_sync_method", "data_checksums",
            "shared_buffers", "max_wal_size", "checkpoint_timeout", "autovacuum")


def collect(context, root):
    with Postgres(context) as postgres:
        settings = {name: postgres.query(f"show {name}") for name in SETTINGS}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": output("git", "-C", root, "rev-parse", "HEAD"),
        "dirty": output("git", "-C", root, "status", "--porcelain") not in ("", "unknown"),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": release(),
        "kernel": platform.release(),
        "disk": output("findmnt", "-no", "FSTYPE,SOURCE,OPTIONS", "-T", context.folder),
        "syncs_per_second": syncs(context),
        "versions": {
            "beanrow": output(context.beanrow, "-v"),
            "beanstalkd": output("beanstalkd", "-v"),
            "postgres": output(f"{postgres_programs()}/postgres", "--version"),
            "swift": output("swift", "--version").splitlines()[0],
            "python": platform.python_version(),
        },
        "postgres": settings,
    }


def output(*command):
    """The output of a program, or "unknown"."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=processes.environment())
    except OSError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def cpu_model():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def release():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "unknown"


def syncs(context):
    """fdatasync and fsync of 8 KB writes a second, by pg_test_fsync, without its other tests."""
    path = f"{context.folder}/fsync"
    command = [f"{postgres_programs()}/pg_test_fsync", "-s", "1", "-f", path]
    found = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=processes.environment()) as test:
        try:
            for line in test.stdout:
                words = line.split()
                if len(words) >= 3 and words[0] in ("fdatasync", "fsync") and words[2] == "ops/sec":
                    found[words[0]] = float(words[1])
                if "fsync" in found:
                    break
        finally:
            test.kill()
    if os.path.exists(path):
        os.remove(path)
    return found
