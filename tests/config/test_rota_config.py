"""Rotas, absences and quiet hours in the configuration: what a good file says, and every fault."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from maild.config.model import AgentSection
from maild.config.office import office as office_of
from maild.config.restart import needs_restart
from maild.config.rotas import duties_of
from maild.sla.absence import Absence
from maild.sla.rota import Rota, Shift, Turns, on_duty
from maild.ticket import Severity

BERLIN = ZoneInfo("Europe/Berlin")
DESK = """
[desk]
address = "csm@example.com"
time_zone = "Europe/Berlin"
[[mailbox]]
address = "csm@example.com"
"""
PEOPLE = """
[[agent]]
id = "ann"
name = "Ann Example"
address = "ann@example.com"
[[agent]]
id = "bob"
name = "Bob Example"
address = "bob@example.com"
"""
ROTA = '[[rota]]\nname = "support"\n'
TURNS = ROTA + 'agents = ["ann", "bob"]\nstart = "2026-01-05 09:00"\n'


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ics(*events):
    """Write a calendar of events, each given as its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//own//"]
    for number, event in enumerate(events):
        own = [] if any(line.startswith("UID:") for line in event) else [f"UID:u{number}"]
        lines += ["BEGIN:VEVENT", *own, *event, "END:VEVENT"]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


def test_turns_that_go_round(read):
    config = read(DESK + PEOPLE + TURNS)
    week = Turns(("ann", "bob"), datetime.fromisoformat("2026-01-05 09:00"), 7 * 86_400, "Europe/Berlin")
    assert config.rotas == (Rota("support", week),)
    assert office_of(config, ()).rotas is config.rotas
    shorter = read(DESK + PEOPLE + TURNS.replace("2026-01-05 09:00", "2026-01-05T09:00:00") + 'every = "12h"\n')
    assert shorter.rotas[0].duties.every == 43_200


def test_a_mailbox_names_its_rota_and_a_ladder_may_call_it(read):
    two = TURNS + TURNS.replace("support", "night")
    text = DESK + 'rota = "night"\n' + PEOPLE + two + '[[escalation]]\nclock = "resolution"\nat = "limit"\n'
    config = read(text + 'notify = ["oncall", "lead"]\n')
    here = office_of(config, ())
    assert here.rota(here.mailboxes[0]).name == "night"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[rota]]\n", "rota[1].name: is missing and has no default: write it"),
        ('[[rota]]\nname = "a b"\n', "rota[1].name: 'a b' is no name: letters, digits, dot, dash"),
        (ROTA, "rota[1]: says whose turn it is nowhere: give agents and start"),
        (ROTA + 'start = "2026-01-05 09:00"\n', "rota[1].agents: is missing: write who takes turns"),
        (ROTA + 'agents = ["ann"]\n', "rota[1].start: is missing: write when the first turn begins"),
        (
            TURNS + 'file = "rota.ics"\n',
            "rota[1]: give either file, or agents, start and every: file stands beside agents",
        ),
        (
            ROTA + 'file = "rota.ics"\nevery = "7d"\n',
            "rota[1]: give either file, or agents, start and every: file stands beside every",
        ),
        (TURNS + 'every = "59m"\n', "rota[1].every: a turn lasts 1h at least, and 366d at most"),
        (TURNS + 'every = "367d"\n', "rota[1].every: a turn lasts 1h at least, and 366d at most"),
        (TURNS.replace("09:00", "9"), "rota[1].start: '2026-01-05 9' is no date and time: write the first handover"),
        (TURNS.replace("01-05", "02-30"), "rota[1].start: '2026-02-30 09:00' is no date and time"),
        (TURNS.replace("2026", "0001"), "rota[1].start: '0001-01-05 09:00' is no date and time"),
        (TURNS.replace('"bob"', '"bo"'), "rota[1].agents: there is no agent 'bo', did you mean 'bob'?"),
        (TURNS.replace('"bob"', '"xyz"'), "rota[1].agents: there is no agent 'xyz', known are ann, bob"),
        (TURNS + TURNS, "rota[2].name: the name 'support' is given twice, choose another one"),
        (
            ROTA + 'file = "none.ics"\n',
            "rota[1].file: none.ics cannot be read: No such file or directory; it lies beside",
        ),
        (
            ROTA + 'file = "https://cal.example/x.ics"\n',
            "rota[1].file: names a file beside maild.toml, and maild fetches no URL: download it there",
        ),
        (
            TURNS + '[[escalation]]\nclock = "resolution"\nat = "limit"\nnotify = ["oncal"]\n',
            "escalation[1].notify[1]: 'oncal'",
        ),
    ],
)
def test_faults_of_a_rota(faults_of, text, fault):
    (found,) = faults_of(DESK + PEOPLE + text)
    assert found.startswith(fault)


