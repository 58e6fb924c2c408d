"""The configuration: every fault with its key and what to write, all of them in one run, and what a good one resolves to."""

import sys
from importlib.resources import files
from pathlib import Path

import pytest

from maild.config import ConfigError, find, load
from maild.sla.hours import between
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import Metric
from maild.ticket import Severity

DESK = '[desk]\naddress = "csm@example.com"\n'
ANN = '[[agent]]\nid = "ann"\naddress = "ann@example.com"\n'
BOX = '[[mailbox]]\naddress = "csm@example.com"\n'
RULES = "[[rule]]\n"


def test_the_smallest_file_is_enough(read, tmp_path):
    config = read()
    assert config.data_dir == Path("/var/lib/maild")
    assert config.database_url == "sqlite:///var/lib/maild/maild.db"
    assert [box.address for box in config.mailboxes] == ["csm@example.com"]
    assert config.path == tmp_path / "maild.toml"
    assert config.domain == "example.com"
    assert config.keywords is None
    assert config.templates_dir is None
    assert config.policy.promise(Severity.NORMAL).first_response == (3600, 4 * 3600)
    assert config.ladders == dict.fromkeys(Metric, DEFAULT)


def test_the_sample_is_a_good_file(read):
    config = read(files("maild.config").joinpath("sample.toml").read_text("utf-8"))
    assert config.desk.name == "Example Support"
    assert set(config.calendars) == {"always", "weekdays", "business"}


