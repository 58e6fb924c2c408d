"""The loop of the alarm, over a real ledger, with a program as the way to people and a time that only the test moves."""

import json
import sys
from datetime import timedelta

import pytest
import structlog

from maild.alarm import AT_ONCE, LOOK_SECONDS, Alarms, Siren
from maild.desk.alarm import Rule
from maild.mail import Outgoing
from maild.store import Record
from maild.store.faults import LedgerAwayError

RULE = Rule(timedelta(minutes=10), timedelta(hours=1))


@pytest.fixture
def pager(tmp_path):
    """A program that keeps what it is told; it fails while there is a file `broken`."""
    path = tmp_path / "page"
    path.write_text(
        f"#!{sys.executable} -I\nimport os, sys\n"
        f"sys.exit(3) if os.path.exists({str(tmp_path / 'broken')!r}) else None\n"
        f"open({str(tmp_path / 'told')!r}, 'a').write(sys.stdin.read())\n"
    )
    path.chmod(0o755)

    def told():
        file = tmp_path / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return str(path), told


@pytest.fixture
def make_alarms(tmp_path, pager):
    def make(on, ledger=None, command=None):
        siren = Siren(RULE, (pager[0],) if command is None else command, "", "Desk", "csm@desk.example", "mx1")
        return Alarms(ledger or on.ledger, siren, tmp_path / "alarm.json", lambda: on.time[0])

    return make


async def owe(on):
    await on.arrive("carol@acme.example")
    while await on.intake.step():
        pass
    on.move(seconds=1)


def whats(told):
    return [word["what"] for word in told()]


async def test_stuck_again_and_over_also_after_restarts(stage, make_alarms, pager):
    _, told = pager
    async with stage() as on:
        alarms = make_alarms(on)
        assert await alarms.step() == LOOK_SECONDS
        await owe(on)
        on.move(minutes=9)
        await alarms.step()
        assert (whats(told), alarms.note) == ([], "")
        on.move(minutes=2)
        assert await alarms.step() == AT_ONCE
        await alarms.step()
        (word,) = told()
        assert (word["what"], word["desk"], word["host"], word["oldest"]["ticket"]) == (
            "stuck",
            "csm@desk.example",
            "mx1",
            1001,
        )
        assert "checkout" not in json.dumps(word)
        assert alarms.note.startswith("ALARM since 2026-03-11 09:00Z: a mail (")
        alarms = make_alarms(on)
        on.move(minutes=30)
        await alarms.step()
        assert whats(told) == ["stuck"]
        on.move(minutes=31)
        await alarms.step()
        assert whats(told) == ["stuck", "still_stuck"]
        for mail in await on.ledger.claim(on.time[0], 99, timedelta(0)):
            await on.ledger.sent(mail.id, on.time[0], "250 ok")
        alarms = make_alarms(on)
        await alarms.step()
        assert (whats(told)[-1], alarms.note) == ("over", "")
        on.move(hours=9)
        await make_alarms(on).step()
        assert whats(told) == ["stuck", "still_stuck", "over"]


async def test_a_program_that_fails_is_tried_again(stage, make_alarms, pager, tmp_path):
    _, told = pager
    broken = tmp_path / "broken"
    broken.touch()
    async with stage() as on:
        alarms = make_alarms(on)
        await owe(on)
        on.move(minutes=11)
        with structlog.testing.capture_logs() as logs:
            await alarms.step()
            pause = await alarms.step()
        assert 4 <= pause <= 5
        assert [line["event"] for line in logs] == ["alarm.stuck", "alarm.not_told"]
        assert logs[1]["words"] == "ended with 3"
        broken.unlink()
        on.move(seconds=6)
        await alarms.step()
        assert whats(told) == ["stuck"]


async def test_an_escalation_that_waits_is_told_sooner(stage, make_alarms, pager):
    _, told = pager
    async with stage() as on:
        alarms = make_alarms(on)
        mail = Outgoing(
            key="e", kind="escalation", ticket=0, envelope_from="", rcpt="ann@staff.example",
            message_id="e@desk.example", octets=b"To: ann@staff.example\r\n\r\nBREACH\r\n", not_before=on.time[0],
        )  # fmt: skip
        await on.ledger.record([Record(at=on.time[0], outgoing=(mail,))])
        on.move(minutes=4)
        await alarms.step()
        assert whats(told) == []
        on.move(minutes=1)
        await alarms.step()
        (word,) = told()
        assert (word["escalations"], word["oldest"]["kind"], word["oldest"]["ticket"]) == (1, "escalation", None)
        assert "BREACH" not in str(word)


class Gone:
    """A ledger whose server is out of reach."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.away = True

    async def delayed(self, now):
        if self.away:
            raise LedgerAwayError("the database is out of reach: Connection refused")
        return await self.ledger.delayed(now)


async def test_a_ledger_that_is_away_and_comes_back(stage, make_alarms, pager):
    _, told = pager
    async with stage() as on:
        gone = Gone(on.ledger)
        alarms = make_alarms(on, gone)
        await alarms.step()
        assert whats(told) == []
        on.move(minutes=5)
        await alarms.step()
        (word,) = told()
        assert (word["what"], word["waiting"], word["since"]) == ("ledger_away", None, "2026-03-11T09:00:00Z")
        assert "Connection refused" in word["text"]
        await owe(on)
        on.move(minutes=20)
        gone.away = False
        # What waited has a while to leave before anything more is said.
        await alarms.step()
        assert whats(told) == ["ledger_away"]
        for mail in await on.ledger.claim(on.time[0], 99, timedelta(0)):
            await on.ledger.sent(mail.id, on.time[0], "250 ok")
        await alarms.step()
        assert whats(told) == ["ledger_away", "over"]


@pytest.mark.parametrize("text", ["[]", "[" * 100_000, "\x00"])
async def test_what_cannot_be_kept_or_recalled_ends_nothing(stage, make_alarms, pager, tmp_path, text):
    _, told = pager
    (tmp_path / "alarm.json").write_text(text)
    async with stage() as on:
        with structlog.testing.capture_logs() as logs:
            alarms = make_alarms(on)
        assert [line["event"] for line in logs] == ["alarm.forgotten"]
        (tmp_path / "alarm.json").unlink()
        (tmp_path / "alarm.json.new").mkdir()
        await owe(on)
        on.move(minutes=11)
        with structlog.testing.capture_logs() as logs:
            await alarms.step()
        assert "alarm.not_kept" in [line["event"] for line in logs]
        assert whats(told) == ["stuck"]


async def test_without_any_way_the_log_tells(stage, make_alarms, tmp_path):
    async with stage() as on:
        alarms = make_alarms(on, command=())
        await owe(on)
        on.move(minutes=11)
        with structlog.testing.capture_logs() as logs:
            await alarms.step()
            await alarms.step()
        assert [(line["event"], line["log_level"]) for line in logs] == [("alarm.stuck", "error")]
        assert (tmp_path / "alarm.json").stat().st_mode & 0o777 == 0o600
