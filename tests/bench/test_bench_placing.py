"""What placing one mail costs with a thousand tickets in the ledger, and with a million: nearly the same.

`make bench` runs it, and prints the figures; it fills about 2 GB of disk for a while.
"""

import random
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from maild.config import load
from maild.daemon import workshop
from maild.desk import on_mail
from maild.gather import gather
from maild.ingest.parse import parse
from maild.mail import Envelope
from maild.store import Ledger
from maild.store.door import Write
from maild.workshop import record_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
FEW, MANY = 1_000, 1_000_000
PIECE = 50_000
MAILS = 160
MOST = 1.5
FIRST = 10_001

CONFIG = """
[desk]
address = "csm@desk.example"
[[mailbox]]
address = "csm@desk.example"
[[agent]]
id = "ann"
address = "ann@staff.example"
"""

# Two messages a ticket, a second apart from the next one; one subject in fifty is everybody's.
SUBJECT = "CASE WHEN i % 50 = 0 THEN 'question' ELSE 'matter of order ' || i END"
AT = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f000+00:00', ?, '-' || i || ' seconds')",
    "postgres": "CAST(? AS timestamptz) - i * interval '1 second'",
}
FILL = (
    """INSERT INTO ticket (number, mailbox, subject, state, severity, severity_because, requester_name, requester_address,
    participants, opened_at, opened_by, root_id, policy, first_response_evidence, revision)
    SELECT i, 'csm@desk.example', {subject}, 'open', 'normal', '[]', '', 'u' || (i % 9000) || '@c' || (i % 700) || '.example',
    '["u' || (i % 9000) || '@c' || (i % 700) || '.example"]', {at}, 'customer', 'root.' || i || '@desk.example', '', '', 1 {numbers}""",
    """INSERT INTO message (id, ticket, message_id, at, sender_name, sender_address, sender_key, kind, verified,
    placed_because, subject, text, body_digest, base_subject)
    SELECT 2 * i + k, i, 'm' || i || '.' || k || '@c.example', {at}, '', 'u' || (i % 9000) || '@c' || (i % 700) || '.example',
    'u' || (i % 9000) || '@c' || (i % 700) || '.example', 'customer', '', '', {subject},
    'The words of matter ' || i || ', as its writer put them down that day in a line or two.', 'body' || i || k, {subject}
    {numbers} CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) AS twice""",
    """INSERT INTO reference (msgid, ticket, kind)
    SELECT 'm' || i || '.' || k || '@c.example', i, 'seen' {numbers} CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1) AS twice""",
    """INSERT INTO participant (ticket, address) SELECT i, 'u' || (i % 9000) || '@c' || (i % 700) || '.example' {numbers}""",
    """INSERT INTO clock (ticket, metric, cycle, calendar_name, target_seconds, limit_seconds, started_at, target_at, limit_at,
    state, by_reclassification, paused_seconds, spans, next_at)
    SELECT i, 'resolution', 1, 'weekdays', 3600, 7200, {at}, {at}, {at}, 'running', {no}, 0, '[]', {at} {numbers}""",
    """INSERT INTO event (ticket, at, actor, what, because, data)
    SELECT i, {at}, 'maild', 'opened', '', '{{"severity":"normal"}}' {numbers}""",
)
NUMBERS = "FROM (WITH RECURSIVE n (i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM n WHERE i < {1}) SELECT i FROM n) AS n"


async def fill(ledger, url, first, last):
    engine = url.partition(":")[0].replace("postgresql", "postgres")
    for start in range(first, last, PIECE):
        numbers = NUMBERS.format(start, min(start + PIECE, last) - 1)
        unit = []
        for statement in FILL:
            words = {
                "subject": SUBJECT,
                "at": AT[engine],
                "numbers": numbers,
                "no": "0" if engine == "sqlite" else "false",
            }
            sql = statement.format(**words)
            unit.append(Write(sql, (NOW,) * sql.count("?")))
        await ledger._door.write(unit)
    # A server does this by itself within a minute.
    if engine == "sqlite":
        await ledger._door.write([Write("ANALYZE")])
    else:
        con = await asyncpg.connect(url)
        await con.execute("ANALYZE")
        await con.close()