def test_a_desk_without_a_mailbox_has_one_with_all_agents(read):
    assert read(DESK + ANN).mailboxes[0].team == ("ann",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "desk: is missing and has no default: write it"),
        ("desk = 3", "desk: is a section of keys, not a single value"),
        ('[desk]\nname = "x"', "desk.address: is missing and has no default: write it"),
        ('[desk]\naddress = "no address"', "desk.address: 'no address' is no mail address"),
        (DESK + 'refrence = "X"', "desk.refrence: unknown key, did you mean reference?"),
        (DESK + 'reference = "C S"', "desk.reference: 'C S' is no reference: letters and digits, such as CSM"),
        (DESK + 'time_zone = "Mars/Olympus"', "desk.time_zone: 'Mars/Olympus' is no IANA time zone"),
        (DESK + 'name = "a\\nb"', "desk.name: 'a\\nb' is no single line of text"),
        (DESK + "name = 2026-01-31", 'desk.name: is a text: write it in quotes: "2026-01-31"'),
        (DESK + "name = 1.5", 'desk.name: is a text: write it in quotes: "1.5"'),
        (DESK + "name = ['x']", "desk.name: is a text: write one, in quotes"),
        (DESK + "[[smtp]]", "smtp: is there once: write [smtp]"),
        (DESK + "[imap]\nhost = 'h'", "imap: may be repeated: write [[imap]]"),
        (DESK + "name = 3", 'desk.name: is a text: write it in quotes: "3"'),
        (DESK + "[database]\nurl = 'mysql://x/y'", "database.url: 'mysql://x/y': the database is sqlite:///"),
        (DESK + "[nonsense]", "nonsense: unknown key; known are desk, database, mailbox"),
        (DESK + "[smpt]", "smpt: unknown key, did you mean smtp?"),
        (DESK + "[mailbox]\naddress = 'a@b'", "mailbox: may be repeated: write [[mailbox]]"),
        (DESK + BOX + 'alias = ["x@y"]', "mailbox[1].alias: unknown key, did you mean aliases?"),
        (DESK + BOX + 'language = "English"', "mailbox[1].language: 'English' is no language, such as en"),
        (DESK + BOX + 'subaddress = "."', 'mailbox[1].subaddress: \'.\' is not known: write "+", "-", "=" or ""'),
        (DESK + BOX + 'team = ["zed"]' + "\n" + ANN, "mailbox[1].team: there is no agent 'zed', known are ann"),
        (DESK + BOX + 'team = ["an"]' + "\n" + ANN, "mailbox[1].team: there is no agent 'an', did you mean 'ann'?"),
        (DESK + BOX + 'policy = "gold"', "mailbox[1].policy: there is no policy 'gold', known are none"),
        (DESK + BOX + 'aliases = ["csm@example.com"]', "mailbox[1]: csm@example.com is named twice, write it once"),
        (DESK + "[[mailbox]]\naddress = 'sales@example.com'", "desk.address: csm@example.com is no mailbox: add it"),
        (
            DESK + BOX + f'[[mailbox]]\naddress = "{"x" * 40}@example.com"',
            "mailbox[2]: " + "x" * 40 + "@example.com: a token must fit beside it into 64 octets",
        ),
        (DESK + '[[agent]]\nid = "a n"\naddress = "a@b"', "agent[1].id: 'a n' is no agent id: letters, digits"),
        (DESK + ANN + 'role = "boss"', 'agent[1].role: \'boss\' is not known: write "agent", "lead" or "manager"'),
        (DESK + ANN + ANN.replace("ann@", "bob@"), "agent[2].id: the id 'ann' is given twice"),
        (DESK + ANN + ANN.replace('"ann"', '"bob"'), "agent[2].address: ann@example.com is given twice"),
        (DESK + '[[agent]]\nid = "x"\naddress = "csm@example.com"', "agent[1].address: csm@example.com is a mailbox"),
        (DESK + '[[customer]]\nname = "Acme"', "customer[1]: give either domain or address"),
        (DESK + '[[customer]]\ndomain = "ACME.example"', "customer[1].domain: 'ACME.example' is no domain in lower"),
        (DESK + '[[customer]]\ndomain = "a.b"\ncsm = "x"', "customer[1].csm: there is no agent 'x', known are none"),
        (DESK + '[[customer]]\ndomain = "a.b"\npolicy = "x"', "customer[1].policy: there is no policy 'x'"),
        (DESK + '[smtp]\nlisten = "8025"', "smtp.listen: '8025' is no host:port, such as 127.0.0.1:8025"),
        (DESK + '[smtp]\nlisten = "127.0.0.1:65536"', "smtp.listen: '127.0.0.1:65536' is no host:port"),
        (DESK + "[smtp]\nlisten = 8025", 'smtp.listen: write it in quotes, with its host: "127.0.0.1:8025"'),
        (DESK + '[smtp]\ntrusted = ["10.0.0.0/33"]', "smtp.trusted[1]: '10.0.0.0/33' is no network, such as 192.0.2"),
        (DESK + "[smtp]\ntrusted = [10]", 'smtp.trusted[1]: is a text: write it in quotes: "10"'),
        (DESK + '[smtp]\nsession_timeout = "ten"', "smtp.session_timeout: 'ten' is no duration: write a whole number"),
        (DESK + '[smtp]\ndata_timeout = "0s"', "smtp.data_timeout: is too short: write at least 1s"),
        (DESK.rstrip() + "\nreopen_days = 367", "desk.reopen_days: is too large: write at most 366"),
        (
            DESK.rstrip() + '\nreopen_days = "7"',
            "desk.reopen_days: is a whole number: write it without quotes, as in 7",
        ),
        (DESK.rstrip() + "\nreopen_days = 1.5", "desk.reopen_days: is a whole number"),
        (DESK + "[relay]\nport = 0", "relay.port: is too small: write at least 1"),
        (DESK + '[relay]\ntls = "ssl"', 'relay.tls: \'ssl\' is not known: write "implicit", "starttls" or "none"'),
        (DESK + '[relay]\nusername = "u"', "relay.password_file: a username wants a password"),
        (DESK + '[relay]\nhost = "h:25"', "relay.host: 'h:25' has a port in it: write 'h', and use relay.port"),
        (DESK + '[relay]\npassword_file = "pw"', "relay.password_file: pw is neither a systemd credential nor a read"),
        (DESK + '[ack]\nto = "all"', 'ack.to: \'all\' is not known: write "authenticated", "known" or "everyone"'),
        (DESK + "[calendar.always]", "calendar.always: this name is built in, choose another one"),
        (DESK + "[calendar.b]", "calendar.b: this calendar never opens: give it hours, such as hours = { mon-fri = "),
        (
            DESK + '[calendar.b]\nhours = {mo = ["09:00-17:00"]}',
            "calendar.b.hours.mo: 'mo' names no days: write mon, mon-fri",
        ),
        (
            DESK + '[calendar.b]\nhours = {mon = ["9-17"]}',
            "calendar.b.hours.mon: '9-17' is no span: write HH:MM-HH:MM",
        ),
        (DESK + '[calendar.b]\nhours = {mon = ["09:00-25:00"]}', "calendar.b.hours.mon: '25:00' is no time of day"),
        (
            DESK + '[calendar.b]\nhours = {mon-fri = ["09:00-17:00"], fri = ["09:00-12:00"]}',
            "calendar.b.hours.fri: fri has its hours already, name each day once",
        ),
        (
            DESK + '[calendar.b]\nhours = {mon = ["09:00-17:00"]}\nholidays = ["2026-02-30"]',
            "calendar.b.holidays[1]: '2026-02-30' is no date: write 2026-12-25, or 12-25",
        ),
        (
            DESK + '[calendar.b]\nhours = {mon = ["09:00-17:00"]}\nholidays_country = "XX"',
            "calendar.b.holidays_country: 'XX' is no country that is known: write its two letters",
        ),
        (
            DESK + '[calendar.b]\nhours = {mon = ["09:00-17:00"]}\nholidays_country = "DE-XX"',
            "calendar.b.holidays_country: 'DE-XX': DE has no part 'XX'; known are BB",
        ),
        (
            DESK + '[calendar.b]\nhours = {mon = ["09:00-17:00"]}\nholidays_country = "LU-XX"',
            "LU has no part 'XX': write LU",
        ),
        (
            DESK + '[sla.urgnt]\ncalendar = "always"',
            "sla.urgnt: unknown severity, it is one of urgent, high, normal, low; did you mean urgent?",
        ),
        (DESK + "[sla.zzz]", "sla.zzz: unknown severity, it is one of urgent, high, normal, low"),
        (
            DESK + '[sla.high]\ncalendar = "weekday"',
            "sla.high.calendar: there is no calendar 'weekday', did you mean weekdays?",
        ),
        (DESK + '[sla.high]\ncalendar = "zzz"', "sla.high.calendar: there is no calendar 'zzz'"),
        (
            DESK + '[sla.high]\nresolution = ["4h", "1h"]',
            "sla.high.resolution: write [target, limit]: the target is not above",
        ),
        (DESK + '[sla.high]\nresolution = ["0s", "1h"]', "sla.high.resolution: write [target, limit]"),
        (DESK + '[sla.high]\nresolution = ["1h"]', "sla.high.resolution[2]: is missing"),
        (DESK + '[policy.gold.urgnt]\ncalendar = "always"', "policy.gold.urgnt: unknown severity"),
        (
            DESK + '[calendar.s]\nshifts = {2026-05-02 = ["10:00-14:00"]}\n[sla.low]\ncalendar = "s"',
            "sla.low.calendar: 's' has only shifts on single dates, so no clock could go on after them: give calendar.s.hours",
        ),
        (
            DESK + '[[escalation]]\nclock = "resolution"\nat = "limt"\nnotify = ["lead"]',
            "escalation[1].at: 'limt' is no step of a ladder; target, 75%",
        ),
        (
            DESK + '[[escalation]]\nclock = "resolution"\nat = "limit"\nnotify = ["boss"]',
            "escalation[1].notify[1]: 'boss' is nobody: known are assignee",
        ),
        (
            DESK + '[[escalation]]\nclock = "resolution"\nat = "75%"\nnotify = ["lead"]\n' * 2,
            "escalation[2].at: escalation[1] tells of resolution at 75% already: name all who are to be told in its notify",
        ),
        (
            DESK + '[[escalation]]\nclock = "resolution"\nat = "limit"\nnotify = []',
            "escalation[1].notify: is empty: write at least one",
        ),
        (
            DESK + '[[escalation]]\nclock = "reply"\nat = "limit"\nnotify = ["lead"]',
            "escalation[1].clock: 'reply' is not known: write \"first_response\"",
        ),
        (
            DESK + '[severity]\nkeywords_file = "none.toml"',
            "severity.keywords_file: none.toml cannot be read: No such file",
        ),
    ],
)
def test_a_fault_has_its_key_and_a_hint_and_comes_alone(faults_of, text, fault):
    faults = faults_of(text)
    assert len(faults) == 1, faults
    assert faults[0].startswith(fault) or (fault.startswith("LU") and fault in faults[0])