def test_faults_between_sections(faults_of):
    oncall = '[[escalation]]\nclock = "resolution"\nat = "limit"\nnotify = ["lead", "oncall"]\n'
    assert faults_of(DESK + PEOPLE + oncall) == [
        "escalation[1].notify: nobody is on call without a rota: add a [[rota]], or name others"
    ]
    assert faults_of(DESK + 'rota = "suport"\n' + PEOPLE + TURNS) == [
        "mailbox[1].rota: there is no rota 'suport', did you mean 'support'?"
    ]
    # One that is there and only broken is not called missing too.
    (fault,) = faults_of(DESK + 'rota = "support"\n' + PEOPLE + TURNS + 'every = "1s"\n' + oncall)
    assert fault.startswith("rota[1].every: ")
    deputies = PEOPLE.replace('id = "ann"', 'id = "ann"\ndeputy = "ann"').replace(
        'id = "bob"', 'id = "bob"\ndeputy = "an"'
    )
    assert faults_of(DESK + deputies) == [
        "agent[1].deputy: 'ann' cannot stand in for himself, name another agent",
        "agent[2].deputy: there is no agent 'an', did you mean 'ann'?",
    ]


# Absences


def test_who_is_away_and_who_stands_in(read):
    own = 'deputy = "bob"\naway = ["2026-12-20/2027-01-03", "2027-05-01"]\n'
    config = read(DESK + PEOPLE.replace('id = "ann"', f'id = "ann"\n{own}'))
    ann, bob = office_of(config, ()).agents
    assert ann.deputy == "bob"
    assert ann.away == (
        Absence(date(2026, 12, 20), date(2027, 1, 3)),
        Absence(date(2027, 5, 1), date(2027, 5, 1)),
    )
    assert (bob.deputy, bob.away) == ("", ())


@pytest.mark.parametrize(
    ("away", "fault"),
    [
        ("2027-01-03/2026-12-20", "'2027-01-03/2026-12-20' ends before it starts: write 2026-12-20/2027-01-03"),
        ("2027-02-30", "'2027-02-30' is no absence: write its first and last day"),
        ("20270501", "'20270501' is no absence"),
        ("2027-05-01/", "'2027-05-01/' is no absence"),
        ("2027-05-01/2027-05-02/2027-05-03", "'2027-05-01/2027-05-02/2027-05-03' is no absence"),
        ("1900-01-01", "'1900-01-01' is no absence"),
    ],
)
def test_what_is_no_absence(faults_of, away, fault):
    (found,) = faults_of(DESK + PEOPLE.replace('id = "bob"', f'id = "bob"\naway = ["2027-06-01", "{away}"]'))
    assert found.startswith(f"agent[2].away[2]: {fault}")


# Quiet hours


def test_quiet_hours_by_severity(read):
    config = read(DESK + '[quiet]\nnormal = ["22:00-07:00"]\nlow = ["18:00-24:00", "00:00-09:00"]\n')
    assert config.quiet == {
        Severity.URGENT: (),
        Severity.HIGH: (),
        Severity.NORMAL: ((79_200, 111_600),),
        Severity.LOW: ((0, 32_400), (64_800, 86_400)),
    }
    assert office_of(config, ()).quiet is config.quiet


@pytest.mark.parametrize(
    ("spans", "fault"),
    [
        ('["22-07"]', "quiet.low[1]: '22-07' is no span: write HH:MM-HH:MM, such as 09:00-17:00"),
        ('["22:00-06:00", "25:00-26:00"]', "quiet.low[2]: '26:00' is no time of day"),
        ('["00:00-24:00"]', "quiet.low: is quiet all day, so that nobody would ever be told: leave some hours of it"),
        ('["08:00-20:00", "20:00-08:00"]', "quiet.low: is quiet all day"),
        ('["22:00-07:00", "06:00-12:00", "12:00-23:00"]', "quiet.low: is quiet all day"),
        ('["17:00-09:30"]', "quiet.low[1]: '17:00-09:30' ends before it starts"),
        ('"22:00-07:00"', 'quiet.low: is a list: write it in [ ]: ["22:00-07:00"]'),
    ],
)
def test_faults_of_quiet_hours(faults_of, spans, fault):
    (found,) = faults_of(DESK + f"[quiet]\nlow = {spans}\n")
    assert found.startswith(fault)


