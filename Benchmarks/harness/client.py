"""A small client, for measurements that are not a load."""

import socket


class Client:
    def __init__(self, host, port, timeout):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.input.close()
        self.socket.close()

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        return self.input.readline().decode().split()

    def reserve(self, tube):
        """The id of the first job. The end of the connection gives the job back."""
        self.ask(f"watch {tube}")
        answer = self.ask("reserve")
        if answer[0] != "RESERVED":
            raise ConnectionError(f"reserve was answered {' '.join(answer)}")
        self.input.read(int(answer[2]) + 2)
        return int(answer[1])

    def stats(self):
        return self.numbers("stats")

    def stats_tube(self, tube):
        return self.numbers(f"stats-tube {tube}")

    def numbers(self, command):
        """The integers of a reply in YAML, by name."""
        answer = self.ask(command)
        if answer[:1] != ["OK"]:
            raise ConnectionError(f"{command} was answered {' '.join(answer) or 'nothing'}")
        lines = self.input.read(int(answer[1]) + 2).decode().splitlines()
        pairs = (line.split(": ", 1) for line in lines if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}