def test_faults_of_all_kinds_are_listed_in_one_run(faults_of):
    faults = faults_of(
        """
        [desk]
        refrence = "CSM"
        time_zone = "Mars/Olympus"
        [[mailbox]]
        adress = "csm@example.com"
        [[mailbox]]
        address = "sales@example.com"
        team = ["ann", "zed"]
        policy = "gld"
        [[agent]]
        id = "ann"
        address = "nobody"
        [[agent]]
        id = "bob"
        address = "sales@example.com"
        [calendar.business]
        hours = { mon-fr = ["09:00-17:00"] }
        [calendar.odd]
        time_zone = "Nowhere"
        [sla.high]
        calendar = "bussiness"
        first_response = ["4h", "1h"]
        [sla.low]
        calendar = "business"
        [policy.gold.normal]
        calendar = "business"
        [[escalation]]
        clock = "first_respons"
        at = "limit"
        notify = ["lead"]
        [[escalation]]
        clock = "first_response"
        at = "limt"
        notify = ["lead"]
        [relay]
        port = 0
        username = "x"
        [severity]
        keywords_file = "none.toml"
        """
    )
    assert [fault.partition(": ")[0] for fault in faults] == [
        "desk.address",
        "desk.time_zone",
        "desk.refrence",
        "mailbox[1].address",
        "mailbox[1].adress",
        "agent[1].address",
        "relay.port",
        "calendar.odd.time_zone",
        "sla.high.first_response",
        "escalation[1].clock",
        "escalation[2].at",
        "calendar.business.hours.mon-fr",
        "calendar.odd",
        "sla.high.calendar",
        "severity.keywords_file",
        "agent[2].address",
        "mailbox[2].team",
        "mailbox[2].policy",
        "relay.password_file",
    ]


