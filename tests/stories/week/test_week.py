"""A week of a desk, Thursday to Thursday, over the end of summer time: everybody who is told, of what, and when.

The desk is open from 9 to 17 on weekdays; urgent runs day and night. Carol of Acme writes to Bob, Dave of Globex to Eve;
Ann leads, Mia is the manager. On Sunday the 25th the hour from 2 to 3 comes twice.
"""

from collections import Counter

from maild.desk import Grade, Step
from maild.ticket import Severity

ESCALATIONS = {
    "ann@staff.example": [
        ("Thu 22 14:36", "[90% first response] CSM #1002 NORMAL Globex: Export (limit 4h, 24m left)"),
        ("Thu 22 15:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 0s late)"),
        ("Fri 23 10:50", "[BREACH first response] CSM #1005 HIGH Acme: Reports (limit 30m, 20m late)"),
        ("Sun 25 02:34 CET", "[90% resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 6m left)"),
        (
            "Sun 25 02:40 CET+",
            "[BREACH resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 0s late)",
        ),
        ("Mon 26 16:36", "[90% resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 18h 24m left)"),
        ("Tue 27 11:00+", "[BREACH resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 0s late)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1007 NORMAL Acme: Printing (limit 4h, 30m late)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1009 NORMAL Acme: Sorting (limit 4h, 20m late)"),
        ("Wed 28 15:36", "[90% resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 18h 24m left)"),
        ("Thu 29 10:00+", "[BREACH resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 0s late)"),
    ],
    "bob@staff.example": [
        ("Thu 22 14:36", "[90% first response] CSM #1002 NORMAL Globex: Export (limit 4h, 24m left)"),
        ("Fri 23 10:50", "[BREACH first response] CSM #1005 HIGH Acme: Reports (limit 30m, 20m late)"),
        ("Sun 25 02:34 CET", "[90% resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 6m left)"),
        ("Mon 26 16:36", "[90% resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 18h 24m left)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1007 NORMAL Acme: Printing (limit 4h, 30m late)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1009 NORMAL Acme: Sorting (limit 4h, 20m late)"),
        ("Tue 27 16:30", "[TARGET resolution] CSM #1004 NORMAL Acme: Import (limit 24h, 1d 30m left)"),
        ("Wed 28 15:36", "[90% resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 18h 24m left)"),
    ],
    "eve@staff.example": [
        ("Thu 22 12:00", "[TARGET first response] CSM #1002 NORMAL Globex: Export (limit 4h, 3h left)"),
        ("Thu 22 14:00", "[75% first response] CSM #1002 NORMAL Globex: Export (limit 4h, 1h left)"),
        ("Thu 22 14:36", "[90% first response] CSM #1002 NORMAL Globex: Export (limit 4h, 24m left)"),
        ("Thu 22 15:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 0s late)"),
        ("Fri 23 10:50", "[BREACH first response] CSM #1005 HIGH Acme: Reports (limit 30m, 20m late)"),
        ("Fri 23 15:00", "[TARGET resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 3d 21h left)"),
        (
            "Sun 25 02:55 CEST",
            "[TARGET first response] CSM #1006 URGENT Globex: Shop down for everybody (limit 30m, 15m left)",
        ),
        (
            "Sun 25 02:02:30 CET",
            "[75% first response] CSM #1006 URGENT Globex: Shop down for everybody (limit 30m, 7m 30s left)",
        ),
        ("Sun 25 02:25 CET", "[75% resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 15m left)"),
        ("Sun 25 02:34 CET", "[90% resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 6m left)"),
        (
            "Sun 25 02:40 CET+",
            "[BREACH resolution] CSM #1006 URGENT Globex: Shop down for everybody (limit 1h, 0s late)",
        ),
        ("Mon 26 13:00", "[75% resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 22h left)"),
        ("Mon 26 16:36", "[90% resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 18h 24m left)"),
        ("Tue 27 11:00+", "[BREACH resolution] CSM #1002 NORMAL Globex: Export (limit 24h, 0s late)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1007 NORMAL Acme: Printing (limit 4h, 30m late)"),
        ("Tue 27 16:30", "[BREACH first response] CSM #1009 NORMAL Acme: Sorting (limit 4h, 20m late)"),
        ("Tue 27 16:30", "[TARGET resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 1d 17h left)"),
        ("Wed 28 10:30", "[TARGET first response] CSM #1010 NORMAL Globex: Colours (limit 4h, 2h 30m left)"),
        ("Wed 28 12:00", "[75% resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 22h left)"),
        ("Wed 28 15:36", "[90% resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 18h 24m left)"),
        ("Thu 29 10:00+", "[BREACH resolution] CSM #1003 NORMAL Globex: Invoice (limit 24h, 0s late)"),
    ],
    # Twice the limit is over on Friday; then once an open day, and never on the weekend. Three times, and no more.
    "mia@staff.example": [
        ("Fri 23 11:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 20h late)"),
        ("Mon 26 09:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 3d 19h late)"),
        ("Tue 27 09:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 4d 19h late)"),
        ("Wed 28 09:00+", "[BREACH first response] CSM #1002 NORMAL Globex: Export (limit 4h, 5d 19h late)"),
    ],
}

