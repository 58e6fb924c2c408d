"""The real daemon: holidays out of a file that changes while it runs and while it is down; a customer who says nothing."""

import json
import re
import signal
from datetime import UTC, datetime, timedelta

CAROL = "Carol Jones <carol@acme.example>"
CALENDAR = """
[calendar.house]
time_zone = "UTC"
hours = { mon-sun = ["00:00-24:00"] }
holidays_file = "house.ics"
[sla.normal]
calendar = "house"
first_response = ["5d", "10d"]
resolution = ["10d", "20d"]
"""
PATIENT = """
[sla.normal]
calendar = "always"
first_response = ["5d", "10d"]
resolution = ["10d", "20d"]
pending_limit = "3s"
"""
DAY = timedelta(days=1)


def ics(*days):
    events = [
        f"BEGIN:VEVENT\r\nUID:{day}\r\nSUMMARY:House party\r\nDTSTART;VALUE=DATE:{day:%Y%m%d}\r\nEND:VEVENT\r\n"
        for day in days
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//house//\r\n{''.join(events)}END:VCALENDAR\r\n"


def limit(desk, number):
    (clock,) = (one for one in desk.show(number)["clocks"] if one["metric"] == "resolution")
    return datetime.fromisoformat(clock["limit_at"])


def opened(desk, write):
    desk.send(write(CAROL, "csm@desk.example", "a question", "How do I log in?"), "carol@acme.example")
    return desk.until(desk.tickets, "a ticket")[0]["id"]


def test_holidays_that_change(make_desk, write):
    desk = make_desk(CALENDAR)
    file = desk.config.parent / "house.ics"
    file.write_text(ics())
    desk.start()
    number = opened(desk, write)
    began = limit(desk, number)
    today = datetime.now(UTC).date()

    # While it runs: a file that cannot be read changes nothing, one that can is taken over.
    file.write_text("no calendar")
    desk.process.send_signal(signal.SIGHUP)
    desk.until(lambda: "reload.refused" in desk.log, "a refusal")
    assert "calendar.house.holidays_file: house.ics is no iCalendar" in desk.log
    file.write_text(ics(today + 3 * DAY, today + 5 * DAY))
    desk.process.send_signal(signal.SIGHUP)
    desk.until(lambda: limit(desk, number) == began + 2 * DAY, "two days more")

    # While it is down.
    desk.kill(signal.SIGTERM)
    file.write_text(ics(today + 3 * DAY))
    desk.start()
    desk.until(lambda: limit(desk, number) == began + DAY, "one of them less")

    page = desk.run("why", str(number))
    line = rf"  \w+ {today + 3 * DAY} 00:00 to \w+ {today + 4 * DAY} 00:00 holiday \(House party\)"
    assert re.search(line, page)
    (clock,) = (
        one for one in json.loads(desk.run("why", str(number), "--json"))["clocks"] if one["metric"] == "resolution"
    )
    assert sum(one["counted_seconds"] for one in clock["ledger"]) == clock["limit_seconds"]
    assert f"Holidays of the calendar house: {today + 3 * DAY:%a %Y-%m-%d} (House party)" in desk.run("check")
    # Nothing of all this was told to anybody.
    assert not [kept for kept in desk.sink.kept if "BREACH" in kept.subject or "TARGET" in kept.subject]


def test_a_customer_who_says_nothing(make_desk, write):
    desk = make_desk(PATIENT)
    desk.start()
    number = opened(desk, write)
    desk.run("ticket", "pending", str(number))
    desk.until(lambda: desk.show(number)["state"] == "open", "the end of the silence")
    reminder = desk.sink.wait("ann@staff.example", lambda kept: "has not answered" in kept.subject)
    assert "the customer said nothing for 3s of open time" in " ".join(reminder.text.split())
    events = [event for event in desk.show(number)["events"] if event["what"] == "status"]
    assert [event["actor"] for event in events][1:] == ["maild"]
    pended, went_on = (datetime.fromisoformat(event["at"]) for event in events)
    assert went_on - pended == timedelta(seconds=3)
    assert "pending (it waited on the customer)" in desk.run("why", str(number))