def keys_of(faults):
    return sorted(fault.partition(": ")[0] for fault in faults)


def test_a_calendar_tells_all_its_faults_at_once(faults_of):
    faults = faults_of(
        DESK
        + """
        [calendar.b]
        hours = { mon-fry = ["9-17"], sat = ["18:00-17:00", "25:00-26:00"], sun = "09:00-12:00" }
        breaks = { "2026-13-24" = ["12:00-17:00"] }
        shifts = { "2026-05-02" = [9] }
        holidays = ["12-25", "13-25"]
        holidays_country = "XX"
        [calendar.c]
        holidays = ["2026-12-25", "x"]
        [calendar.d]
        hours = 3
        holidays = ["x"]
        """
    )
    assert keys_of(faults) == [
        "calendar.b.breaks.2026-13-24",
        "calendar.b.holidays[2]",
        "calendar.b.holidays_country",
        "calendar.b.hours.mon-fry",
        "calendar.b.hours.mon-fry",
        "calendar.b.hours.sat",
        "calendar.b.hours.sat",
        "calendar.b.hours.sun",
        "calendar.b.shifts.2026-05-02",
        "calendar.c",
        "calendar.c.holidays[2]",
        "calendar.d.holidays[1]",
        "calendar.d.hours",
    ]


def test_an_escalation_tells_all_its_faults_at_once(faults_of):
    section = '[[escalation]]\nclock = "reply"\nat = "limt"\nnotify = ["lead", "boss", "chef"]\n'
    assert keys_of(faults_of(DESK + section)) == [
        "escalation[1].at",
        "escalation[1].clock",
        "escalation[1].notify[2]",
        "escalation[1].notify[3]",
    ]


def test_a_customer_tells_all_its_faults_at_once(faults_of):
    text = '[[customer]]\ncsm = "x"\npolicy = "y"\ntier = 3\n[[customer]]\naddress = "nobody"\ncsm = "x"\n'
    assert keys_of(faults_of(DESK + text + '[[customer]]\ndomian = "a.b"\ncsm = "x"\n')) == [
        "customer[1]",
        "customer[1].csm",
        "customer[1].policy",
        "customer[1].tier",
        "customer[2].address",
        "customer[2].csm",
        "customer[3].csm",
        "customer[3].domian",
    ]


