"""Who is told: the words of a ladder, deputies, quiet hours; as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from maild.desk import Agent, Mailbox
from maild.desk.customer import notices
from maild.desk.duty import ToldOne, held_until, quiet_until, rota_size, told, told_as
from maild.sla.absence import Absence, away_until
from maild.sla.rota import Rota, Turns
from maild.ticket import Severity

HOUR = 3600
DAY = 24 * HOUR
CHRISTMAS = Absence(date(2026, 12, 20), date(2027, 1, 3))
AWAY = datetime(2026, 12, 24, 9, 0, tzinfo=UTC)
BACK = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def person(name, role="agent", zone="Europe/Berlin", **changes):
    return Agent(name, name.title(), f"{name}@staff.example", role, zone, **changes)


def rota(*agents, name="support", start="2026-12-07 09:00"):
    return Rota(name, Turns(agents, datetime.fromisoformat(start), 7 * DAY, "Europe/Berlin"))


@pytest.fixture
def desk(office):
    """A desk with a team of ann, bob and eve, whose lead is bob, a manager, and rotas."""

    def make(*rotas, team=("ann", "bob", "eve"), by="", **changes):
        people = {"ann": {}, "bob": {"role": "lead"}, "eve": {}, "max": {"role": "manager"}}
        return replace(
            office,
            mailboxes=(Mailbox("csm@desk.example", (), team, "en", "+", "participants", "", by),),
            agents=tuple(person(name, **{**own, **changes.get(name, {})}) for name, own in people.items()),
            rotas=rotas,
        )

    return make


def names(found):
    return " ".join(agent.id for agent in found)


# The words


@pytest.mark.parametrize(
    ("notify", "assignee", "who"),
    [
        ("assignee", "eve", "eve"),
        ("assignee", None, "ann bob eve"),
        ("assignee", "gone", "ann bob eve"),
        ("team", "eve", "ann bob eve"),
        ("assignee team", "eve", "eve ann bob"),
        ("lead", None, "bob"),
        ("manager", None, "max"),
        ("assignee lead", "bob", "bob"),
        ("manager assignee", "ann", "max ann"),
        # The week of 2026-12-21 is bob's.
        ("oncall", None, "bob"),
        ("oncall+1", None, "eve"),
        ("oncall+2", None, "ann"),
        ("oncall+3", None, "ann bob eve"),
        ("lead oncall", None, "bob"),
        ("oncall oncall+1", None, "bob eve"),
    ],
)
def test_the_words_of_a_ladder(desk, make_ticket, notify, assignee, who):
    here = desk(rota("eve", "ann", "bob"))
    assert names(told(tuple(notify.split()), make_ticket(assignee=assignee), here, AWAY)) == who


def test_a_word_that_is_none(desk, make_ticket):
    for word in ("oncal", "oncall+0", "oncall+", "oncall+x", "oncall1"):
        with pytest.raises(ValueError, match="nobody who can be told"):
            told((word,), make_ticket(), desk(rota("ann")), AWAY)


def test_without_leads_in_the_team_all_leads_and_without_anybody_everyone(desk, make_ticket):
    here = desk(team=("ann",), eve={"role": "lead"})
    assert names(told(("lead",), make_ticket(), here, AWAY)) == "bob eve"
    nobody = desk(max={"role": "agent"})
    assert [(one.agent.id, one.as_word) for one in told_as(("manager",), make_ticket(), nobody, AWAY)] == [
        (name, "everyone") for name in ("ann", "bob", "eve", "max")
    ]
    assert told(("team",), make_ticket(), replace(nobody, agents=()), AWAY) == ()


@pytest.mark.parametrize(
    ("notify", "assignee", "words"),
    [
        ("assignee", "ann", "assignee"),
        ("assignee", None, "team team team"),
        ("oncall", None, "oncall"),
        ("oncall+1", None, "oncall+1"),
        ("oncall+9", None, "team team team"),
        # Once, and then as on call: he may be woken.
        ("lead assignee oncall", "ann", "oncall assignee"),
        ("oncall lead", None, "oncall"),
    ],
)
def test_the_role_in_which_somebody_is_told(desk, make_ticket, notify, assignee, words):
    found = told_as(notify.split(), make_ticket(assignee=assignee), desk(rota("eve", "ann", "bob")), AWAY)
    assert " ".join(one.as_word for one in found) == words
    assert all(one.on_call is one.as_word.startswith("oncall") for one in found)


def test_which_rota_a_mailbox_goes_by(desk, make_ticket):
    one, two = rota("ann", name="one"), rota("eve", "bob", name="two")
    ticket = make_ticket()
    for by, who, size in (("", "ann", 1), ("one", "ann", 1), ("two", "eve", 2), ("gone", "ann", 1)):
        here = desk(one, two, by=by)
        assert names(told(("oncall",), ticket, here, utc("2026-12-08 12:00"))) == who
        assert rota_size(ticket, here) == size
    assert rota_size(ticket, desk()) == 0
    assert names(told(("oncall",), ticket, desk(), AWAY)) == "ann bob eve"
    before = desk(rota("ann", start="2027-01-01 09:00"))
    assert names(told(("oncall",), ticket, before, AWAY)) == "ann bob eve"
    assert names(told(("oncall",), ticket, desk(rota("gone", "eve")), utc("2026-12-08 12:00"))) == "eve"


def test_a_handover_between_two_calls_passes_nobody_over(desk, make_ticket):
    here, ticket = desk(rota("ann", "bob", "eve")), make_ticket()
    before, after = utc("2026-12-14 07:55"), utc("2026-12-14 08:05")
    assert names(told(("oncall",), ticket, here, before)) == "ann"
    assert names(told(("oncall+1",), ticket, here, after, since=before)) == "bob"
    assert names(told(("oncall+2",), ticket, here, after, since=before)) == "eve"
    # Whoever is on call is so now, however long ago it was due.
    assert names(told(("oncall",), ticket, here, after, since=before)) == "bob"
    assert names(told(("oncall+1",), ticket, here, after)) == "eve"


# Absences and deputies


@pytest.mark.parametrize(
    ("away", "at", "until"),
    [
        ("2026-12-20/2027-01-03", "2026-12-19 22:59", None),
        ("2026-12-20/2027-01-03", "2026-12-19 23:00", "2027-01-03"),
        ("2026-12-20/2027-01-03", "2027-01-03 22:59", "2027-01-03"),
        ("2026-12-20/2027-01-03", "2027-01-03 23:00", None),
        ("2027-05-01/2027-05-01", "2027-05-01 12:00", "2027-05-01"),
        ("2026-12-20/2026-12-24 2026-12-25/2026-12-26", "2026-12-21 12:00", "2026-12-26"),
        ("2026-12-25/2026-12-26 2026-12-20/2026-12-24", "2026-12-21 12:00", "2026-12-26"),
        ("2026-12-20/2026-12-24 2026-12-26/2026-12-27", "2026-12-21 12:00", "2026-12-24"),
        ("2026-12-20/2026-12-30 2026-12-21/2026-12-22", "2026-12-21 12:00", "2026-12-30"),
        ("2026-12-01/2026-12-02 2026-12-20/2026-12-21", "2026-12-10 12:00", None),
        ("", "2026-12-21 12:00", None),
    ],
)
def test_until_when_somebody_is_away(away, at, until):
    found = [Absence(*map(date.fromisoformat, one.split("/"))) for one in away.split()]
    assert away_until(found, "Europe/Berlin", utc(at)) == (until and date.fromisoformat(until))


ANN_AWAY = {"away": (CHRISTMAS,)}


@pytest.mark.parametrize(
    ("people", "notify", "found"),
    [
        ({"ann": {**ANN_AWAY, "deputy": "eve"}}, "assignee", [("eve", "for Ann, who is away until 2027-01-03")]),
        (
            {"ann": {**ANN_AWAY, "deputy": "eve"}, "eve": {**ANN_AWAY, "deputy": "max"}},
            "assignee",
            [("max", "for Ann, who is away until 2027-01-03 and Eve, who is away until 2027-01-03")],
        ),
        # Nobody but him: he is told all the same.
        (
            {"ann": ANN_AWAY},
            "assignee",
            [("ann", "although you are away until 2027-01-03: nobody stands in for you")],
        ),
        ({"ann": ANN_AWAY}, "assignee lead", [("bob", "")]),
        ({"ann": {**ANN_AWAY, "deputy": "gone"}}, "assignee lead", [("bob", "")]),
        ({"ann": {**ANN_AWAY, "deputy": "ann"}}, "assignee lead", [("bob", "")]),
        ({"ann": {**ANN_AWAY, "deputy": "eve"}, "eve": {**ANN_AWAY, "deputy": "ann"}}, "assignee lead", [("bob", "")]),
        ({"ann": {**ANN_AWAY, "deputy": "bob"}}, "assignee lead", [("bob", "for Ann, who is away until 2027-01-03")]),
        ({"ann": ANN_AWAY}, "team", [("bob", ""), ("eve", "")]),
        # Another's deputy who is away himself is no help.
        ({"bob": {**ANN_AWAY, "deputy": "ann"}, "ann": ANN_AWAY}, "lead manager", [("max", "")]),
    ],
)
def test_who_is_told_for_whom(desk, make_ticket, people, notify, found):
    here = desk(**people)
    ticket = make_ticket(assignee="ann")
    assert [(one.agent.id, one.because) for one in told_as(notify.split(), ticket, here, AWAY)] == found
    assert all(one.because == "" for one in told_as(notify.split(), ticket, here, BACK))


@pytest.mark.parametrize(
    ("people", "notify", "found"),
    [
        ({"bob": {**ANN_AWAY, "deputy": "max"}}, "oncall", [("max", "for Bob, who is away until 2027-01-03")]),
        ({"bob": ANN_AWAY}, "oncall", [("eve", "for Bob, who is away until 2027-01-03")]),
        ({"bob": ANN_AWAY}, "oncall+1", [("ann", "")]),
        ({"eve": ANN_AWAY}, "oncall+1", [("ann", "")]),
        (
            {"bob": ANN_AWAY, "eve": {**ANN_AWAY, "deputy": "max"}},
            "oncall",
            [("max", "for Eve, who is away until 2027-01-03")],
        ),
        (
            {"ann": ANN_AWAY, "bob": ANN_AWAY, "eve": ANN_AWAY},
            "oncall",
            [("bob", "although you are away until 2027-01-03: nobody stands in for you")],
        ),
        ({"ann": ANN_AWAY, "bob": ANN_AWAY, "eve": ANN_AWAY}, "oncall manager", [("max", "")]),
        (
            {"ann": ANN_AWAY, "bob": ANN_AWAY, "eve": ANN_AWAY},
            "assignee oncall",
            [
                ("ann", "although you are away until 2027-01-03: nobody stands in for you"),
                ("bob", "although you are away until 2027-01-03: nobody stands in for you"),
            ],
        ),
    ],
)
def test_on_call_and_away(desk, make_ticket, people, notify, found):
    here = desk(rota("eve", "ann", "bob"), **people)
    ticket = make_ticket(assignee="ann")
    assert [(one.agent.id, one.because) for one in told_as(notify.split(), ticket, here, AWAY)] == found


def test_the_line_in_the_mail():
    ann = person("ann")
    assert ToldOne(ann, "assignee", "for Bob, who is away until 2027-01-03").notes == (
        "You are told for Bob, who is away until 2027-01-03.",
    )
    assert ToldOne(ann, "assignee").notes == ()


@pytest.mark.parametrize(
    ("people", "assignee", "readers"),
    [
        ({"ann": {**ANN_AWAY, "deputy": "max"}}, "ann", {"ann": False, "max": True}),
        (
            {"ann": {**ANN_AWAY, "deputy": "bob"}, "bob": {**ANN_AWAY, "deputy": "max"}},
            "ann",
            {"ann": False, "max": True},
        ),
        ({"ann": ANN_AWAY}, "ann", {"ann": False}),
        ({"ann": {"deputy": "max"}}, "ann", {"ann": False}),
        ({"ann": {**ANN_AWAY, "deputy": "max"}}, None, {"ann": False, "bob": False, "eve": False}),
    ],
)
def test_a_customers_mail_reaches_the_deputy_too(desk, make_case, make_ticket, people, assignee, readers):
    here = desk(**people)
    case = make_case(make_ticket(assignee=assignee))
    case = replace(case, received=replace(case.received, received_at=AWAY))
    letters = notices(case, here, make_ticket(assignee=assignee), (), ("a note",))
    why = f"You are told for Ann, who is away until 2027-01-03{'.' if 'bob' not in people else ''}"
    assert {letter.agent_id: any(line.startswith(why) for line in letter.notes) for letter in letters} == readers
    assert len({letter.reply_to for letter in letters}) == len(letters)


def test_a_deputy_who_is_told_anyway_gets_one_mail_and_reads_why(desk, make_case, make_ticket):
    here = desk(ann={**ANN_AWAY, "deputy": "bob"})
    case = make_case()
    case = replace(case, received=replace(case.received, received_at=AWAY))
    letters = notices(case, here, make_ticket(assignee="ann", opened_at=AWAY), (), ())
    assert {letter.agent_id: letter.notes for letter in letters} == {
        "ann": (),
        "bob": ("You are told for Ann, who is away until 2027-01-03.",),
        "eve": (),
    }


# Quiet hours


def hours(*spans):
    return tuple((int(start * HOUR), int(end * HOUR)) for start, end in spans)


@pytest.mark.parametrize(
    ("spans", "zone", "at", "until"),
    [
        (((22, 31),), "Europe/Berlin", "2026-11-02 20:59", None),
        (((22, 31),), "Europe/Berlin", "2026-11-02 21:00", "2026-11-03 06:00"),
        (((22, 31),), "Europe/Berlin", "2026-11-03 05:59", "2026-11-03 06:00"),
        (((22, 31),), "Europe/Berlin", "2026-11-03 06:00", None),
        (((22, 31),), "America/New_York", "2026-11-03 06:00", "2026-11-03 12:00"),
        # To midnight, and from it: one night.
        (((0, 7), (22, 24)), "Europe/Berlin", "2026-11-02 21:30", "2026-11-03 06:00"),
        (((12, 13), (13, 14), (13.5, 15)), "UTC", "2026-11-02 12:30", "2026-11-02 15:00"),
        (((12, 13), (14, 15)), "UTC", "2026-11-02 12:30", "2026-11-02 13:00"),
        (((12, 13), (14, 15)), "UTC", "2026-11-02 13:30", None),
        # Over New Year.
        (((22, 31),), "UTC", "2026-12-31 23:00", "2027-01-01 07:00"),
        # The night that is an hour short, and the one that is an hour long.
        (((22, 31),), "Europe/Berlin", "2026-03-28 22:00", "2026-03-29 05:00"),
        (((22, 31),), "Europe/Berlin", "2026-10-24 22:00", "2026-10-25 06:00"),
        # An end in the hour that is left out is its end; one in the doubled hour counts both times.
        (((22, 26.5),), "Europe/Berlin", "2026-03-28 22:00", "2026-03-29 01:00"),
        (((22, 26.5),), "Europe/Berlin", "2026-10-24 22:00", "2026-10-25 00:30"),
        (((22, 26.5),), "Europe/Berlin", "2026-10-25 00:45", None),
        (((22, 26.5),), "Europe/Berlin", "2026-10-25 01:15", "2026-10-25 01:30"),
        # What is left of the day is left out one night.
        (((3, 26),), "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 00:00"),
        ((), "UTC", "2026-11-02 12:30", None),
    ],
)
def test_until_when_it_is_quiet(office, spans, zone, at, until):
    here = replace(office, quiet={Severity.LOW: hours(*spans)})
    found = quiet_until(person("ann", zone=zone), Severity.LOW, here, utc(at))
    assert found == (until and utc(until))
    assert quiet_until(person("ann", zone=zone), Severity.HIGH, here, utc(at)) is None


def test_who_is_on_call_is_woken(office):
    here = replace(office, quiet={Severity.LOW: hours((22, 31))})
    night = utc("2026-11-02 23:00")
    for word, held in (("oncall", False), ("oncall+1", False), ("assignee", True), ("team", True), ("everyone", True)):
        found = held_until(ToldOne(person("ann"), word), Severity.LOW, here, night)
        assert (found is not None) is held, word
