"""A storm of clocks that run out at one instant: one mail a person that tells of all of them, and single mails where there are few."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest

LADDER = """
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["assignee", "lead"]
[ack]
per_address_hour = 0
"""
FEW = 5
MOST_AT_ONCE = FEW + 1
LONG, APART = 40, timedelta(seconds=5)
TOLD = ("ann@staff.example", "bob@staff.example")


async def rest(on, down):
    """Let the limits pass, with a daemon that is down for half an hour, or without."""
    if down:
        await on.sleeps("Thu 22 14:30")
        await on.start()
    await on.when("Thu 22 15:00")


@pytest.mark.parametrize(
    ("count", "down", "at"),
    [(500, False, "Thu 22 14:00+"), (150, True, "Thu 22 14:30")],
    ids=["at work", "at the start"],
)
async def test_a_storm_is_one_digest_a_person_and_no_other_mail(week, count, down, at):
    async with week("Thu 22 10:00", LADDER) as on:
        await on.storm(count)
        await rest(on, down)
        assert [row for row in await on.mails() if row[2] != "notification"] == [
            (
                who,
                at,
                "digest",
                f"[BREACH] {count} tickets of CSM: {count} breaches (most pressing: #1001 NORMAL Acme: Matter 0)",
            )
            for who in TOLD
        ]


@pytest.mark.parametrize("down", [False, True], ids=["at work", "at the start"])
async def test_a_few_are_mails_of_their_own(week, down):
    async with week("Thu 22 10:00", LADDER) as on:
        await on.storm(FEW)
        await rest(on, down)
        late = "30m late" if down else "0s late"
        at = "Thu 22 14:30" if down else "Thu 22 14:00+"
        assert sorted(row for row in await on.mails() if row[2] != "notification") == [
            (
                who,
                at,
                "escalation",
                f"[BREACH first response] CSM #{1001 + matter} NORMAL Acme: Matter {matter} (limit 4h, {late})",
            )
            for who in TOLD
            for matter in range(FEW)
        ]


async def test_a_storm_that_goes_on_tells_of_each_clock_once_and_in_one_digest_a_minute(week):
    async with week("Thu 22 10:00", LADDER) as on:
        start = on.at
        for number in range(LONG):
            on.at = start + number * APART
            await on.storm(1)
        await on.when("Thu 22 15:00")
        owed = await on.owed()
        for who in TOLD:
            told, digests = {}, []
            for kept in on.sink.to(who, lambda kept: "BREACH" in kept.subject):
                at, kind = owed[kept.mail["Message-ID"].strip("<>")]
                digests += [at] if kind == "digest" else []
                words = kept.text if kind == "digest" else kept.subject
                for number in re.findall(r"\[BREACH first response\] CSM #(\d+)", words):
                    told.setdefault(int(number), []).append(at)
            assert sorted(told) == list(range(1001, 1001 + LONG))
            assert {len(times) for times in told.values()} == {1}, told
            assert all(later - before >= timedelta(minutes=1) for before, later in pairwise(digests)), digests
            for number, (at,) in told.items():
                due = start + timedelta(hours=4) + (number - 1001) * APART
                assert timedelta(0) < at - due <= timedelta(minutes=1), (number, due, at)
            # Five one by one, and all that comes after them by the minute.
            assert sum(at not in digests for (at,) in told.values()) == FEW
            assert len(digests) == 4


async def test_whose_few_are_scattered_over_a_large_storm_gets_a_digest_all_the_same(week):
    async with week("Thu 22 10:00", LADDER.replace('"assignee", "lead"', '"assignee"')) as on:
        for _ in range(MOST_AT_ONCE):
            await on.storm(30, who="dave")
            await on.storm(1)
        await on.when("Thu 22 15:00")
        rows = [row for row in await on.mails() if row[2] != "notification"]
        assert [(who, at, kind) for who, at, kind, _ in rows] == [
            (who, "Thu 22 14:00+", "digest") for who in ("eve@staff.example", "bob@staff.example")
        ]