def test_a_mailbox_tells_all_its_faults_at_once(faults_of):
    text = f'[[mailbox]]\naddress = "{"x" * 40}@example.com"\npolicy = "y"\nlanguage = "English"\n'
    assert keys_of(faults_of(DESK + BOX + text)) == ["mailbox[2]", "mailbox[2].language", "mailbox[2].policy"]


def test_a_broken_subaddress_is_the_only_fault_of_a_long_address(faults_of):
    text = f'[[mailbox]]\naddress = "{"x" * 40}@example.com"\nsubaddress = "."\n'
    assert keys_of(faults_of(DESK + BOX + text)) == ["mailbox[2].subaddress"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(DESK + '[[mailbox]]\naddress = "csm@exa mple"\n', 1, id="the desk's own mailbox is broken"),
        pytest.param(DESK + BOX + 'team = ["ann"]\n[[agent]]\nid = "ann"\n', 1, id="an agent has no address"),
        pytest.param(DESK + BOX + 'team = ["ann"]\n[[agent]]\naddress = "ann@x"\n', 1, id="an agent has no id"),
        pytest.param("agent = 3\n" + DESK + BOX + 'team = ["ann"]\n', 1, id="agent is no list"),
        pytest.param("agent = [3]\n" + DESK + BOX + 'team = ["ann"]\n', 1, id="an agent is no section"),
        pytest.param("mailbox = 3\n" + DESK, 1, id="mailbox is no list"),
        pytest.param("calendar = 3\n" + DESK, 1, id="calendar is no section"),
        pytest.param(DESK + '[calendar]\nb = 3\n[sla.low]\ncalendar = "b"\n', 1, id="a used calendar is no section"),
        pytest.param(DESK + '[calendar.b]\n[policy.p.low]\ncalendar = "b"\n', 1, id="a used calendar never opens"),
        pytest.param(DESK + BOX + 'policy = "p"\n[policy]\np = 3\n', 1, id="a used policy is no section"),
        pytest.param(
            DESK
            + '[calendar.s]\nshifts = {2026-05-02 = ["10:00-14:00"]}\n[sla.low]\ncalendar = "s"\n[policy.p.high]\n',
            1,
            id="a policy inherits a fault of the desk's own",
        ),
        pytest.param('[desk]\naddress = "x"\nname = 3\n', 2, id="a desk with two faults"),
    ],
)
def test_a_fault_draws_no_others_after_it(faults_of, text, count):
    assert len(faults_of(text)) == count


def test_a_number_in_a_fault_is_that_of_the_file(faults_of):
    agents = "".join(f'[[agent]]\nid = "a{number}"\n' for number in range(3))
    faults = faults_of(DESK + agents + ANN + 'role = "boss"\n' + ANN.replace("ann@", "csm@"))
    assert [fault.partition(":")[0] for fault in faults] == [
        "agent[1].address",
        "agent[2].address",
        "agent[3].address",
        "agent[4].role",
        "agent[5].address",
        "agent[5].id",
    ]


def test_a_later_round_still_counts_as_the_file_does(faults_of):
    faults = faults_of(DESK + '[[customer]]\ndomain = 3\n[[customer]]\ndomain = "a.b"\n[[customer]]\nname = "Acme"\n')
    assert "customer[3]: give either domain or address" in faults


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"[desk", "is not TOML: "),
        (b"\xff\xfe[\x00d\x00", "is not UTF-8 (byte 1): save it as UTF-8"),
        (b"x = " + b"[" * 100_000, "is not TOML: "),
    ],
)
def test_what_is_no_toml_is_told(tmp_path, octets, fault):
    path = tmp_path / "maild.toml"
    path.write_bytes(octets)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert caught.value.faults[0].startswith(fault)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_bytes(b"\xef\xbb\xbf" + DESK.encode())
    assert load(path, {}).desk.address == "csm@example.com"


