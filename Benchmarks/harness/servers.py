"""The servers of a row. Each starts at the beginning of a `with`, and is removed with its files at its end."""

import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import processes
from client import Client
from outcome import Failed

ADDRESS = "127.0.0.1"
# Seconds in which a server must start.
START = 60


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def postgres_programs():
    """The folder of the newest PostgreSQL's server programs."""
    found = [path for path in glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
             if os.access(f"{path}/initdb", os.X_OK)]
    if found:
        return max(found, key=lambda path: int(re.search(r"(\d+)/bin", path)[1]))
    if initdb := shutil.which("initdb"):
        return os.path.dirname(os.path.realpath(initdb))
    raise Failed("PostgreSQL's server programs (initdb, postgres) were not found")


def unprivileged():
    """Options that run a program as a user that PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise Failed("PostgreSQL refuses root, and there is no account postgres or nobody")


class Postgres:
    """A cluster as `initdb` makes it. The only settings are the socket, in its folder, and what a row needs to run at
    all."""

    def __init__(self, context, *, initdb=(), settings=()):
        self.programs = postgres_programs()
        self.context = context
        self.initdb = initdb
        self.settings = settings

    def __enter__(self):
        self.account = unprivileged()
        # Only its owner can reach it, since the cluster asks for no password.
        self.folder = tempfile.mkdtemp(prefix="postgres-", dir=self.context.folder)
        try:
            if self.account:
                os.chown(self.folder, self.account["user"], self.account["group"])
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        data = f"{self.folder}/data"
        made = subprocess.run(
            [f"{self.programs}/initdb", "-D", data, "-U", "beanrow", "--auth=trust", "--encoding=UTF8",
             "--locale=C.UTF-8", *self.initdb],
            capture_output=True, text=True, cwd=self.folder, env=processes.environment(), **self.account)
        if made.returncode != 0:
            raise Failed(f"initdb: {(made.stderr.strip() or made.stdout.strip()).splitlines()[-1]}")
        with open(f"{self.folder}/log", "w") as log:
            # INT is PostgreSQL's fast shutdown: TERM would wait for its clients.
            self.process = processes.start(
                [f"{self.programs}/postgres", "-D", data, "-c", "listen_addresses=",
                 "-c", f"unix_socket_directories={self.folder}", *(f"-c{setting}" for setting in self.settings)],
                log=log, death_signal="INT", cwd=self.folder, **self.account)
        end = time.monotonic() + START
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"PostgreSQL did not start: {last_line(f'{self.folder}/log')}")
            time.sleep(0.1)
        self.query("create database beanrow", database="postgres")

    def __exit__(self, *_):
        if process := getattr(self, "process", None):
            # The data is thrown away, so it need not be written out.
            processes.stop(process, signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def conninfo(self, database="beanrow"):
        return f"host={self.folder} port=5432 user=beanrow dbname={database}"

    def psql(self, database="beanrow"):
        return [f"{self.programs}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.conninfo(database)]

    def query(self, sql, database="beanrow"):
        done = subprocess.run([*self.psql(database), "-c", sql], capture_output=True, text=True,
                              env=processes.environment())
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def answers(self):
        return subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", self.folder, "-p", "5432"],
                              env=processes.environment()).returncode == 0

    def settle(self):
        """Does the vacuum and the checkpoint that are due after many puts, and would else fall into the next
        measurement."""
        self.query("vacuum (analyze)")
        self.query("checkpoint")


class Server:
    """A process that speaks beanstalkd's protocol on its own port."""

    label = "broker"
    # Workers are connected to the same server.
    worker_addresses = ()

    def __init__(self, context, command):
        self.context = context
        self.command = command
        self.port = free_port()
        self.address = f"{ADDRESS}:{self.port}"
        self.log = f"{context.folder}/{self.label}-{self.port}.log"

    def __enter__(self):
        self.launch()
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        processes.stop(self.process)

    def launch(self):
        with open(self.log, "a") as log:
            self.process = processes.start(
                [*self.command, "-l", ADDRESS, "-p", str(self.port)], log=log, cwd=self.context.folder)

    def wait(self):
        """Waits until the server answers: it may listen before it can serve."""
        with self.connect() as client:
            client.stats()

    def connect(self):
        """A client, as soon as the server accepts it."""
        end = time.monotonic() + START
        while True:
            try:
                return Client(ADDRESS, self.port, timeout=START)
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"{self.label} did not start: {last_line(self.log)}") from None
                time.sleep(0.001)

    def stop(self):
        """Seconds from SIGTERM to its end."""
        return processes.stop(self.process)

    @property
    def pid(self):
        return self.process.pid

    @property
    def addresses(self):
        return [self.address]


class Beanrow(Server):
    label = "beanrow"

    def __init__(self, context, postgres):
        super().__init__(context, [context.beanrow, "serve", "--database", postgres.conninfo()])
        self.postgres = postgres

    @property
    def pids(self):
        return {"broker": self.pid, "postgres": self.postgres.pid}


class Beanstalkd(Server):
    label = "beanstalkd"

    def __init__(self, context, *options):
        super().__init__(context, ["beanstalkd", *options])

    @property
    def pids(self):
        return {"beanstalkd": self.pid}


def last_line(path):
    with open(path, errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "it said nothing"
