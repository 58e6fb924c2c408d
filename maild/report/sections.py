"""A report as sections of rows, in words for people: what the terminal, the page and the weekly mail all show.

A share is told in percent only where there are enough of them; the counts always stand beside it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from maild.outbound.letters import Row, Section
from maild.outbound.wording import short, span
from maild.report.figures import BUCKETS, Report, Tally, together
from maild.sla.policy import Metric
from maild.ticket import Severity

ENOUGH_FOR_SHARE = 10
"""Judged promises below which a percentage would pretend to know more than the counts beside it."""

MOST_CUSTOMERS = 20
"""Rows of customers; the others are one more row."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PER_COLUMN = 3
"""Hours that one column of the week's table takes together."""

METRICS = {
    Metric.FIRST_RESPONSE: "First response",
    Metric.NEXT_RESPONSE: "Next response",
    Metric.RESOLUTION: "Resolution",
}


def share(tally: Tally) -> str:
    """Say how much of a tally was met: in percent where there is enough of it, else in counts alone."""
    if not tally.judged:
        return "-"
    if tally.judged < ENOUGH_FOR_SHARE:
        return f"{tally.met} of {tally.judged}"
    percent = 100 * tally.met / tally.judged
    # 999 of 1000 is not all of them, and 1 of 1000 is not none.
    shown = min(max(round(percent), 1 if tally.met else 0), 100 if not tally.missed else 99)
    return f"{shown} %"


def period(report: Report) -> str:
    """Name the period in the desk's zone; its last day is the one before the instant that it ends at."""
    zone = ZoneInfo(report.zone)
    first, last = report.since.astimezone(zone), (report.until - timedelta(microseconds=1)).astimezone(zone)
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d} ({report.zone})"


def sections(report: Report) -> tuple[Section, ...]:
    """Give every section, those without a row too: they say that there is nothing."""
    return (
        by_severity(report),
        by_week(report),
        answered(report),
        spread(report),
        customers(report),
        hours(report),
        corrected(report),
    )


def _tallied(label: str, tally: Tally, *before: str) -> Row:
    cells = (*before, str(tally.met), str(tally.missed), share(tally))
    return Row(label, cells, (("good", tally.met), ("bad", tally.missed)))


def by_severity(report: Report) -> Section:
    """Met and missed by severity and metric."""
    tallies = together(report.promised, lambda one: (one.severity, one.metric))
    rows = [
        _tallied(f"{severity}: {METRICS[metric].lower()}", tallies[severity, metric])
        for severity in Severity
        for metric in Metric
        if (severity, metric) in tallies
    ]
    opened = ", ".join(f"{count} {severity}" for severity, count in report.opened.items() if count)
    total = sum(report.opened.values())
    note = f"{total} new {'ticket' if total == 1 else 'tickets'}" + (f": {opened}." if opened else ".")
    return Section(
        "Met and missed by severity",
        ("promise", "met", "missed", "in time"),
        tuple(rows),
        note,
        "No promise was met or missed in this time.",
    )


def by_week(report: Report) -> Section:
    """Met and missed by week and severity."""
    tallies = together(report.promised, lambda one: (one.week, one.severity))
    rows = [_tallied(f"week of {week.isoformat()}: {severity}", tally) for (week, severity), tally in tallies.items()]
    return Section(
        "Week by week",
        ("week", "met", "missed", "in time"),
        tuple(rows),
        "A promise counts in the week in which it was kept or broken.",
        "No promise was met or missed in this time.",
    )


def bucket_names() -> Iterator[str]:
    """Name the stretches of `BUCKETS`, and the one beyond."""
    for bound in BUCKETS:
        yield f"to {span(bound)}"
    yield f"over {span(BUCKETS[-1])}"


def answered(report: Report) -> Section:
    """Tell the time to the first response, as a distribution for each severity."""
    rows = [
        Row(
            str(one.severity),
            (
                str(one.count),
                *("-" if value is None else span(value) for value in (one.median, one.ninety, one.longest)),
                str(one.waiting),
            ),
        )
        for one in report.answers
        if one.count or one.waiting
    ]
    return Section(
        "Time to first response",
        ("severity", "answered", "half within", "nine of ten within", "longest", "still waiting"),
        tuple(rows),
        "Open time of each promise's calendar; a dash where there are too few to say.",
        "Nobody was answered in this time.",
    )


def spread(report: Report) -> Section:
    """Tell how many first responses took how long."""
    rows = [Row(str(one.severity), tuple(map(str, one.spread)), (), one.spread) for one in report.answers if one.count]
    return Section(
        "First responses by how long they took",
        ("severity", *bucket_names()),
        tuple(rows),
        "Each is counted in the first column that it fits into.",
        "Nobody was answered in this time.",
        "columns",
    )


def customers(report: Report) -> Section:
    """Tell who wrote, and what became of what he was promised: those with most missed first."""
    first, rest = report.customers[:MOST_CUSTOMERS], report.customers[MOST_CUSTOMERS:]
    rows = [_tallied(one.name, one.tally, str(one.opened)) for one in first]
    if rest:
        tally = Tally(sum(one.tally.met for one in rest), sum(one.tally.missed for one in rest))
        rows.append(_tallied(f"and {len(rest)} more", tally, str(sum(one.opened for one in rest))))
    return Section(
        "By customer",
        ("customer", "new tickets", "met", "missed", "in time"),
        tuple(rows),
        "",
        "No customer wrote in this time.",
    )


def hours(report: Report) -> Section:
    """Tell when new tickets come in, by day and stretches of three hours."""
    columns = tuple(f"{hour:02}-{hour + PER_COLUMN:02}" for hour in range(0, 24, PER_COLUMN))
    rows = []
    for day, counts in zip(DAYS, report.hours, strict=True):
        some = [sum(counts[hour : hour + PER_COLUMN]) for hour in range(0, 24, PER_COLUMN)]
        rows.append(Row(day, (*map(str, some), str(sum(some))), (), tuple(some)))
    empty = not any(map(any, report.hours))
    return Section(
        "New tickets by hour of the week",
        ("day", *columns, "all day"),
        () if empty else tuple(rows),
        f"Hours of {report.zone}.",
        "No ticket was opened in this time.",
        "week",
    )


def corrected(report: Report) -> Section:
    """Tell which severities people set otherwise."""
    rows = [
        Row(f"#{one.ticket}", (f"{one.before} to {one.after}", one.actor, short(one.at, report.zone)))
        for one in report.corrections
    ]
    up = sum(one.after.rank < one.before.rank for one in report.corrections)
    note = f"{up} up, {len(rows) - up} down." if rows else ""
    return Section(
        "Severities that people changed",
        ("ticket", "changed", "by", "at"),
        tuple(rows),
        note,
        "Nobody changed a severity in this time.",
    )


def lines_of(sections_: Iterable[Section]) -> Iterator[str]:
    """Write sections as plain text: a heading, a table with its columns in line, a note."""
    for section in sections_:
        yield ""
        yield section.title
        if not section.rows:
            yield f"  {section.nothing}"
            continue
        table = [section.columns, *((row.label, *row.cells) for row in section.rows)]
        widths = [max(len(line[at]) for line in table) for at in range(len(section.columns))]
        for line in table:
            first, *others = (
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            yield f"  {'  '.join((first, *others))}".rstrip()
        if section.note:
            yield f"  {section.note}"