def test_a_missing_file_a_folder_and_an_unreadable_one_are_told(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, fault in (
        (tmp_path / "none.toml", "there is no such file: run `maild init` to write one"),
        (tmp_path, "is a folder: name the file in it, such as maild.toml"),
        (loop, "cannot be read: "),
    ):
        with pytest.raises(ConfigError) as caught:
            load(path, {})
        assert caught.value.faults[0].startswith(fault)
        assert str(caught.value).startswith(f"{path}: ")


def test_a_file_is_found_where_it_was_named_or_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find(Path("x.toml"), {"MAILD_CONFIG": "y.toml"}) == Path("x.toml")
    assert find(None, {"MAILD_CONFIG": "y.toml"}) == Path("y.toml")
    (tmp_path / "maild.toml").write_text(DESK)
    assert find(None, {}) == Path("maild.toml")
    assert find(None, {"MAILD_CONFIG": ""}) == Path("maild.toml")


def test_where_no_file_lies_the_hint_is_init(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules[find.__module__], "PLACES", ("maild.toml",))
    with pytest.raises(ConfigError, match="run `maild init`, or name a file with -c FILE") as caught:
        find(None, {})
    assert f"$MAILD_CONFIG is not set, and there is no {tmp_path / 'maild.toml'};" in caught.value.faults[0]


@pytest.mark.parametrize(
    ("line", "state", "found"),
    [
        ("", "", "/var/lib/maild"),
        ("", "/state/maild", "/state/maild"),
        ("", "/state/maild:/state/other", "/state/maild"),
        ('data_dir = "/data"', "/state/maild", "/data"),
        ('data_dir = "data"', "", "{beside}/data"),
    ],
)
def test_the_data_dir_is_the_configured_one_the_states_or_the_default(read, tmp_path, line, state, found):
    config = read(f"{DESK}{line}\n", STATE_DIRECTORY=state)
    assert config.data_dir == Path(found.format(beside=tmp_path))
    assert config.database_url == f"sqlite://{found.format(beside=tmp_path)}/maild.db"


def test_a_data_dir_with_a_per_cent_sign_is_the_ledgers_folder(read, tmp_path):
    from maild.store.ledger import path_of  # noqa: PLC0415 - the reader of the URL

    config = read(DESK + 'data_dir = "50%25 ä#"\n')
    assert path_of(config.database_url) == config.data_dir / "maild.db"


def test_a_relative_templates_dir_lies_beside_the_file(read, tmp_path):
    assert read(DESK + 'templates_dir = "own"\n').templates_dir == tmp_path / "own"


def test_a_password_is_the_credential_before_the_file_beside(read, tmp_path):
    (tmp_path / "pw").write_text("beside\r\n")
    text = DESK + '[relay]\nusername = "u"\npassword_file = "pw"\n'
    assert read(text).relay_password == "beside"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    assert read(text, CREDENTIALS_DIRECTORY=str(credentials)).relay_password == "beside"
    (credentials / "pw").write_text("credential\n")
    assert read(text, CREDENTIALS_DIRECTORY=str(credentials)).relay_password == "credential"
    (credentials / "pw").write_bytes(b"\xff")
    assert read(text, CREDENTIALS_DIRECTORY=str(credentials)).relay_password == "beside"


def test_a_fault_never_shows_a_password(faults_of, tmp_path):
    (tmp_path / "pw").write_text("s3cret")
    faults = faults_of(DESK + '[relay]\nusername = "u"\npassword_file = "pw"\nport = 0\n')
    assert "s3cret" not in " ".join(faults)


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"[x", "severity.keywords_file: words.toml is not TOML in UTF-8: "),
        (b"\xff", "severity.keywords_file: words.toml is not TOML in UTF-8: "),
        (b"rule = 3", "severity.keywords_file: words.toml: "),
    ],
)
def test_a_broken_keywords_file_is_a_fault(faults_of, tmp_path, octets, fault):
    (tmp_path / "words.toml").write_bytes(octets)
    faults = faults_of(DESK + '[severity]\nkeywords_file = "words.toml"\n')
    assert all(found.startswith(fault) and "\n" not in found for found in faults)


def test_a_good_keywords_file_is_read(read, tmp_path):
    (tmp_path / "words.toml").write_bytes(files("maild.sla").joinpath("keywords.toml").read_bytes())
    assert read(DESK + '[severity]\nkeywords_file = "words.toml"\n').keywords


