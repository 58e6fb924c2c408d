"""The nights of that week: who is woken, who sleeps, who takes it over, and what is told in the morning.

Duty changes at nine: Saturday is Ann's, Sunday Bob's, Monday Eve's, who is away then, Tuesday Ann's. From ten in the evening
to seven nobody is told of anything but who is on call.
"""

from maild.desk import Step

DUTY = """
[[rota]]
name = "support"
agents = ["bob", "eve", "ann"]
start = "2026-10-22 09:00"
every = "1d"
[quiet]
urgent = ["22:00-07:00"]
normal = ["22:00-07:00"]
[[escalation]]
clock = "first_response"
at = "target"
notify = ["assignee"]
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["oncall", "lead"]
[[escalation]]
clock = "first_response"
at = "limit+100%"
notify = ["manager"]
[[escalation]]
clock = "resolution"
at = "limit"
notify = ["assignee"]
"""
AWAY = 'deputy = "ann"\naway = ["2026-10-26"]'
STORM = 8
MANY = (
    f"[BREACH] {STORM} tickets of CSM: {STORM} breaches (most pressing: #1005 URGENT Acme: Shop 0 down for everybody)"
)

TOLD = {
    "ann@staff.example": [
        # Hers until nine: she is the lead, too, and gets one mail.
        (
            "Sun 25 01:00+",
            "[BREACH first response] CSM #1001 URGENT Globex: Shop down for everybody (limit 30m, 0s late)",
        ),
        (
            "Sun 25 04:30+",
            "[BREACH first response] CSM #1002 URGENT Acme: Till down for everybody (limit 30m, 0s late)",
        ),
        # For Eve, who is away.
        ("Mon 26 11:00", "[TARGET first response] CSM #1003 NORMAL Globex: Import (limit 4h, 3h left)"),
        ("Mon 26 14:00+", "[BREACH first response] CSM #1003 NORMAL Globex: Import (limit 4h, 0s late)"),
        ("Tue 27 23:30+", MANY),
    ],
    "bob@staff.example": [
        (
            "Sun 25 01:15+",
            "[BREACH first response] CSM #1001 URGENT Globex: Shop down for everybody (limit 30m, 15m late)",
        ),
        (
            "Sun 25 04:45+",
            "[BREACH first response] CSM #1002 URGENT Acme: Till down for everybody (limit 30m, 15m late)",
        ),
        # His own ticket's warning was answered meanwhile, its resolution was not.
        (
            "Sun 25 07:00",
            "[BREACH] 1 ticket of CSM: 1 breach (most pressing: #1002 URGENT Acme: Till down for everybody)",
        ),
        ("Tue 27 11:00", "[TARGET first response] CSM #1004 NORMAL Acme: Sorting (limit 4h, 3h left)"),
        ("Tue 27 23:45+", MANY),
        ("Wed 28 07:00", MANY),
    ],
    "eve@staff.example": [
        (
            "Sun 25 05:00+",
            "[BREACH first response] CSM #1002 URGENT Acme: Till down for everybody (limit 30m, 30m late)",
        ),
        ("Sun 25 07:00", "1 ticket of CSM: all settled meanwhile"),
        ("Wed 28 00:00+", MANY),
    ],
    "mia@staff.example": [
        ("Sun 25 07:00", "1 ticket of CSM: all settled meanwhile"),
        ("Wed 28 07:00", MANY),
    ],
}


async def test_nights_of_a_week_over_the_end_of_summer_time(week, clocks):
    async with week("Sun 25 00:30", DUTY, AWAY) as on:
        await on.asks("dave", "Shop down for everybody", "Nobody can pay, every order fails.")  # 1001
        await on.when("Sun 25 01:20")
        # Before the third is woken, the manager is told, and the hour for the resolution is over.
        await on.answers("bob", 1001, "#ack", to="[BREACH first response] CSM #{}")
        await on.when("Sun 25 02:10 CET")
        await on.answers("bob", 1001, "It works again.")
        await on.does("bob", 1001, Step.RESOLVE)
        await on.when("Sun 25 04:00")
        await on.asks("carol", "Till down for everybody", "Nobody can pay, every order fails.")  # 1002: nobody wakes up
        await on.when("Sun 25 06:00")
        await on.answers("ann", 1002, "We are looking into it.")
        await on.when("Sun 25 08:00")
        await on.does("ann", 1002, Step.RESOLVE)
        await on.when("Mon 26 10:00")
        await on.asks("dave", "Import")  # 1003
        await on.when("Mon 26 14:10")
        await on.answers("bob", 1003, "In the menu.")
        await on.does("bob", 1003, Step.RESOLVE)
        await on.when("Tue 27 10:00")
        await on.asks("carol", "Sorting")  # 1004
        await on.when("Tue 27 11:05")
        # An answer to the warning goes to the customer; from then on it is his, and nobody is told of the resolution.
        await on.answers("bob", 1004, "Click on its head.", to="[TARGET first response] CSM #{}")
        await on.when("Tue 27 23:00")
        await on.storm(STORM, "Shop {} down for everybody", "Nobody can pay, every order fails.")  # 1005 and on
        await on.when("Thu 29 16:00")
        told = {}
        for who, at, kind, subject in await on.mails():
            if kind in {"escalation", "digest"}:
                told.setdefault(who, []).append((at, subject))
        assert told == TOLD
        msgids = [str(kept.mail["Message-ID"]) for kept in on.sink.kept]
        assert len(msgids) == len(set(msgids))
        shown = {
            number: [clocks(one) for one in await on.daemon.ledger.clocks(number)] for number in (1001, 1002, 1004)
        }
        assert shown == {
            1001: [
                ("first_response", "breached", "Sun 25 01:00 Sun 25 02:10 CET"),
                ("resolution", "breached", "Sun 25 01:30 Sun 25 02:10 CET"),
            ],
            1002: [
                ("first_response", "breached", "Sun 25 04:30 Sun 25 06:00"),
                ("resolution", "breached", "Sun 25 05:00 Sun 25 08:00"),
            ],
            1004: [("first_response", "met", "Tue 27 11:05"), ("resolution", "running", "Fri 30 10:00")],
        }
        before = await on.mails()
        await on.stop()
        await on.start()
        assert await on.mails() == before


async def test_a_deputy_who_has_the_next_turn_anyway_is_called_once(week):
    async with week("Mon 26 10:00", DUTY, AWAY) as on:
        await on.asks("dave", "Import")
        await on.when("Mon 26 14:25")
        called = [(at, who) for who, at, kind, _ in await on.mails() if kind == "escalation" and at > "Mon 26 14"]
        assert called == [("Mon 26 14:00+", "ann@staff.example"), ("Mon 26 14:15+", "bob@staff.example")]
