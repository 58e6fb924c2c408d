"""Stories as text, scripts/*.txt, told to the daemon with time passed in.

A script is a story of lines:

    # a comment
    from 2026-03-09                             midnight of that day at the desk, where the clock starts
    | [sla.normal]                              a line of the desk's configuration
    Fri 16:55 carol: Subject | Text             time goes on to that instant, then Carol's mail comes
    +2h                                         time goes on, and nothing else happens
    +5m ann answers #1001: Text                 she replies to the newest mail she got of that ticket
    +0m ann resolves #1001                      and reopens, pends, opens, closes: as `maild ticket` does
    +0m ann grades #1001 low
    +0m restart                                 the daemon ends and starts again on its ledger
    +0m down 3h                                 it ends, time goes on, and it starts again
      -> notification ann bob "words"           what left since the step before, all of it, in any order
      -> nothing
      #1001 open                                a ticket's state or severity
      #1001 first_response breached Fri 20:55   a clock's state, and when it was met or missed, or else is due

Weekdays and hours are the desk's. A clock is looked at whenever it wants to be, and time stands still meanwhile.
"""

import asyncio
import contextlib
import re
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from maild.cli.demo_stage import Sink, body, send
from maild.cli.ticket import decide
from maild.config import load
from maild.config.duration import seconds
from maild.daemon import running
from maild.desk import Grade, Step
from maild.ticket import Severity