def test_almost_all_day_is_quiet_enough(read):
    assert read(DESK + '[quiet]\nlow = ["00:00-23:59"]\n').quiet[Severity.LOW] == ((0, 86_340),)


# Duties of a file

AGENTS = (
    AgentSection(id="ann", name="Ann Example", address="ann@example.com"),
    AgentSection(id="bob", name="Bob Example", address="bob@example.com"),
    AgentSection(id="eve", name="Twin", address="eve@example.com"),
    AgentSection(id="max", name="Twin", address="max@example.com"),
    AgentSection(id="twig", address="ann@other.example"),
)
WEEK = ["DTSTART;TZID=Europe/Berlin:20260105T090000", "DTEND;TZID=Europe/Berlin:20260112T090000"]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (["ATTENDEE:mailto:ann@example.com"], ["ann"]),
        (["ATTENDEE;CN=Somebody;ROLE=REQ-PARTICIPANT:MAILTO:Ann@Example.com"], ["ann"]),
        (["ATTENDEE:bob@example.com", "SUMMARY:On call"], ["bob"]),
        (["SUMMARY:ann"], ["ann"]),
        (["SUMMARY:bob  example "], ["bob"]),
        (["SUMMARY:BOB@example.com"], ["bob"]),
        (["SUMMARY:twig"], ["twig"]),
        (["ATTENDEE:mailto:bob@example.com", "ATTENDEE:mailto:ann@example.com"], ["bob", "ann"]),
        (["ATTENDEE;CUTYPE=ROOM:mailto:room@example.com", "ATTENDEE:mailto:ann@example.com"], ["ann"]),
        (["ATTENDEE;CUTYPE=RESOURCE:mailto:pager@example.com", "SUMMARY:ann"], ["ann"]),
    ],
)
def test_whom_an_event_names(event, found):
    duties, faults = duties_of(ics([*WEEK, *event]), agents=AGENTS, zone=BERLIN)
    assert faults == []
    assert duties.shifts == tuple(Shift(utc("2026-01-05 08:00"), utc("2026-01-12 08:00"), agent) for agent in found)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (["SUMMARY:carl"], "event 1 (carl, u0): 'carl' is no agent: an agent's address, id or name is wanted"),
        (["SUMMARY:Ann Exampel"], "event 1 (Ann Exampel, u0): 'Ann Exampel' is no agent, did you mean 'ann example'?"),
        (["ATTENDEE:mailto:carl@other.test", "SUMMARY:ann"], "event 1 (ann, u0): 'carl@other.test' is no agent"),
        (["SUMMARY:Twin"], "event 1 (Twin, u0): 'Twin' is the name of eve and max: write an id or an address"),
        ([], "event 1 (u0): it names nobody: give it an ATTENDEE, or an agent's name as its SUMMARY"),
        (["SUMMARY:carl", "RRULE:FREQ=WEEKLY;COUNT=9"], "event 1 (carl, u0): 'carl' is no agent"),
    ],
)
def test_who_is_no_agent(event, fault):
    _, (found,) = duties_of(ics([*WEEK, *event]), agents=AGENTS, zone=BERLIN)
    assert found.startswith(fault)


def test_duties_that_repeat_are_moved_and_overlap():
    octets = ics(
        ["UID:w", *WEEK, "RRULE:FREQ=WEEKLY;INTERVAL=2", "SUMMARY:ann"],
        [
            "UID:v",
            "DTSTART;VALUE=DATE:20260112",
            "DTEND;VALUE=DATE:20260119",
            "RRULE:FREQ=WEEKLY;INTERVAL=2",
            "SUMMARY:bob",
        ],
        [
            "UID:w",
            "RECURRENCE-ID;TZID=Europe/Berlin:20260119T090000",
            WEEK[0].replace("0105", "0120"),
            WEEK[1].replace("0112", "0126"),
            "SUMMARY:twig",
        ],
        ["DTSTART:20260107T080000", "DURATION:PT1H", "SUMMARY:eve"],
        ["DTSTART:20260107T080000", "DURATION:PT1H", "SUMMARY:max", "STATUS:CANCELLED"],
        ["DTSTART:20260210T000000Z", "DURATION:PT1H", "SUMMARY:eve"],
        ["DTSTART:20260210T000000Z", "DURATION:PT1H", "SUMMARY:max"],
    )
    duties, faults = duties_of(octets, agents=AGENTS, zone=BERLIN)
    assert faults == []
    rota = Rota("r", duties)
    for at, who in (
        ("2026-01-05 07:59", []),
        ("2026-01-05 08:00", ["ann", "eve", "bob", "twig", "max"]),
        ("2026-01-07 07:30", ["ann", "eve"]),
        # A whole date begins at midnight here, before ann's week is over: she began first.
        ("2026-01-12 00:30", ["ann", "bob"]),
        ("2026-01-12 08:00", ["bob", "twig"]),
        ("2026-01-18 23:30", []),
        ("2026-01-20 08:00", ["twig", "bob"]),
        ("2026-02-10 00:30", ["bob", "eve", "max"]),
        ("2040-12-30 12:00", ["bob"]),
    ):
        found = on_duty(rota, utc(at))
        assert list(found[: len(who)]) == who, at
        assert bool(found) is bool(who), at


