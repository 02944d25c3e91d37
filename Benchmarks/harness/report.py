"""The results as a page in Markdown."""

import os
import re

PROSE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prose")


def render(results):
    parts = [
        "# Performance",
        "<!-- Written by script/bench from one run; changes by hand are lost. -->",
        *([incomplete(results)] if not results["complete"] else []),
        prose("opening"),
        summary(results["rows"]),
        "## Machine and versions", machine(results),
        "## Method", prose("method"), sizes(results["sizes"]),
    ]
    sections = {}
    for row in results["rows"]:
        sections.setdefault(row["section"], []).append(row)
    for title, rows in sections.items():
        parts += [f"## {title}", *section(rows)]
    parts += ["## What was missed, and why", prose("missed")]
    parts += ["## Threads, and what limits 16 cores", "<!-- static: threads -->", prose("threads"), "<!-- /static -->"]
    return "\n\n".join(part for part in parts if part) + "\n"


def incomplete(results):
    return "**These figures are of a partial or small run (`--only`, `--quick`): they show that it works, no more.**"


def prose(name):
    with open(os.path.join(PROSE, f"{name}.md")) as file:
        return file.read().strip()


def summary(rows):
    lines = []
    for row in rows:
        if row["failed"]:
            lines.append([row["name"], row["about"], "", "", f"failed: {row['failed']}"])
        for bar in row["bars"]:
            lines.append([row["name"], bar["what"], bar["bar"], bar["measured"], "met" if bar["met"] else "**missed**"])
    bars = [bar for row in rows for bar in row["bars"]]
    failed = sum(1 for row in rows if row["failed"])
    said = f"{sum(bar['met'] for bar in bars)} of {len(bars)} bars are met"
    said += f"; {failed} row{'s' if failed > 1 else ''} failed." if failed else "."
    return f"{said}\n\n" + table(["row", "load", "bar", "measured", ""], lines)


def section(rows):
    tables = {}
    for row in rows:
        for one in row["tables"]:
            tables.setdefault(one["title"], (one["header"], []))[1].extend(one["rows"])
    parts = [f"Row `{row['name']}` failed: {row['failed']}" for row in rows if row["failed"]]
    for title, (header, lines) in tables.items():
        parts += [f"**{title}**", table(header, lines)] if title != rows[0]["section"] else [table(header, lines)]
    notes = [note for row in rows for note in row["notes"]]
    return parts + ["\n".join(f"- {note}" for note in notes)]


def machine(results):
    found = results["machine"]
    versions, settings = found["versions"], found["postgres"]
    syncs = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in found["syncs_per_second"].items()) or "unknown"
    dirty = " with changes that were not committed" if found["dirty"] else ""
    lines = [
        ["commit", f"`{found['commit']}`{dirty}"],
        ["date", f"{found['date']}; the run took {results['seconds'] / 60:.0f} minutes"],
        ["CPU", f"{found['cores']} cores, {found['cpu']}"],
        ["memory", f"{found['memory_gib']} GiB"],
        ["disk", f"{found['disk']}; 8 KB writes with {syncs} (pg_test_fsync)"],
        ["used by others", disturbance(results["rows"])],
        ["system", f"{found['system']}, Linux {found['kernel']}"],
        *([name, versions[name]] for name in ("beanrow", "beanstalkd", "postgres", "swift", "python")),
        ["PostgreSQL's settings", ", ".join(f"{name} {value}" for name, value in settings.items()
                                            if name != "server_version")],
    ]
    return table(["", ""], lines)


def disturbance(rows):
    """How much of the machine others used. Above a tenth of a core, a row is not reliable."""
    worst = max(rows, key=lambda row: row["foreign_cores"])
    return f"at most {worst['foreign_cores']:.2f} cores, on average over a row (`{worst['name']}`)"


def sizes(found):
    rounds = f"{found['rounds']} round{'s' if found['rounds'] > 1 else ''}"
    return (f"This run: {rounds} of about {found['seconds']:g} s each, a backlog of "
            f"{found['backlog']:,} jobs, {found['snapshot']:,} jobs under the held snapshot, {found['idle']:,} idle "
            "connections.")


def table(header, rows):
    lines = [header, ["---:" if holds_figures(column) else "---" for column in zip(*rows)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def holds_figures(cells):
    return all(cell == "" or re.fullmatch(r"-?[\d,.]+( (times|us|ms|s|KiB|MiB|cores))?", cell) for cell in cells)
