"""The outcome of a row: bars, tables and notes, as in the results."""

from dataclasses import dataclass, field


class Failed(Exception):
    """Raised when a row cannot be measured; the text says why."""


@dataclass
class Bar:
    what: str
    bar: str
    measured: str
    met: bool


@dataclass
class Table:
    """Tables of a section with the same title become one."""

    title: str
    header: list
    rows: list


@dataclass
class Outcome:
    bars: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    # The reports behind the figures.
    reports: dict = field(default_factory=dict)

    def at_least(self, what, limit, value, unit="", digits=2):
        self.bars.append(Bar(what, f"at least {limit}{unit}", f"{value:,.{digits}f}{unit}", value >= limit))

    def at_most(self, what, limit, value, unit="", digits=2):
        self.bars.append(Bar(what, f"at most {limit}{unit}", f"{value:,.{digits}f}{unit}", value <= limit))


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def short(value):
    """1500 as 1,500, and 1000000 as 1M."""
    return f"{value // 1_000_000}M" if value >= 1_000_000 and value % 1_000_000 == 0 else f"{value:,}"