def test_a_policy_says_only_what_differs(read):
    config = read(
        DESK
        + """
        [calendar.business]
        hours = { mon-fri = ["09:00-17:00"] }
        [sla.normal]
        first_response = ["30m", "2h"]
        next_response = ["1h", "4h"]
        [policy.gold.normal]
        calendar = "business"
        resolution = ["4h", "8h"]
        [policy.gold.low]
        first_response = ["1h", "1h"]
        """
    )
    own, gold = config.policy, config.policies["gold"]
    normal = gold.promise(Severity.NORMAL)
    assert (normal.calendar_name, normal.calendar) == ("business", config.calendars["business"])
    assert normal.first_response == own.promise(Severity.NORMAL).first_response == (1800, 7200)
    assert normal.next_response == (3600, 14400)
    assert normal.resolution == (14400, 28800)
    assert gold.promise(Severity.URGENT) == own.promise(Severity.URGENT)
    assert gold.promise(Severity.LOW).first_response == (3600, 3600)
    assert own.promise(Severity.LOW).next_response is None


def test_a_ladder_of_ones_own_replaces_that_of_its_clock(read):
    config = read(
        DESK
        + """
        [[escalation]]
        clock = "resolution"
        at = "50%"
        notify = ["team"]
        [[escalation]]
        clock = "resolution"
        at = "limit"
        notify = ["lead", "manager"]
        """
    )
    assert config.ladders[Metric.RESOLUTION] == (Rung("50%", ("team",)), Rung("limit", ("lead", "manager")))
    assert config.ladders[Metric.FIRST_RESPONSE] == DEFAULT


def test_a_calendar_knows_its_hours_breaks_shifts_and_holidays(read, instant):
    config = read(
        """
        [desk]
        address = "csm@example.com"
        time_zone = "Europe/Berlin"
        [calendar.b]
        hours = { mon-fri = ["09:00-12:00", "13:00-17:00"] }
        breaks = { "2026-12-24" = ["12:00-17:00"] }
        shifts = { "2026-05-02" = ["10:00-14:00"], "2026-12-26" = ["10:00-11:00"] }
        holidays = ["12-25", "2026-12-31"]
        [calendar.utc]
        time_zone = "UTC"
        hours = { mon = ["09:00-10:00"] }
        """
    )
    calendar = config.calendars["b"]

    def hours_on(date):
        return between(calendar, instant(f"{date}T00:00:00+01:00"), instant(f"{date}T23:59:00+01:00")) / 3600

    assert [hours_on(date) for date in ("2026-12-23", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31")] == [
        7,
        3,
        0,
        1,
        0,
    ]
    assert calendar.tz == "Europe/Berlin"
    assert config.calendars["utc"].tz == "UTC"


@pytest.mark.parametrize(
    ("country", "closed", "opened"),
    [
        ("DE", "2026-04-06", "2026-06-04"),
        ("DE-BY", "2026-06-04", "2026-06-05"),
        ("US", "2026-11-26", "2026-04-06"),
        ("DE", "2040-04-02", "2041-04-22"),
    ],
)
def test_the_holidays_of_a_country_are_closed(read, instant, country, closed, opened):
    config = read(
        DESK
        + f'[calendar.b]\nhours = {{ mon-sun = ["09:00-17:00"] }}\nholidays = ["02-03"]\nholidays_country = "{country}"\n'
    )

    def open_on(date):
        return between(config.calendars["b"], instant(f"{date}T00:00:00+00:00"), instant(f"{date}T23:00:00+00:00"))

    assert open_on(closed) == 0
    assert open_on(opened) == 8 * 3600
    assert open_on("2027-02-03") == 0


@pytest.mark.parametrize("text", ["[rota]\nname = 'a'\n[rota]\nname = 'b'\n", "[desk]\nname = 'a'\nname = 'b'\n"])
def test_what_stands_twice_is_told_how_to_repeat_it(faults_of, text):
    (fault,) = faults_of(text)
    assert fault.startswith("is not TOML: ")
    assert fault.endswith(": a section or key stands twice; one that may be repeated is written [[...]] each time")