def mails(last, rand):
    """Make mails of each kind: a reply with its references, a new one, one without references, one with the tag."""
    for number in range(MAILS):
        i = rand.randrange(FIRST, last)
        who = f"u{i % 9000}@c{i % 700}.example"
        subject = "question" if i % 50 == 0 else f"matter of order {i}"
        kind, head = (
            (
                "answers",
                f"Subject: Re: {subject}\r\nIn-Reply-To: <m{i}.1@c.example>\r\nReferences: <m{i}.0@c.example> <m{i}.1@c.example>\r\n",
            ),
            ("opens", f"Subject: something new {number}\r\nReferences: <x{last}.{number}@y.example>\r\n"),
            ("quotes", f"Subject: Re: {subject}\r\n"),
            ("tagged", f"Subject: Re: other words [CSM #{i}]\r\n"),
        )[number % 4]
        body = f"I say {number}.\r\n\r\n> The words of matter {i}, as its writer put them down that day in a line or two.\r\n"
        yield (
            kind,
            f"From: {who}\r\nTo: csm@desk.example\r\nMessage-ID: <n{last}.{number}@x.example>\r\n{head}\r\n{body}".encode(),
        )


async def placed(ledger, shop, last):
    """Give the seconds of processor and disk that each mail took, by its kind."""
    took = {}
    for kind, octets in mails(last, random.Random(4)):
        await ledger.accept([(Envelope("", ("csm@desk.example",), "smtp", "127.0.0.1", NOW), octets)])
        (received,) = await ledger.take(1, now=NOW)
        mail = parse(octets)
        (number,) = await ledger.reserve("ticket", 1)
        begun = time.perf_counter()
        case = await gather(ledger, shop, received, mail, 5_000_000 + number)
        decision = on_mail(case, shop.office, NOW)
        await ledger.record([record_of(decision, shop.write(decision), received.id, NOW)])
        took.setdefault(kind, []).append(time.perf_counter() - begun)
        assert (case.placement.ticket is None) == (kind == "opens"), (kind, case.placement)
    return took


def cost(took):
    """Give the lower quartile: what else the machine does at the time is no cost of ours."""
    return statistics.quantiles(took, n=4)[0]


async def test_a_million_tickets_cost_hardly_more_than_a_thousand(url, tmp_path, record_property, capsys):
    (tmp_path / "maild.toml").write_text(f'{CONFIG}[database]\nurl = "{url}"\n', "utf-8")
    engine = url.partition(":")[0].replace("postgresql", "postgres")
    config = load(tmp_path / "maild.toml", {})
    ledger = await Ledger.open(url)
    try:
        shop = await workshop(config, ledger, None, lambda: NOW)
        shop = replace(shop, now=lambda: NOW + timedelta(minutes=1))
        await fill(ledger, url, FIRST, FIRST + FEW)
        await placed(ledger, shop, FIRST + FEW)
        few = await placed(ledger, replace(shop), FIRST + FEW - 1)
        await fill(ledger, url, FIRST + FEW, FIRST + MANY)
        await placed(ledger, shop, FIRST + MANY)
        many = await placed(ledger, shop, FIRST + MANY - 1)
    finally:
        await ledger.close()
    lines = []
    for kind, before in few.items():
        one, other = cost(before) * 1000, cost(many[kind]) * 1000
        lines.append(
            f"{engine} {kind}: {one:.2f} ms with {FEW} tickets, {other:.2f} ms with {MANY}, {other / one:.2f} times"
        )
    whole = [statistics.fmean(map(cost, took.values())) for took in (few, many)]
    lines.append(f"{engine}: {whole[1] / whole[0]:.2f} times")
    with capsys.disabled():
        sys.stdout.write("\n".join(("", *lines, "")))
    assert whole[1] <= MOST * whole[0], lines
