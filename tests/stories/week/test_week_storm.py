"""A storm of clocks that run out at one instant: one mail a person that tells of all of them, and single mails where there are few."""

import pytest

LADDER = """
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["assignee", "lead"]
[ack]
to = "authenticated"
per_address_hour = 0
"""
STORM = 500
FEW = 5
TOLD = ("ann@staff.example", "bob@staff.example")


@pytest.mark.xfail(reason="nothing makes digests yet", strict=True)
@pytest.mark.parametrize("down", [False, True], ids=["at work", "at the start"])
async def test_a_storm_is_one_digest_a_person(week, down):
    async with week("Thu 22 10:00", LADDER) as on:
        await on.storm(STORM)
        if down:
            await on.sleeps("Thu 22 14:30")
            await on.start()
        await on.when("Thu 22 15:00")
        rows = [row for row in await on.mails() if row[2] not in {"notification", "ack"}]
        assert [row[0] for row in sorted(rows)] == list(TOLD), rows[:20]
        assert all(str(STORM) in subject for _, _, _, subject in rows)


@pytest.mark.parametrize("down", [False, True], ids=["at work", "at the start"])
async def test_a_few_are_mails_of_their_own(week, down):
    async with week("Thu 22 10:00", LADDER) as on:
        await on.storm(FEW)
        if down:
            await on.sleeps("Thu 22 14:30")
            await on.start()
        await on.when("Thu 22 15:00")
        late = "30m late" if down else "0s late"
        at = "Thu 22 14:30" if down else "Thu 22 14:00+"
        assert sorted(row for row in await on.mails() if row[2] == "escalation") == [
            (
                who,
                at,
                "escalation",
                f"[BREACH first response] CSM #{number} NORMAL Acme: Matter {matter} (limit 4h, {late})",
            )
            for who in TOLD
            for matter, number in enumerate(range(1001, 1001 + FEW))
        ]
