"""The stage of a week: the real daemon on a clock that the test sets, and people who write at instants of their own."""

import asyncio
import contextlib
import smtplib
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog

from maild.cli.ticket import decide
from maild.config import load
from maild.daemon import running
from maild.mail import Envelope
from maild.store import Ledger
from maild.store.door import Read

PATIENCE = 45.0
BERLIN = ZoneInfo("Europe/Berlin")
DESK = "csm@desk.example"
TICK = timedelta(microseconds=1)
HOMES = {"ann": "staff", "bob": "staff", "eve": "staff", "mia": "staff", "carol": "acme", "dave": "globex"}
NAMES = {"ann": "Ann Lead", "bob": "Bob Agent", "eve": "Eve Agent", "mia": "Mia Manager"}

CONFIG = (Path(__file__).parent / "desk.toml.in").read_text("utf-8")

OWED = Read("SELECT message_id, kind, created_at FROM outbox")

DSN = """\
From: MAILER-DAEMON@mx.globex.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn@mx.globex.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver it.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.globex.example

Final-Recipient: rfc822; {rcpt}
Action: failed
Status: 4.4.7
Diagnostic-Code: smtp; 451 4.4.7 could not be delivered for an hour

--b
Content-Type: text/rfc822-headers

Message-ID: {msgid}

--b--
"""


def address(who):
    return f"{who}@{HOMES[who]}.example"


def local(words):
    """Read an instant of Berlin in October 2026: `Thu 22 09:00`, with seconds, and CEST or CET where an hour comes twice.

    A `+` at its end is the instant after: a breach is told when the limit is over.
    """
    day, time, *zone = words.removesuffix("+").split()[1:]
    hour, minute, second = (int(one) for one in (*time.split(":"), 0)[:3])
    at = datetime(2026, 10, int(day), hour, minute, second, tzinfo=BERLIN, fold=int(zone == ["CET"]))
    instant = at.astimezone(UTC) + (TICK if words.endswith("+") else timedelta(0))
    assert shown(instant) == words, f"{words} is {shown(instant)}"
    return instant


def shown(instant):
    """Write an instant as `local` reads it."""
    at = instant.astimezone(BERLIN)
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    words = f"{at:%a %d %H:%M}" + (f":{at:%S}" if at.second else "") + (f" {at:%Z}" if twice else "")
    assert at.microsecond in {0, 1}, instant
    return words + "+" * at.microsecond


