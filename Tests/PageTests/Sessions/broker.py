"""A broker of its own for a session, and a client of its protocol."""
import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.request

PATIENCE = 60


def eventually(what, condition):
    """Waits until `condition` gives something true, and returns that. An exception counts as not yet."""
    end = time.monotonic() + PATIENCE
    while True:
        error = None
        try:
            result = condition()
            if result:
                return result
        except Exception as problem:  # What is not there yet fails in many ways.
            error = problem
        if time.monotonic() > end:
            raise AssertionError(f"in {PATIENCE} s it was never so that {what}: {error}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """The broker ends with this process, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Broker:
    """`beanrow serve` on the database that the test has given. It keeps its ports over restarts."""

    def __init__(self, binary, place, options=(), http="127.0.0.1", base="/"):
        self.port, self.http_port = free_port(), free_port()
        self.command = [binary, "serve", "-l", "127.0.0.1", "-p", str(self.port), *place,
                        "--http", f"{http}:{self.http_port}", *options]
        if base != "/":
            self.command += ["--http-base-path", base]
        self.url = f"http://127.0.0.1:{self.http_port}{base}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)
        def serves():
            assert self.process.poll() is None, f"the broker has ended: {self.command}"
            with socket.create_connection(("127.0.0.1", self.port), 1):
                pass
            address = f"http://127.0.0.1:{self.http_port}{self.url.split(str(self.http_port), 1)[1].rstrip('/')}/readyz"
            with urllib.request.urlopen(address, timeout=2) as answer:
                return answer.status == 200
        eventually("the broker serves", serves)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as an operator does; if it does not end, fails."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the broker did not end") from None

    def client(self):
        return Client(self.port)


class Client:
    """Speaks beanstalkd's protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.file = self.socket.makefile("rb")

    def ask(self, line, body=None):
        data = line.encode() + b"\r\n" + (body + b"\r\n" if body is not None else b"")
        self.socket.sendall(data)
        return self.file.readline().decode().strip()

    def put(self, tube, body=b"x", priority=1024, delay=0, ttr=120):
        assert self.ask(f"use {tube}").startswith("USING")
        answer = self.ask(f"put {priority} {delay} {ttr} {len(body)}", body)
        assert answer.startswith("INSERTED"), answer
        return int(answer.split()[1])

    def put_many(self, tube, count, body=b"x"):
        """Puts jobs without waiting for each."""
        assert self.ask(f"use {tube}").startswith("USING")
        for start in range(0, count, 500):
            size = min(500, count - start)
            self.socket.sendall((f"put 1024 0 120 {len(body)}\r\n".encode() + body + b"\r\n") * size)
            for _ in range(size):
                assert self.file.readline().startswith(b"INSERTED")

    def reserve(self, tube):
        self.ask(f"watch {tube}")
        if tube != "default":
            self.ask("ignore default")
        answer = self.ask("reserve-with-timeout 30")
        assert answer.startswith("RESERVED"), answer
        _, number, size = answer.split()
        self.file.read(int(size) + 2)
        return int(number)

    def bury(self, tube, body=b"x"):
        """Puts a job and buries it."""
        self.put(tube, body)
        number = self.reserve(tube)
        assert self.ask(f"bury {number} 1024") == "BURIED"
        return number

    def stats(self, tube):
        answer = self.ask(f"stats-tube {tube}")
        if not answer.startswith("OK"):
            return {}
        text = self.file.read(int(answer.split()[1]) + 2).decode()
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

    def count(self, tube, state):
        return int(self.stats(tube).get(f"current-jobs-{state}", 0))

    def exists(self, number):
        answer = self.ask(f"stats-job {number}")
        if answer.startswith("OK"):
            self.file.read(int(answer.split()[1]) + 2)
        return answer.startswith("OK")

    def job(self, number):
        answer = self.ask(f"stats-job {number}")
        assert answer.startswith("OK"), answer
        text = self.file.read(int(answer.split()[1]) + 2).decode()
        return {key: value.strip('"') for key, value in (line.split(": ", 1) for line in text.splitlines() if ": " in line)}
