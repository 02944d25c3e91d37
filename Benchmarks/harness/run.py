"""Runs the rows of docs/performance.md. script/bench prepares what it needs and starts it; see its --help."""

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import machine
import processes
import report
from outcome import Failed
from rows import ROWS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "performance.md")


@dataclasses.dataclass(frozen=True)
class Context:
    """What every row gets."""

    beanrow: str
    folder: str
    quick: bool
    rounds: int
    # The time that a run should take on the slower server.
    seconds: float
    backlog: int
    snapshot: int
    idle: int

    def say(self, text):
        print(f"beanrow: {text}", file=sys.stderr, flush=True)

    @property
    def sizes(self):
        return {name: getattr(self, name) for name in ("rounds", "seconds", "backlog", "snapshot", "idle")}


def arguments():
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measures every row of docs/performance.md and writes that page. With --only or --quick the page "
                    "goes to standard output instead. Servers and their data are made in $TMPDIR, by default "
                    "/var/tmp, which should be on a disk and have 15 GB free.")
    parser.add_argument("--only", metavar="ROW[,ROW]", help="these rows alone")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, in under 2 minutes")
    parser.add_argument("--rounds", type=positive, metavar="N", help="rounds of each comparison (default: 3)")
    parser.add_argument("--backlog", type=positive, metavar="N", help="jobs of the backlog (default: 10,000,000)")
    parser.add_argument("--snapshot", type=positive, metavar="N",
                        help="jobs under the held snapshot (default: 1,000,000)")
    parser.add_argument("--json", metavar="FILE", help="where the results go (default: .build/bench.json)")
    parser.add_argument("--from-json", metavar="FILE", help="measure nothing: write the page of these results")
    found = parser.parse_args()
    names = [row.name for row in ROWS]
    found.only = found.only.split(",") if found.only else names
    for name in found.only:
        if name not in names:
            parser.error(f"there is no row {name}; --list names them")
    return found


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def main():
    asked = arguments()
    if asked.list:
        for row in ROWS:
            print(f"{row.name:14} {row.about}")
        return 0
    if asked.from_json:
        with open(asked.from_json) as file:
            publish(json.load(file))
        return 0
    # Every way to end the script stops the servers.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda caught, _: sys.exit(128 + caught))
    raise_file_limit()
    path = asked.json or os.path.join(ROOT, ".build", "bench.json")
    with working_folder() as folder:
        results = measure(context(asked, folder), asked, path)
    publish(results)
    return 1 if any(row["failed"] for row in results["rows"]) else 0


def context(asked, folder):
    beanrow = os.environ.get("BEANROW_BINARY") or os.path.join(ROOT, ".build", "release", "beanrow")
    quick = asked.quick
    return Context(
        beanrow=os.path.abspath(beanrow), folder=folder, quick=quick,
        rounds=asked.rounds or (1 if quick else 3),
        seconds=0.2 if quick else 4,
        backlog=asked.backlog or (10_000 if quick else 10_000_000),
        snapshot=asked.snapshot or (4000 if quick else 1_000_000),
        idle=200 if quick else 10_000)


def measure(context, asked, path):
    begin = time.monotonic()
    warn_of_memory_disk(context)
    context.say("looking at the machine")
    results = {
        "version": 1, "complete": len(asked.only) == len(ROWS) and not asked.quick, "sizes": context.sizes,
        "machine": machine.collect(context, ROOT), "rows": [], "seconds": 0}
    for row in ROWS:
        if row.name not in asked.only:
            continue
        context.say(f"{row.name}: {row.about}")
        results["rows"].append(outcome_of(row, context))
        results["seconds"] = round(time.monotonic() - begin, 1)
        # After each row, so that its measurement is kept whatever happens later.
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w") as file:
            json.dump(results, file, indent=1)
    context.say(f"{results['seconds'] / 60:.1f} minutes; the results are in {path}")
    return results


def outcome_of(row, context):
    """Runs a row. If it fails, the failure is reported and the others go on."""
    begin, foreign = time.monotonic(), processes.foreign()
    failed, found = None, {"bars": [], "tables": [], "notes": [], "reports": {}}
    try:
        found = dataclasses.asdict(row.run(context))
    except (Failed, OSError, EOFError, subprocess.SubprocessError, KeyError, ValueError, TypeError,
            ZeroDivisionError) as error:
        failed = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        context.say(f"{row.name} failed: {failed}")
    for bar in found["bars"]:
        context.say(f"  {bar['what']}: {bar['measured']} ({bar['bar']}: {'met' if bar['met'] else 'missed'})")
    seconds = time.monotonic() - begin
    return {"name": row.name, "section": row.section, "about": row.about, "failed": failed,
            "seconds": round(seconds, 1), "foreign_cores": round((processes.foreign() - foreign) / seconds, 2), **found}


def publish(results):
    """Writes a page of all rows over the old one; any other page is only printed."""
    page = report.render(results)
    if not results["complete"]:
        print(page, end="")
        return
    with open(PAGE, "w") as file:
        file.write(page)
    print(f"beanrow: wrote {os.path.relpath(PAGE)}", file=sys.stderr)


@contextlib.contextmanager
def working_folder():
    # Not tempfile's default: /tmp may be in memory, where a sync costs nothing.
    folder = tempfile.mkdtemp(prefix="beanrow-bench-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    try:
        # PostgreSQL's account must be able to enter; each cluster's own folder is closed to others.
        os.chmod(folder, 0o711)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def warn_of_memory_disk(context):
    if machine.output("findmnt", "-no", "FSTYPE", "-T", context.folder) in ("tmpfs", "ramfs"):
        context.say(f"{context.folder} is in memory: these figures say nothing about a disk; set TMPDIR")


def raise_file_limit():
    """Servers and load inherit the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Failed as failure:
        print(f"beanrow: {failure}", file=sys.stderr)
        sys.exit(1)