CUSTOMERS = {
    "carol@acme.example": [
        ("Thu 22 10:00", "ack", "Re: [CSM #1001] Login"),
        ("Thu 22 10:40", "relay", "Re: [CSM #1001] Login"),
        ("Fri 23 09:00", "ack", "Re: [CSM #1004] Import"),
        ("Fri 23 09:30", "relay", "Re: [CSM #1004] Import"),
        ("Fri 23 10:00", "ack", "Re: [CSM #1005] Reports"),
        ("Fri 23 10:56", "relay", "Re: [CSM #1005] Reports"),
        ("Tue 27 12:00", "ack", "Re: [CSM #1007] Printing"),
        ("Tue 27 12:10", "ack", "Re: [CSM #1009] Sorting"),
        ("Tue 27 16:30", "relay", "Re: [CSM #1009] Sorting"),
        ("Tue 27 16:40", "relay", "Re: [CSM #1007] Printing"),
    ],
    "dave@globex.example": [
        ("Thu 22 11:00", "ack", "Re: [CSM #1002] Export"),
        ("Thu 22 13:00", "ack", "Re: [CSM #1003] Invoice"),
        ("Thu 22 13:30", "relay", "Re: [CSM #1003] Invoice"),
        ("Sun 25 02:40 CEST", "ack", "Re: [CSM #1006] Shop down for everybody"),
        ("Sun 25 02:05 CET", "relay", "Re: [CSM #1006] Shop down for everybody"),
        ("Tue 27 12:05", "ack", "Re: [CSM #1008] Search"),
        ("Tue 27 16:30", "relay", "Re: [CSM #1008] Search"),
        ("Wed 28 09:00", "ack", "Re: [CSM #1010] Colours"),
        ("Wed 28 09:20", "relay", "Re: [CSM #1010] Colours"),
        ("Wed 28 10:00", "relay", "Re: [CSM #1002] Export"),
        ("Wed 28 11:00", "relay", "Re: [CSM #1010] Colours"),
    ],
}

# Everybody hears of a new ticket; then its owner of what its customer writes, and of an answer that did not arrive.
NOTIFIED = {"ann@staff.example": 10, "bob@staff.example": 10 + 1, "eve@staff.example": 10 + 1 + 1}

# State, then when it was missed and when it ended; the limit of one that still runs.
CLOCKS = {
    1001: [("first_response", "met", "Thu 22 10:40"), ("resolution", "met", "Thu 22 12:00")],
    # 4 hours from Thu 11:00; 24 are 6 on Thursday, 8 on Friday, 8 on Monday, 2 on Tuesday.
    1002: [
        ("first_response", "breached", "Thu 22 15:00 Wed 28 10:00"),
        ("resolution", "breached", "Tue 27 11:00 Wed 28 12:00"),
    ],
    # 2 hours until it was resolved; from Mon 12:00 on 5, then 8 and 8 on Tuesday and Wednesday, then 1.
    1003: [("first_response", "met", "Thu 22 13:30"), ("resolution", "breached", "Thu 29 10:00")],
    1004: [("first_response", "met", "Fri 23 09:30"), ("resolution", "met", "Wed 28 10:00")],
    1005: [
        ("first_response", "breached", "Fri 23 10:50 Fri 23 10:56"),
        ("resolution", "met", "Mon 26 11:00"),
    ],
    1006: [
        ("first_response", "met", "Sun 25 02:05 CET"),
        ("resolution", "breached", "Sun 25 02:40 CET Sun 25 02:50 CET"),
    ],
    1007: [("first_response", "breached", "Tue 27 16:00 Tue 27 16:40"), ("resolution", "met", "Wed 28 09:30")],
    1008: [("first_response", "met", "Tue 27 12:50"), ("resolution", "met", "Wed 28 09:30")],
    1009: [("first_response", "breached", "Tue 27 16:10 Tue 27 16:30"), ("resolution", "met", "Wed 28 09:30")],
    # 8 hours each on Wednesday, Thursday, Friday.
    1010: [("first_response", "met", "Wed 28 11:00"), ("resolution", "running", "Fri 30 17:00")],
}


async def thursday(on):
    await on.asks("carol", "Login")  # 1001: answered in time
    await on.when("Thu 22 10:40")
    await on.answers("bob", 1001, "With your number.")
    await on.when("Thu 22 11:00")
    await on.asks("dave", "Export")  # 1002: nobody answers before Wednesday
    await on.when("Thu 22 12:00")
    await on.does("bob", 1001, Step.RESOLVE)
    await on.when("Thu 22 13:00")
    await on.asks("dave", "Invoice")  # 1003: resolved, and opened again
    await on.when("Thu 22 13:30")
    await on.answers("eve", 1003, "Under Billing.")
    await on.when("Thu 22 15:00")
    await on.does("eve", 1003, Step.RESOLVE)


