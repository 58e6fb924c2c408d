"""A report for machines: objects, one for each figure, and the same as rows of one table."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from maild.report.figures import BUCKETS, Report
from maild.report.sections import DAYS
from maild.sla.wall import rfc3339

COLUMNS = (
    *("figure", "metric", "severity", "week", "customer", "day", "hour", "ticket", "at", "actor"),
    *("from", "to", "up_to_seconds", "count", "met", "missed"),
    *("waiting", "median_seconds", "p90_seconds", "longest_seconds", "zone"),
)
"""Of the table: every key that an object may have, the first one naming what it is."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def objects(report: Report) -> Iterator[dict[str, Any]]:
    """Give the figures, each an object whose `figure` says which: what is nothing is left out, but for the period."""
    yield {"figure": "period", "from": rfc3339(report.since), "to": rfc3339(report.until), "zone": report.zone}
    for severity, count in report.opened.items():
        yield {"figure": "opened", "severity": severity.value, "count": count}
    for one in report.promised:
        yield {
            "figure": "promise",
            "metric": one.metric.value,
            "severity": one.severity.value,
            "week": one.week.isoformat(),
            "met": one.tally.met,
            "missed": one.tally.missed,
        }
    yield from _answered(report)
    for customer in report.customers:
        yield {
            "figure": "customer",
            "customer": customer.name,
            "count": customer.opened,
            "met": customer.tally.met,
            "missed": customer.tally.missed,
        }
    for day, counts in zip(DAYS, report.hours, strict=True):
        for hour, count in enumerate(counts):
            if count:
                yield {"figure": "hour", "day": day.lower(), "hour": hour, "count": count}
    for change in report.corrections:
        yield {
            "figure": "correction",
            "ticket": change.ticket,
            "at": rfc3339(change.at),
            "actor": change.actor,
            "from": change.before.value,
            "to": change.after.value,
        }


def _answered(report: Report) -> Iterator[dict[str, Any]]:
    for one in report.answers:
        severity = one.severity.value
        yield {
            "figure": "first_response",
            "severity": severity,
            "count": one.count,
            "waiting": one.waiting,
            "median_seconds": one.median,
            "p90_seconds": one.ninety,
            "longest_seconds": one.longest,
        }
        for bound, count in zip((*BUCKETS, None), one.spread, strict=True):
            if count:
                yield {"figure": "first_response_within", "severity": severity, "up_to_seconds": bound, "count": count}


def table(report: Report) -> str:
    """Write the objects as CSV (RFC 4180) with one header line; a text that a spreadsheet would reckon is quoted by '."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in objects(report):
        writer.writerow(_harmless(one))
    return out.getvalue()


def _harmless(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
        for key, value in one.items()
    }
