"""The weekly report over a real ledger of both engines, with a time that only the test moves."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy

import pytest

from maild.cli.demo_stage import Sink, StageClock
from maild.config import load
from maild.daemon import running, workshop
from maild.desk.weekly import Weekly
from maild.store import Ledger
from maild.weekly import LONGEST_SLEEP, Reports

# A Thursday; the slot before it is Monday the 9th, eight o'clock in Berlin.
START = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
WEEKLY = Weekly(0, time(8), ("lead", "boss@x.example"))
CONFIG = """
[desk]
address = "csm@desk.example"
time_zone = "Europe/Berlin"
[[mailbox]]
address = "csm@desk.example"
[[agent]]
id = "bob"
address = "bob@staff.example"
role = "lead"
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/maild.db"
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


class Desk:
    def __init__(self, ledger, shop, clock):
        self.ledger, self.shop, self.clock = ledger, shop, clock
        self.owed = 0

    def reports(self, weekly=WEEKLY):
        return Reports(self.ledger, self.shop, weekly, self._count)

    def _count(self):
        self.owed += 1

    async def mails(self):
        return sorted((line.key, line.rcpt) for line in await self.ledger.outbox() if line.kind == "report")


@pytest.fixture
async def desk(url, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    ledger = await Ledger.open(url)
    clock = [START]
    yield Desk(ledger, await workshop(load(tmp_path / "maild.toml", {}), ledger, None, lambda: clock[0]), clock)
    await ledger.close()


async def test_each_reader_gets_one_a_week_whatever_restarts(desk):
    for _ in range(3):
        assert 0 < await desk.reports().step() <= LONGEST_SLEEP
    first = await desk.mails()
    assert [rcpt for _, rcpt in first] == ["bob@staff.example", "boss@x.example"]
    assert all(key.startswith("report:2026-03-09T07:00:00+00:00:") for key, _ in first)
    assert desk.owed == 1
    desk.clock[0] = datetime(2026, 3, 16, 6, 59, 58, tzinfo=UTC)
    assert await desk.reports().step() == 2
    assert await desk.mails() == first
    desk.clock[0] += timedelta(seconds=2)
    for _ in range(2):
        await desk.reports().step()
    assert len(await desk.mails()) == 4
    # Down for a month: the newest one alone is made up for.
    desk.clock[0] += timedelta(days=30)
    await desk.reports().step()
    assert len(await desk.mails()) == 6


async def test_daemons_that_look_at_once_owe_it_once(desk):
    await asyncio.gather(*(desk.reports().step() for _ in range(4)))
    assert len(await desk.mails()) == 2


async def test_it_is_text_first_and_its_bars_are_no_pictures(desk):
    await desk.reports().step()
    owed = await desk.ledger.claim(desk.clock[0] + timedelta(hours=1), 9, timedelta(0))
    mail = message_from_bytes(await desk.ledger.octets(owed[0].digest), policy=policy.default)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert owed[0].envelope_from == ""
    assert "2026-03-02 to 2026-03-08 (Europe/Berlin)" in mail.get_body(("plain",)).get_content()
    assert "<img" not in mail.get_body(("html",)).get_content()


async def test_none_is_sent_unless_it_is_asked_for_and_a_reload_asks(desk):
    reports = desk.reports(None)
    assert await reports.step() == LONGEST_SLEEP
    assert await desk.mails() == []
    reports.refit(desk.shop, WEEKLY)
    assert reports.wake.is_set()
    await reports.step()
    assert len(await desk.mails()) == 2


async def test_a_report_that_nobody_reads_is_not_owed(desk):
    assert await desk.reports(Weekly(0, time(8), ("manager",))).step() <= LONGEST_SLEEP
    assert await desk.mails() == []
    assert desk.owed == 0


async def test_the_loop_outlives_a_ledger_that_is_away(desk):
    await desk.ledger.close()
    reports = desk.reports()
    loop = asyncio.create_task(reports.run())
    await asyncio.sleep(0.2)
    assert not loop.done()
    assert not reports.pulse.late
    loop.cancel()


async def test_the_daemon_sends_it_through_the_smarthost(tmp_path):
    sink, clock = Sink(tmp_path), StageClock(START)
    lines = f'data_dir = "."\n[smtp]\nlisten = "127.0.0.1:0"\n[relay]\nport = {await sink.start()}\n'
    (tmp_path / "maild.toml").write_text(CONFIG.replace("[[mailbox]]", f"{lines}[[mailbox]]"))
    quiet = load(tmp_path / "maild.toml", {})
    (tmp_path / "maild.toml").write_text((tmp_path / "maild.toml").read_text() + '[report]\nweekly = "thu 09:30"\n')
    try:
        async with running(quiet, clock.now) as daemon:
            assert "report" in daemon.pulses
            assert await daemon.ledger.last_report() is None
            await daemon.refit(load(tmp_path / "maild.toml", {}))
            mail = await sink.wait("the report", lambda rcpt, _: rcpt == "bob@staff.example")
            assert mail["Subject"].startswith("CSM: what was promised and kept, 2026-03-05 to 2026-03-11")
    finally:
        sink.stop()