class Stage:
    """A desk on a clock that only the test moves: its daemon, and what its people write."""

    def __init__(self, folder, sink, start, toml, eve):
        self.folder, self.sink, self.at = folder, sink, start
        self.words = {"more": toml, "eve": eve}
        self.written = 0
        self.daemon = None

    def now(self):
        return self.at

    async def open(self):
        path = self.folder / "maild.toml"
        (self.folder / "data").mkdir()
        path.write_text(CONFIG.format(port=self.sink.port, **self.words), "utf-8")
        self.config = load(path, {})
        await self.start()

    async def start(self):
        self.house = contextlib.AsyncExitStack()
        self.daemon = await self.house.enter_async_context(running(self.config, self.now))
        await self.settled()

    async def stop(self):
        if self.daemon is not None:
            self.daemon = None
            await self.house.aclose()

    async def due_at(self):
        """Give when the daemon next has something to do that time alone makes it do."""
        ledger = self.daemon.ledger
        return min(
            (at for at in (await ledger.next_watch_at(), await ledger.next_digest_at()) if at is not None), default=None
        )

    async def settled(self):
        """Wait until the daemon has done all there is to do at this instant: decided, judged, owed and sent."""
        daemon, now = self.daemon, self.at
        async with asyncio.timeout(PATIENCE):
            await daemon.intake.caught_up()
            daemon.watch.wake.set()
            while (at := await self.due_at()) is not None and at <= now:  # noqa: ASYNC110 - the ledger tells nobody
                await asyncio.sleep(0.005)
            daemon.outbox.wake.set()
            while (at := await daemon.ledger.next_outbox_at()) is not None:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.005)

    async def until(self, instant):
        """Let time go on, from one instant at which the daemon has something to do to the next."""
        assert instant >= self.at, "time does not go back"
        while (at := await self.due_at()) is not None and at <= instant:
            self.at = at
            await self.settled()
        self.at = instant
        await self.settled()

    async def when(self, words):
        await self.until(local(words))

    async def sleeps(self, words):
        """Let time go on while no daemon runs."""
        await self.stop()
        assert local(words) >= self.at, "time does not go back"
        self.at = local(words)

    def mail(self, who, to, subject, text, before=None):
        """Write a mail as a person's program does, now."""
        self.written += 1
        mail = EmailMessage(policy=policy.SMTP)
        mail["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={address(who).partition('@')[2]}"
        mail["From"] = f"{NAMES.get(who, who.title())} <{address(who)}>"
        mail["To"], mail["Subject"], mail["Date"] = to, subject, self.at
        mail["Message-ID"] = f"<{self.written}.{who}@client.example>"
        if before is not None:
            mail["In-Reply-To"] = str(before["Message-ID"])
            mail["References"] = " ".join(f"{before['References'] or ''} {before['Message-ID']}".split())
        mail.set_content(text)
        return mail

    def reply(self, who, number, words, to="[CSM #{}]"):
        """Write a reply to the newest mail of a ticket that somebody got: its own, escalations aside, or what `to` says."""
        got = self.sink.to(address(who), lambda kept: to.format(number) in kept.subject)
        assert got, f"{who} got no mail of {number}"
        before = got[-1].mail
        quoted = "\n".join(f"> {line}" for line in got[-1].text.splitlines())
        text = f"{words}\n\nOn Thu, 22 Oct 2026 at 10:06, Example Support <{DESK}> wrote:\n{quoted}\n"
        return self.mail(who, str(before["Reply-To"]), f"Re: {got[-1].subject}", text, before)

    async def sends(self, mail, sender=None):
        """Hand a mail to the daemon over SMTP, and let it do what it does with it."""
        await self.gives(mail, sender)
        await self.settled()

    async def gives(self, mail, sender=None):
        """Hand a mail to the daemon over SMTP."""

        def work():
            with smtplib.SMTP("127.0.0.1", self.daemon.addresses[0][1], timeout=PATIENCE) as client:
                path = mail["From"].addresses[0].addr_spec if sender is None else sender
                client.sendmail(path, [mail["To"].addresses[0].addr_spec], mail.as_bytes())

        await asyncio.to_thread(work)

    async def pipes(self, mail):
        """Hand a mail over as `maild deliver` does: into the ledger, whether or not a daemon runs."""
        ledger = await Ledger.open(self.config.database_url, migrate=False)
        try:
            rcpt, sender = mail["To"].addresses[0].addr_spec, mail["From"].addresses[0].addr_spec
            await ledger.accept([(Envelope(sender, (rcpt,), "pipe", "", self.at), mail.as_bytes())])
        finally:
            await ledger.close()

    async def storm(self, count, subject="Matter {}", text="How do I do that?", who="carol"):
        """Take in so many questions of a customer's at one instant, each a ticket of its own."""
        mails = [self.mail(who, DESK, subject.format(number), text) for number in range(count)]
        env = Envelope(address(who), (DESK,), "pipe", "", self.at)
        await self.daemon.ledger.accept([(env, mail.as_bytes()) for mail in mails])
        await self.settled()

    async def asks(self, who, subject, text="How do I do that?"):
        await self.sends(self.mail(who, DESK, subject, text))

    async def answers(self, who, number, words, to="[CSM #{}]"):
        await self.sends(self.reply(who, number, words, to))

    async def bounces(self, who, number):
        """Return the newest answer that a customer got of a ticket, as his mail server does."""
        kept = self.sink.to(address(who), lambda kept: f"#{number}" in kept.subject)[-1]
        dsn = DSN.format(to=kept.sender, rcpt=address(who), msgid=kept.mail["Message-ID"]).replace("\n", "\r\n")

        def work():
            with smtplib.SMTP("127.0.0.1", self.daemon.addresses[0][1], timeout=PATIENCE) as client:
                client.sendmail("", [kept.sender], dsn.encode())

        await asyncio.to_thread(work)
        await self.settled()

    async def does(self, who, number, command):
        """Let an operator say a word beside the daemon."""
        await decide(self.daemon.ledger, self.config, number, command, who, self.now)
        await self.settled()

    async def owed(self):
        """Give when each mail was owed, and its kind, by Message-ID."""
        (rows,) = await self.daemon.ledger._door.read([OWED])
        return {row["message_id"]: (row["created_at"], row["kind"]) for row in rows}

    async def mails(self):
        """Give all mail that the smarthost got: (who, when it was owed, kind, subject), by time and of one instant by subject."""
        owed = await self.owed()
        found = []
        for kept in self.sink.kept:
            at, kind = owed[str(kept.mail["Message-ID"]).strip("<>")]
            found.append((at, kept.subject, kept.rcpt, kind))
        return [(who, shown(at), kind, subject) for at, subject, who, kind in sorted(found)]


@pytest.fixture(autouse=True)
def quiet():
    """Keep the daemon's log to ourselves: a storm writes thousands of lines of it."""
    structlog.configure(
        logger_factory=structlog.ReturnLoggerFactory(), processors=[structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def week(tmp_path, sink):
    """Open a stage at an instant. `toml` ends its configuration, `eve` is more of Eve's section."""

    @contextlib.asynccontextmanager
    async def opened(start, toml="", eve=""):
        stage = Stage(tmp_path, sink, local(start), toml, eve)
        await stage.open()
        try:
            yield stage
        finally:
            await stage.stop()

    return opened


@pytest.fixture
def clocks():
    """Give a ticket's clocks as a table shows them."""

    def told(clock):
        ends = [shown(at) for at in (clock.breached_at, clock.stopped_at) if at is not None]
        return (clock.metric, str(clock.state), " ".join([*ends, *([shown(clock.limit_at)] if not ends else [])]))

    return told