async def friday(on):
    await on.when("Fri 23 09:00")
    await on.asks("carol", "Import")  # 1004: waits for its customer over the weekend
    await on.when("Fri 23 09:30")
    await on.answers("bob", 1004, "Which file do you mean?")
    await on.when("Fri 23 10:00")
    await on.does("bob", 1004, Step.PENDING)
    await on.asks("carol", "Reports")  # 1005: late as soon as it is high
    await on.when("Fri 23 10:50")
    await on.does("ann", 1005, Grade(Severity.HIGH))
    await on.when("Fri 23 10:56")
    await on.answers("bob", 1005, "On the first page.")


async def sunday(on):
    await on.when("Sun 25 02:40 CEST")
    await on.asks("dave", "Shop down for everybody", "Nobody can pay, every order fails.")  # 1006: in the doubled hour
    await on.when("Sun 25 02:05 CET")
    await on.answers("eve", 1006, "I am looking into it.")
    await on.when("Sun 25 02:50 CET")
    await on.does("eve", 1006, Step.RESOLVE)


async def monday(on):
    await on.when("Mon 26 10:00")
    await on.answers("carol", 1004, "The one of last week.")
    await on.when("Mon 26 11:00")
    await on.does("bob", 1005, Step.RESOLVE)
    await on.when("Mon 26 12:00")
    await on.answers("dave", 1003, "It is wrong all the same: the sum on it is not ours.")


async def tuesday(on):
    await on.when("Tue 27 12:00")
    await on.asks("carol", "Printing")  # 1007: its deadline passes while no daemon runs
    await on.when("Tue 27 12:05")
    await on.asks("dave", "Search")  # 1008: answered meanwhile, in time
    await on.when("Tue 27 12:10")
    await on.asks("carol", "Sorting")  # 1009: answered meanwhile, but the answer waits at its sender
    await on.sleeps("Tue 27 12:30")
    await on.sleeps("Tue 27 12:50")
    await on.pipes(on.reply("eve", 1008, "By the glass."))
    await on.sleeps("Tue 27 13:10")
    late = on.reply("bob", 1009, "Click on its head.")
    await on.sleeps("Tue 27 16:30")
    await on.start()
    await on.sends(late)
    await on.when("Tue 27 16:40")
    await on.answers("bob", 1007, "In the menu.")


async def wednesday(on):
    await on.when("Wed 28 09:00")
    await on.asks("dave", "Colours")  # 1010: its first answer does not arrive
    await on.when("Wed 28 09:20")
    await on.answers("eve", 1010, "All of them.")
    await on.when("Wed 28 09:30")
    for who, number in (("bob", 1007), ("eve", 1008), ("bob", 1009)):
        await on.does(who, number, Step.RESOLVE)
    await on.when("Wed 28 10:00")
    await on.answers("eve", 1002, "Sorry. It is in the menu.")
    await on.does("bob", 1004, Step.RESOLVE)
    await on.when("Wed 28 10:30")
    await on.bounces("dave", 1010)
    await on.when("Wed 28 11:00")
    await on.answers("eve", 1010, "All of them, as I said.")
    await on.when("Wed 28 12:00")
    await on.does("eve", 1002, Step.RESOLVE)


async def test_a_week_over_the_end_of_summer_time(week, clocks):
    async with week("Thu 22 10:00") as on:
        for day in (thursday, friday, sunday, monday, tuesday, wednesday):
            await day(on)
        await on.when("Thu 29 12:00")
        mails = await on.mails()
        told = {}
        for who, at, kind, subject in mails:
            if kind == "escalation":
                told.setdefault(who, []).append((at, subject))
        assert told == ESCALATIONS
        customers = {who: [row[1:] for row in mails if row[0] == who] for who in CUSTOMERS}
        assert customers == CUSTOMERS
        assert Counter(who for who, _, kind, _ in mails if kind == "notification") == NOTIFIED
        assert {(row[0], row[2]) for row in mails} - {(who, "escalation") for who in ESCALATIONS} == {
            *((who, kind) for who in CUSTOMERS for kind in ("ack", "relay")),
            *((who, "notification") for who in NOTIFIED),
        }
        msgids = [str(kept.mail["Message-ID"]) for kept in on.sink.kept]
        assert len(msgids) == len(set(msgids))
        for number, expected in CLOCKS.items():
            assert [clocks(clock) for clock in await on.daemon.ledger.clocks(number)] == expected, number
        (raised,) = [clock for clock in await on.daemon.ledger.clocks(1005) if clock.metric == "first_response"]
        assert raised.by_reclassification
        # A restart tells nobody anything.
        await on.stop()
        await on.start()
        assert await on.mails() == mails
