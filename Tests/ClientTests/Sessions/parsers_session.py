"""Reads every body of statistics as client libraries do, each in its own way, from the server on the given port."""

import re
import socket

import yaml
from expectations import HOST, PORT, expect, run

# What a YAML reader takes for a text, and what some reader takes for something else.
PLAIN = ["default", "mail", "a-b", "v1.2", "7up", "/queue/mail", "a.b;c", "$x", "_", "(a)", "+", "0x", "e3", "0b2",
         "2026-11", "nothing", ".info", "n" * 200]
AWKWARD = ["1.5", "1.", ".5", "null", "Null", "true", "TRUE", "yes", "No", "on", "off", "y", "N", "0", "7", "010", "08",
           "0x10", "0o17", "0b11", "1e3", "1E3", "1.5e+3", ".e+1", "1_000", "+1", "+.5", ".inf", "+.INF", ".NaN", ".", "1.2.3",
           "2026-11-27", "2026-1-2"]
ALL = PLAIN + AWKWARD


def lines_of(body):
    return body.decode("ascii").splitlines()


def split_once(body, mark, trims=False):
    pairs = [line.split(mark, 1) for line in lines_of(body) if mark in line]
    return {key.strip(): value.strip() for key, value in pairs} if trims else dict(pairs)


def split_in_two(body, mark):
    """Lines that have more than one mark are passed over."""
    return {pair[0].strip(): pair[1].strip() for pair in (line.split(mark) for line in lines_of(body)) if len(pair) == 2}


def by_pattern(body, pattern):
    return {found[1]: found[2] for found in (re.search(pattern, line) for line in lines_of(body)) if found}


def unquoted(parsed):
    return {key: re.sub('^"(.*)"$', r"\1", value) for key, value in parsed.items()}


# Those that leave quotes where they are.
LINE_BY_LINE = {
    "go-beanstalk, and so beanstool and aurora": lambda body: split_once(body, ": "),
    "pheanstalk 3 and 4, and so beanstalk_console": lambda body: by_pattern(body, r"(\S+):\s*(.*)"),
    "JavaBeanstalkClient": lambda body: split_in_two(body, ": "),
    "dinstone's beanstalkc for Java": lambda body: split_in_two(body, ":"),
    "Turbocharged.Beanstalk for .NET": lambda body: split_once(body, ":", trims=True),
    "beanstalkc without PyYAML": lambda body: dict(line.split(": ", 1) for line in lines_of(body)[1:]),
    "a pattern without spaces": lambda body: by_pattern(body, r"^\s*([^:\s]+)\s*:\s*([^\s]*)$"),
}

# Those that know of quotes.
KNOWING = {
    "greenstalk and aiostalk": lambda body: unquoted(split_once(body, ": ")),
    "pheanstalk 5 and later": lambda body: unquoted(by_pattern(body, r"(\S+):\s*(.*)")),
    "PyYAML (beanstalkc)": lambda body: yaml.load(body, Loader=yaml.Loader),
    "PyYAML (pystalkd)": lambda body: yaml.load(body, Loader=yaml.FullLoader),
    "libyaml (pystalk)": lambda body: yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)),
    "texts of YAML alone": lambda body: yaml.load(body, Loader=yaml.BaseLoader),
}

LISTS = {
    "go-beanstalk and greenstalk": lambda body: [line[2:] for line in lines_of(body) if line.startswith("- ")],
    "pheanstalk 3": lambda body: [line.lstrip("- ") for line in lines_of(body)[1:]],
    "dinstone's beanstalkc for Java": lambda body: [line.split(" ")[1] for line in lines_of(body) if " " in line],
}


class Server:
    def __init__(self):
        self.file = socket.create_connection((HOST, PORT)).makefile("rwb")

    def ask(self, command):
        self.file.write(command.encode() + b"\r\n")
        self.file.flush()
        reply = self.file.readline().decode().split()
        if reply[0] != "OK":
            return reply
        body = self.file.read(int(reply[1]))
        expect(self.file.read(2), b"\r\n")
        return body


def names_in_statistics():
    server = Server()
    for name in ALL:
        expect(server.ask(f"use {name}"), ["USING", name])
        [_, job] = server.ask("put 0 0 60 1\r\nx")
        bodies = {"name": server.ask(f"stats-tube {name}"), "tube": server.ask(f"stats-job {job}")}
        for key, body in bodies.items():
            for parser, parse in LINE_BY_LINE.items():
                # What YAML would misread is quoted, as beanstalkd 1.13 quotes all.
                expect((parser, parse(body).get(key)), (parser, name if name in PLAIN else f'"{name}"'))
            for parser, parse in KNOWING.items():
                expect((parser, parse(body)[key]), (parser, name))
        expect(server.ask(f"delete {job}"), ["DELETED"])


def every_other_value():
    server = Server()
    [_, job] = server.ask("put 5 0 60 1\r\nx")
    texts = {"name", "tube", "state", "version", "beanrow-version", "id", "hostname", "os", "platform"}
    for command in ["stats", "stats-tube default", f"stats-job {job}"]:
        body = server.ask(command)
        real = yaml.safe_load(body)
        expect(len(real), len(lines_of(body)) - 1)
        for key, value in real.items():
            kind = bool if key == "draining" else float if key.startswith("rusage-") else str if key in texts else int
            if (command, key) == (f"stats-job {job}", "id"):
                kind = int
            expect((key, type(value)), (key, kind))
            shown = {bool: lambda value: str(value).lower(), float: lambda value: f"{value:.6f}"}.get(kind, str)(value)
            for parser, parse in [*LINE_BY_LINE.items(), *KNOWING.items()]:
                read = parse(body).get(key, "")
                if parser in KNOWING and not isinstance(read, str):
                    expect((parser, key, read), (parser, key, value))
                elif key in ("version", "beanrow-version", "os", "hostname", "platform"):
                    # Machines are called what they are called; a value with spaces or colons is beyond some.
                    assert read.strip('"') in (shown, ""), (parser, key, read)
                else:
                    expect((parser, key, read), (parser, key, shown))
        if command == "stats":
            expect((real["version"], list(real)[-1]), ("1.13", "beanrow-version"))
    expect(server.ask(f"delete {job}"), ["DELETED"])


def names_in_lists():
    server = Server()
    for name in ALL:
        server.ask(f"watch {name}")
    for command in ["list-tubes", "list-tubes-watched"]:
        body = server.ask(command)
        for parser, parse in LISTS.items():
            expect((parser, sorted(parse(body))), (parser, sorted(ALL)))
        # As with beanstalkd, those who read lists as YAML get texts of names that are none of another kind.
        expect([name for name in yaml.safe_load(body) if name in PLAIN], [n for n in ALL if n in PLAIN])


run(names_in_statistics, every_other_value, names_in_lists)
