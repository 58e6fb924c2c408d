import asyncio
import time

import pytest

from maild.ingest.workers import Limits, Parsers

MAIL = b"From: Carol <carol@acme.example>\r\nSubject: help\r\n\r\nhello\r\n"
COSTLY = (
    b"From: Carol <carol@acme.example>\r\nSubject: help\r\nContent-Type: text/html\r\n\r\n"
    + b"<p>&lt; <b>a</b> = b</p>\r\n" * 24_000
)
"""Below every cap, and still half a second of work."""


@pytest.fixture
async def parsers():
    made = []

    def make(**limits):
        made.append(Parsers(1, Limits(**limits)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_a_mail_is_parsed_elsewhere(parsers):
    mail = await parsers().parse(MAIL, "carol@acme.example")
    assert (mail.subject, mail.new_text, mail.sender.address) == ("help", "hello", "carol@acme.example")


@pytest.mark.parametrize("limits", [{"wall_seconds": 0.02}, {"cpu_seconds": -1}, {"memory": 1 << 20}])
async def test_a_mail_that_costs_too_much_comes_back_with_its_original(parsers, limits):
    workers = parsers(**limits)
    mail = await workers.parse(COSTLY, "carol@acme.example")
    assert (mail.subject, mail.sender.address) == ("help", "carol@acme.example")
    (original,) = mail.attachments
    assert (original.content_type, original.content) == ("message/rfc822", COSTLY)
    assert "could not be parsed" in mail.defects[-1]


async def test_the_next_mail_gets_a_new_worker(parsers):
    workers = parsers(wall_seconds=0.05)
    costly = await workers.parse(COSTLY, "")
    assert costly.attachments
    mail = await asyncio.wait_for(workers.parse(MAIL, ""), 20)
    assert mail.new_text == "hello"


async def test_the_loop_is_not_blocked_while_a_mail_is_parsed(parsers):
    workers = parsers()
    await workers.parse(MAIL, "")
    job = asyncio.ensure_future(workers.parse(COSTLY, ""))
    longest, last = 0.0, time.perf_counter()
    while not job.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    assert longest < 0.25, "a busy machine is allowed for; blocking for the whole parse is not"