def test_a_name_that_a_broken_section_may_hold_is_no_fault(tmp_path, faults_of):
    (tmp_path / "rota.ics").write_bytes(ics([*WEEK, "SUMMARY:Carl"], [*WEEK, "SUMMARY:ann"]))
    text = DESK + PEOPLE + ROTA + 'file = "rota.ics"\n'
    assert faults_of(text) == [
        "rota[1].file: rota.ics: event 1 (Carl, u0): 'Carl' is no agent: an agent's address, id or name is wanted, and nothing else"
    ]
    (fault,) = faults_of(text + '[[agent]]\nid = "carl"\nname = "Carl"\naddress = "carl"\n')
    assert fault == "agent[3].address: 'carl' is no mail address"


def test_a_file_without_any_event(tmp_path, faults_of):
    (tmp_path / "rota.ics").write_bytes(ics())
    text = DESK + PEOPLE + ROTA + 'file = "rota.ics"\n'
    assert faults_of(text) == [
        "rota[1].file: rota.ics: holds no event of 2020 to 2040, so nobody would ever be on duty"
    ]
    (tmp_path / "rota.ics").write_bytes(b"hello")
    (fault,) = faults_of(text)
    assert fault.startswith("rota[1].file: rota.ics is no iCalendar")


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ("RRULE:FREQ=DAILY;BYHOUR=8,9,10,11,12,13,14,15,16", "it happens more than 8 times a day"),
        (
            f"RRULE:FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))};BYSECOND={','.join(map(str, range(60)))}",
            "it happens more than 8 times a day",
        ),
        ("DTSTART:00010101T000000Z", "it starts before 1900"),
    ],
)
def test_what_would_never_be_worked_out(event, fault):
    week = [line for line in WEEK if not line.startswith(event.partition(":")[0])]
    _, (found,) = duties_of(ics([*week, "SUMMARY:ann", event]), agents=AGENTS, zone=BERLIN)
    assert fault in found


def test_a_file_that_happens_too_often(monkeypatch):
    monkeypatch.setattr("maild.config.ics.MOST", 20)
    with pytest.raises(ValueError, match="happens more than 20 times in 2020 to 2040"):
        duties_of(ics([*WEEK, "SUMMARY:ann", "RRULE:FREQ=WEEKLY"]), agents=AGENTS, zone=BERLIN)


def test_files_that_are_too_large_or_none(tmp_path, faults_of):
    text = DESK + PEOPLE + ROTA + 'file = "rota.ics"\n'
    (tmp_path / "rota.ics").write_bytes(b"x" * 4_000_001)
    assert faults_of(text) == ["rota[1].file: rota.ics is larger than 4 MB: leave out what is over, and attachments"]
    (tmp_path / "rota.ics").unlink()
    (tmp_path / "rota.ics").mkdir()
    assert faults_of(text) == ["rota[1].file: rota.ics is no file"]


def test_a_reload_takes_duty_over(tmp_path, read):
    (tmp_path / "rota.ics").write_bytes(ics([*WEEK, "SUMMARY:ann"]))
    text = DESK + PEOPLE + ROTA + 'file = "rota.ics"\n'
    before = read(text)
    (tmp_path / "rota.ics").write_bytes(ics([*WEEK, "SUMMARY:bob"]))
    after = read(text + '[quiet]\nlow = ["22:00-07:00"]\n')
    assert before.rotas != after.rotas
    assert needs_restart(before, after) == ()
