"""Mail made to hurt: it costs its sender's mail some seconds, and nobody else's. The figures are printed (pytest -s)."""

import asyncio
import contextlib
import gc
import time
from base64 import b64encode
from email import policy

import pytest

from maild.config import load
from maild.daemon import running

DESK = "csm@desk.example"
CAROL = "Carol Jones <carol@acme.example>"
GRACE = 20.0
"""Seconds that an ordinary mail may wait behind all of them: the machine may be busy with other tests."""
LONGEST_PAUSE = 0.05
"""Seconds of our own work for which the loop may do nothing for anybody else."""
TRIES = 3


def crafted(name, head, body):
    """Give the octets of a mail; `head` are further header lines, and the Subject where it is not the mail's name."""
    subject = b"" if b"Subject:" in head else b"Subject: " + name.encode() + b"\r\n"
    who = name.replace(" ", ".").encode()
    return (
        b"Authentication-Results: mx.desk.example; dmarc=pass header.from=odd.example\r\n"
        b"Received: from there by mx.desk.example; Wed, 11 Mar 2026 09:00:00 +0000\r\n"
        b"From: <" + who + b"@odd.example>\r\nTo: <csm@desk.example>\r\n"
        b"Message-ID: <" + who + b"@odd.example>\r\nMIME-Version: 1.0\r\n" + subject + head + b"\r\n" + body + b"\r\n"
    )


def nested(depth):
    """Give the header and the body of a multipart in a multipart, and so on."""
    parts = [b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(depth)]
    return b"Content-Type: multipart/mixed; boundary=b0\r\n", b"".join(parts) + b"--b%d\r\n\r\nhello\r\n" % depth


def folded(name, word, count, a_line):
    """Give a header field of so many words, folded."""
    lines = [word * min(a_line, count - at) for at in range(0, count, a_line)]
    return name + b": " + b"\r\n ".join(lines) + b"\r\n"


HOSTILE = {
    "semicolons": crafted("semicolons", folded(b"Content-Type", b";", 100_000, 900), b"hello"),
    "encoded words": crafted("encoded words", folded(b"Subject", b"=?utf-8?q?=C3=A9?= ", 20_000, 40), b"hello"),
    "nested parts": crafted("nested parts", *nested(1000)),
    "empty lines": crafted("empty lines", b"", b"\r\n" * 5_000_000),
    "signatures": crafted("signatures", b"", b"-- \r\n" * 200_000),
    "attachments": crafted(
        "attachments",
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n",
        b"\r\n".join([b64encode(bytes(range(256))[:57] * 1)[:76]] * 300_000),
    ),
    "long text": crafted(
        "long text",
        b"Content-Type: text/plain; charset=utf-8\r\n",
        ("Grüße, es geht nicht. " * 40 + "\r\n").encode() * 20_000,
    ),
    "long html": crafted(
        "long html",
        b"Content-Type: text/html; charset=utf-8\r\n",
        ("<p>Grüße, <b>es</b> geht nicht.</p>" * 40 + "\r\n").encode() * 12_000,
    ),
    "severity bomb": crafted("severity bomb", b"", b"it works again " * 600 + b"system down " * 1900),
}


@pytest.fixture
def say(capsys):
    def said(words):
        with capsys.disabled():
            print(f"\n  {words}", end="")  # noqa: T201 - the figures are for people

    return said