HERE = Path(__file__).parent
CONFIG = (HERE / "desk.toml.in").read_text("utf-8")
BOSS = '[[agent]]\nid = "mia"\nname = "Mia Manager"\naddress = "mia@staff.example"\nrole = "manager"\n'
SCRIPTS = sorted((HERE / "scripts").glob("*.txt"))
BERLIN = ZoneInfo("Europe/Berlin")
PATIENCE = 45.0
DESK = "csm@desk.example"
STAFF = {"ann": "Ann Agent", "bob": "Bob Lead", "mia": "Mia Manager"}
STEPS = {
    "resolves": Step.RESOLVE,
    "reopens": Step.REOPEN,
    "pends": Step.PENDING,
    "opens": Step.OPEN,
    "closes": Step.CLOSE,
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

TIME = re.compile(r"(?:(?P<day>\w{3}) (?P<hour>\d\d):(?P<minute>\d\d)|\+(?P<later>\w+))(?:\s+(?P<deed>.*))?")
MAIL = re.compile(r"(\w+): (.*?) \| (.*)")
ANSWER = re.compile(r"(\w+) answers #(\d+): (.*)")
COMMAND = re.compile(r"(\w+) (resolves|reopens|pends|opens|closes) #(\d+)")
GRADE = re.compile(r"(\w+) grades #(\d+) (\w+)")
DOWN = re.compile(r"down (\w+)")
LEFT = re.compile(r'-> (\w+)((?: \w+)*)((?: "[^"]*")*)')
TICKET = re.compile(r"#(\d+) (\w+)")
CLOCK = re.compile(r"#(\d+) (\w+) (\w+)(?: (\w{3} \d\d:\d\d))?")


class Frozen:
    """A clock that stands where it was put."""

    def __init__(self, start):
        self.at = start

    def now(self):
        return self.at

    def instant(self, day, hour, minute):
        """Give the first instant, now or later, at which the desk's clock shows that."""
        today = self.at.astimezone(BERLIN).date()
        ahead = (DAYS.index(day) - today.weekday()) % 7
        for days in (ahead, ahead + 7):
            local = datetime.combine(today + timedelta(days), time(int(hour), int(minute)), BERLIN)
            if local.astimezone(UTC) >= self.at:
                return local.astimezone(UTC)
        raise AssertionError("a week has seven days")

    def shows(self, instant):
        local = instant.astimezone(BERLIN)
        return f"{DAYS[local.weekday()]} {local:%H:%M}"


def address(who):
    return f"{who}@staff.example" if who in STAFF else f"{who}@acme.example"


class Stage:
    """A desk on a frozen clock: its daemon, which can be stopped and started, and all mail that left it."""

    def __init__(self, folder, start, toml):
        self.folder, self.toml = folder, toml
        self.clock = Frozen(start)
        self.sink = Sink(folder)
        self.seen = 0
        self.sent = 0
        self.daemon = None

    async def open(self):
        path = self.folder / "maild.toml"
        (self.folder / "data").mkdir()
        port = await self.sink.start()
        path.write_text(CONFIG.format(port=port, team='"ann", "bob"', csm=BOSS, more=self.toml), "utf-8")
        self.config = load(path)
        await self.start()

    async def start(self):
        self.house = contextlib.AsyncExitStack()
        self.daemon = await self.house.enter_async_context(running(self.config, self.clock.now))
        await self.settled()

    async def stop(self):
        await self.house.aclose()

    async def settled(self):
        """Wait until the daemon has done all there is to do at this instant."""
        daemon, now = self.daemon, self.clock.now()
        async with asyncio.timeout(PATIENCE):
            await daemon.intake.caught_up()
            daemon.watch.wake.set()
            while (at := await daemon.ledger.next_watch_at()) is not None and at <= now:  # noqa: ASYNC110 - the ledger tells nobody
                await asyncio.sleep(0.01)
            daemon.outbox.wake.set()
            while any(line.state == "waiting" for line in await daemon.ledger.outbox()):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)

    async def until(self, instant):
        """Let time go on, from one instant at which a clock wants something to the next."""
        assert instant >= self.clock.at, "time does not go back"
        while (at := await self.daemon.ledger.next_watch_at()) is not None and at <= instant:
            self.clock.at = at
            await self.settled()
        self.clock.at = instant
        await self.settled()

    async def mail(self, who, to, subject, text, before=None):
        self.sent += 1
        mail = EmailMessage()
        mail["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={address(who).partition('@')[2]}"
        mail["From"] = f"{STAFF.get(who, who.title())} <{address(who)}>"
        mail["To"], mail["Subject"], mail["Date"] = to, subject, self.clock.now()
        mail["Message-ID"] = f"<{self.sent}.{who}@client.example>"
        if before is not None:
            mail["In-Reply-To"] = str(before["Message-ID"])
            mail["References"] = " ".join(f"{before['References'] or ''} {before['Message-ID']}".split())
        mail.set_content(text)
        await send(self.daemon.addresses[0][1], address(who), to, mail)

    async def answer(self, who, number, words):
        tag = f"#{number}"
        got = [mail for rcpt, mail in self.sink.mails if rcpt == address(who) and tag in str(mail["Subject"])]
        assert got, f"{who} got no mail of {tag}"
        quoted = "\n".join(f"> {line}" for line in body(got[-1]).splitlines())
        text = f"{words}\n\nOn Wed, 11 Mar 2026 at 10:06, Example Support <{DESK}> wrote:\n{quoted}\n"
        await self.mail(who, str(got[-1]["Reply-To"]), f"Re: {got[-1]['Subject']}", text, got[-1])

    async def does(self, deed):
        if deed == "restart":
            deed = "down 0s"
        if found := DOWN.fullmatch(deed):
            await self.stop()
            self.clock.at += timedelta(seconds=seconds(found[1]))
            await self.start()
        elif found := ANSWER.fullmatch(deed):
            await self.answer(*found.groups())
        elif found := COMMAND.fullmatch(deed):
            await self.decides(found[1], found[3], STEPS[found[2]])
        elif found := GRADE.fullmatch(deed):
            await self.decides(found[1], found[2], Grade(Severity(found[3])))
        elif found := MAIL.fullmatch(deed):
            await self.mail(found[1], DESK, found[2], found[3])
        else:
            raise AssertionError(f"no such deed: {deed}")
        await self.settled()

    async def decides(self, who, number, command):
        await decide(self.daemon.ledger, self.config, int(number), command, who, self.clock.now)

    async def left(self):
        """Give what left since the last call: (kind, who, subject and text)."""
        kinds = {line.message_id: line.kind for line in await self.daemon.ledger.outbox()}
        new = self.sink.mails[self.seen :]
        self.seen += len(new)
        return [
            (kinds.get(str(mail["Message-ID"]).strip("<>"), "stray"), rcpt.partition("@")[0], told(mail))
            for rcpt, mail in new
        ]

    async def shown(self, expected):
        """Give what holds of what a line names, in its own words."""
        if found := CLOCK.fullmatch(expected):
            number, metric, _, at = found.groups()
            clock = next(one for one in await self.daemon.ledger.clocks(int(number)) if one.metric == metric)
            instant = clock.breached_at or clock.stopped_at or clock.limit_at
            when = f" {self.clock.shows(instant)}" if at and instant else ""
            return f"#{number} {metric} {clock.state}{when}"
        found = TICKET.fullmatch(expected)
        ticket = await self.daemon.ledger.ticket(int(found[1]))
        return f"#{found[1]} {ticket.severity if found[2] in set(Severity) else ticket.state}"


def told(mail):
    return f"{mail['Subject']}\n{body(mail)}"


def differs(expected, left):
    """Say how what left differs from the expectations: [(kind, who, words)] and what `Stage.left` gives; "" where it does not."""
    left, missing = list(left), []
    for kind, who, words in sorted(expected, key=lambda one: -len(one[2])):
        found = next((one for one in left if one[:2] == (kind, who) and all(word in one[2] for word in words)), None)
        if found is None:
            missing.append(f"{kind} {who} {words or ''}")
        else:
            left.remove(found)
    too_many = [f"{kind} {who}: {text.splitlines()[0]}" for kind, who, text in left]
    return "\n".join(
        [*(f"did not leave: {one}" for one in missing), *(f"left, and was not expected: {one}" for one in too_many)]
    )


def mails(lines):
    """Read the arrows of a step."""
    expected = []
    for line in lines:
        found = LEFT.fullmatch(line)
        assert found, f"no such expectation: {line}"
        words = tuple(re.findall(r'"([^"]*)"', found[3]))
        expected += [(found[1], who, words) for who in found[2].split()]
        assert found[2] or found[1] == "nothing", f"to whom? {line}"
    return expected


def read(path):
    """Read a script: the start, the TOML, and the steps as [(line number, words, its expectations)]."""
    start, toml, steps = None, [], []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.strip()
        if words.startswith("| "):
            toml.append(words[2:])
        elif words.startswith("from "):
            start = datetime.combine(date.fromisoformat(words[5:]), time(), BERLIN).astimezone(UTC)
        elif words and line[0] == " ":
            steps[-1][2].append((number, words))
        elif words and not words.startswith("# "):
            steps.append((number, words, []))
    assert start, f"{path.name} does not say when it begins"
    return start, "\n".join(toml), steps


async def step(stage, words, expectations, where):
    found = TIME.fullmatch(words)
    assert found, f"{where}: no such step"
    later = stage.clock.at + timedelta(seconds=seconds(found["later"])) if found["later"] else None
    await stage.until(later or stage.clock.instant(found["day"], found["hour"], found["minute"]))
    if found["deed"]:
        await stage.does(found["deed"])
    arrows = [line for _, line in expectations if line.startswith("->")]
    difference = differs(mails(arrows), await stage.left())
    assert not difference, f"{where}: {words}\n{difference}"
    for number, line in expectations:
        if not line.startswith("->"):
            shown = await stage.shown(line)
            assert shown == line, f"{where.rpartition(':')[0]}:{number}: {line}, but {shown}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_the_story_comes_about(path, tmp_path):
    start, toml, steps = read(path)
    stage = Stage(tmp_path, start, toml)
    await stage.open()
    try:
        for number, words, expectations in steps:
            await step(stage, words, expectations, f"{path.name}:{number}")
        await stage.stop()
        await stage.start()
        assert await stage.left() == [], "after the story's end"
    finally:
        await stage.stop()
        stage.sink.stop()


ACK = ("ack", "carol", "[CSM #1001] Export\nWe have it.")


@pytest.mark.parametrize(
    ("lines", "left", "says"),
    [
        (["-> nothing"], [], ""),
        (['-> ack carol "have it"'], [ACK], ""),
        (["-> nothing"], [ACK], "left, and was not expected: ack carol: [CSM #1001] Export"),
        (["-> ack carol"], [ACK, ACK], "left, and was not expected: ack carol: [CSM #1001] Export"),
        (["-> ack carol dave"], [ACK], "did not leave: ack dave "),
        (['-> ack carol "lost"'], [ACK], "did not leave: ack carol ('lost',)\nleft, and was not expected: ack carol"),
        (["-> ack carol", '-> ack carol "two"'], [("ack", "carol", "two"), ("ack", "carol", "one")], ""),
    ],
)
def test_a_story_that_went_otherwise_is_told_apart(lines, left, says):
    difference = differs(mails(lines), left)
    assert difference.startswith(says)
    assert bool(difference) == bool(says)