def test_it_delays_nobody(make_desk, sink, write, say):
    desk = make_desk('[ack]\nto = "everyone"').start()
    # The workers start with the first mail: that is not what is timed here. This one opens no ticket.
    desk.send(write(CAROL, DESK, "away", "I am away.", headers=[("Auto-Submitted", "auto-replied")]), "")
    desk.settled()
    for name, octets in HOSTILE.items():
        began = time.monotonic()
        desk.send(octets, f"{name.replace(' ', '.')}@odd.example")
        say(f"{name}: {len(octets):,} octets, 250 after {time.monotonic() - began:.2f} s")
    began = time.monotonic()
    desk.send(write(CAROL, DESK, "ordinary", "Which columns are in the export?"), "carol@acme.example")
    accepted = time.monotonic() - began
    sink.wait("carol@acme.example", lambda kept: "ordinary" in kept.subject)
    acknowledged = time.monotonic() - began
    desk.settled()
    say(f"an ordinary mail behind them: 250 after {accepted:.3f} s, acknowledged after {acknowledged:.2f} s\n")
    assert accepted < 1
    assert acknowledged < GRACE
    tickets = [desk.show(ticket["id"]) for ticket in desk.tickets()]
    openers = {ticket["messages"][0]["message_id"].partition("@")[0] for ticket in tickets}
    assert len(tickets) == len(HOSTILE) + 1
    assert openers >= {name.replace(" ", ".") for name in HOSTILE}


async def submit(port, octets):
    """Send as a mail server does, in the daemon's own loop and in small pieces: smtplib would hold the interpreter."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    for line in (b"HELO there", b"MAIL FROM:<x@odd.example>", b"RCPT TO:<csm@desk.example>", b"DATA"):
        writer.write(line + b"\r\n")
        assert (await reader.readline())[:1] in b"23"
    for at in range(0, len(octets), 65536):
        writer.write(octets[at : at + 65536])
        await writer.drain()
    writer.write(b".\r\n")
    assert (await reader.readline()).startswith(b"250")
    writer.close()
    await writer.wait_closed()


class Ticker:
    """Measures the longest time for which the loop did nothing for others, in seconds.

    A pause is no longer than what this process, threads included, worked meanwhile: for the rest it was another
    process that had the processor.
    """

    def __init__(self):
        self.longest = 0.0

    async def tick(self):
        clocks = (time.monotonic, time.process_time)
        before = [clock() for clock in clocks]
        while True:
            await asyncio.sleep(0.005)
            now = [clock() for clock in clocks]
            passed, worked = (after - earlier for after, earlier in zip(now, before, strict=True))
            self.longest = max(self.longest, min(passed - 0.005, worked))
            before = now


@contextlib.asynccontextmanager
async def ticking():
    ticker = Ticker()
    task = asyncio.create_task(ticker.tick())
    gc.freeze()  # as `serve` does; here it spares a search of what the other tests left behind
    try:
        yield ticker
    finally:
        gc.unfreeze()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_ticker_sees_a_pause():
    async with ticking() as ticker:
        await asyncio.sleep(0.05)
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        await asyncio.sleep(0.05)
    assert ticker.longest > LONGEST_PAUSE


async def longest_pause(desk, first, octets):
    """Give the longest pause of a daemon's loop while it deals with one mail, from the first octet to the last letter."""
    (desk.folder / "data").mkdir()
    async with running(load(desk.config)) as daemon, asyncio.timeout(60):
        port = daemon.addresses[0][1]
        await submit(port, first)
        await daemon.intake.caught_up()
        async with ticking() as ticker:
            await submit(port, octets)
            await daemon.intake.caught_up()
            while any(line.state == "waiting" for line in await daemon.ledger.outbox()):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert len(await daemon.ledger.tickets()) == 2
    return ticker.longest


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_loop_goes_on_meanwhile(name, make_desk, write, say):
    first = write(CAROL, DESK, "first", "The workers start with it.").as_bytes(policy=policy.SMTP)
    pauses = []
    # A pause that the mail makes comes each time; one that a busy machine makes does not.
    while not pauses or (min(pauses) >= LONGEST_PAUSE and len(pauses) < TRIES):
        pauses.append(await longest_pause(make_desk(), first, HOSTILE[name]))
    say(f"{name}: the loop's longest pause was {', '.join(f'{pause * 1000:.0f}' for pause in pauses)} ms")
    assert min(pauses) < LONGEST_PAUSE
