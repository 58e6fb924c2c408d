"""`maild check`: every fault at once, what is odd, and the promise in dates."""

import os
import re
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from maild.cli.check import promises
from maild.config import load

DESK = '[desk]\naddress = "csm@acme.test"\ntime_zone = "Europe/Berlin"\n'
ANN = '[[agent]]\nid = "ann"\naddress = "ann@acme.test"\n'
NOBODY = '[auth]\ndkim = "off"\n'
AUTH = '[auth]\nauthserv_id = "mx.acme.test"\n'


@pytest.fixture
def configured(tmp_path):
    def put(text):
        path = tmp_path / "maild.toml"
        path.write_text(text, "utf-8")
        return path

    return put


def test_a_good_file_is_fine_and_says_what_it_promises(maild, configured):
    path = configured(DESK + ANN + AUTH)
    done = maild("check", "-c", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"{path} is fine\n")
    assert "a normal ticket on Friday 16:50 must be answered by " in done.out
    assert "warning" not in done.out


def test_faults_of_file_keywords_and_templates_are_listed_at_once(maild, configured, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "ack.txt.j2").write_text("{{ nonsense }}")
    (tmp_path / "words.toml").write_text("rule = 3")
    path = configured(DESK + 'templates_dir = "own"\nrefrence = "X"\n[severity]\nkeywords_file = "words.toml"\n')
    done = maild("check", "-c", path)
    assert (done.code, done.out) == (78, "")
    lines = done.err.splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    for key in ("desk.refrence: ", "severity.keywords_file: ", "nonsense"):
        assert sum(key in line for line in lines) >= 1, done.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{% if %}", "ack.txt.j2"),
        ("{{ nonsense }}", "ack.txt.j2: UndefinedError: 'nonsense' is undefined"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_a_broken_template_is_told(maild, configured, tmp_path, content, told):
    own = tmp_path / "own"
    own.mkdir()
    (own / "ack.txt.j2").write_text(content)
    done = maild("check", "-c", configured(DESK + 'templates_dir = "own"\n'))
    assert done.code == 78
    assert told in done.err


def test_a_broken_template_hides_no_fault_of_another(maild, configured, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "word.txt.j2").write_text("{% if %}")
    (own / "ack-subject.txt.j2").write_text("{{ first }}")
    (own / "ack.txt.j2").write_text("{{ second }}")
    (own / "ack.fr.txt.j2").write_text("{{ third }}")
    (own / "held.txt.j2").write_bytes(b"\xff")
    (own / "notification.txt.j2").write_text("{{ desk.address }} csm+aaaaaaaaaaaaaaaaaaaaaaaa@acme.test {{ nothing }}")
    done = maild("check", "-c", configured(DESK + 'templates_dir = "own"\n'))
    key = f"{tmp_path / 'maild.toml'}: desk.templates_dir: "
    assert done.code == 78
    assert sorted(line.removeprefix(key).partition(": ")[0] for line in done.err.splitlines()) == [
        "ack-subject.txt.j2",
        "ack.fr.txt.j2",
        "ack.txt.j2",
        "held.txt.j2",
        "notification.txt.j2",
        "word.txt.j2",
    ]


def test_files_among_the_templates_that_are_none_are_warned_of(maild, configured, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for name in ("akc.txt.j2", "ack.txt", "ack.fr.txt.j2", "README", ".keep"):
        (own / name).write_text("text")
    done = maild("check", "-c", configured(DESK + 'templates_dir = "own"\n'))
    told = [line for line in done.out.splitlines() if "templates_dir" in line]
    assert done.code == 0
    assert [line.split()[2] for line in told] == ["README", "ack.txt", "akc.txt.j2"]
    assert told[2].endswith("nothing is written with it: did you mean ack.txt.j2?")
    assert "known are ack-subject.de.txt.j2, " in told[0]


def test_a_templates_dir_that_is_not_there_is_told(maild, configured):
    done = maild("check", "-c", configured(DESK + 'templates_dir = "none"\n'))
    assert done.code == 78
    assert "templates: " in done.err
    assert "No such file" in done.err


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (ANN + NOBODY, "warning: auth.authserv_id is empty and auth.dkim is off, so no sender is ever authenticated"),
        (
            ANN + '[auth]\nhops = ["mx.acme.test"]\n',
            "warning: auth.hops changes nothing while auth.authserv_id is empty",
        ),
        (ANN + '[auth]\nhops = ["mx.acme.test"]\nbelow = 1\n', "warning: auth.hops and auth.below change nothing"),
        (ANN + "[auth]\nunnamed = true\n", "warning: auth.unnamed without auth.hops"),
        (
            ANN + '[auth]\nauthserv_id = ["mx.example.com", "mx.acme.test"]\nhops = ["mx2.example.com"]\n',
            "mail servers instead: auth.authserv_id mx.example.com, auth.hops mx2.example.com\n",
        ),
        (
            ANN + AUTH + 'hops = ["mx2.acme.test", "40.92.0.0/15"]\n',
            "warning: auth.hops[2]: 40.92.0.0/15 is where Microsoft sends from, for all its customers",
        ),
        (ANN + AUTH + 'hops = ["40.107.1.2"]\n', "warning: auth.hops[1]: 40.107.1.2 is where Microsoft sends from"),
        (ANN + AUTH + 'hops = ["209.85.220.0/24"]\n', "warning: auth.hops[1]: 209.85.220.0/24 is where Google sends"),
        (ANN + AUTH + 'hops = ["8.0.0.0/9"]\n', "warning: auth.hops[1]: 8.0.0.0/9 is a wide public network"),
        (ANN + NOBODY + 'arc_sealers = ["google.com"]\n', "warning: auth.arc_sealers changes nothing"),
        (
            ANN + AUTH + '[[mailbox]]\naddress = "csm@acme.test"\naliases = ["a@example.org"]\nlanguage = "xx"\n',
            "warning: these addresses are examples, so no mail reaches anybody there: mailbox[1].aliases a@example.org\n",
        ),
        (
            ANN + AUTH + '[[customer]]\ndomain = "shop.example.net"\n[[customer]]\naddress = "bob@example.com"\n',
            "there: customer[1] @shop.example.net, customer[2] bob@example.com\n",
        ),
        (
            ANN + AUTH + '[[mailbox]]\naddress = "csm@acme.test"\nlanguage = "xx"\n',
            "warning: mailbox[1].language: there is no ack.xx.txt.j2 and no ack-subject.xx.txt.j2, so English is used",
        ),
        (AUTH, "warning: there is no [[agent]]"),
        (
            ANN + AUTH + '[sla.low]\nfirst_response = ["1d", "30h"]\n',
            "warning: sla.low.first_response promises an answer later than 24 open hours: 30h",
        ),
        (
            ANN + AUTH + '[policy.slow.low]\nfirst_response = ["1d", "2d"]\n',
            "warning: policy.slow.low.first_response promises an answer later than 24 open hours: 48h",
        ),
        (
            ANN + '[[mailbox]]\naddress = "csm@acme.test"\nsubaddress = ""\n' + NOBODY,
            "warning: a mailbox without subaddress needs auth.authserv_id",
        ),
    ],
)
def test_what_is_odd_is_a_warning_and_no_fault(maild, configured, text, warning):
    done = maild("check", "-c", configured(DESK + text))
    assert done.code == 0
    assert warning in done.out
    assert re.search(r" is fine, but see the (warning|\d+ warnings) above\n\Z", done.out)


def test_a_language_that_ours_are_written_in_is_no_warning(maild, configured):
    box = '[[mailbox]]\naddress = "csm@acme.test"\nlanguage = "de"\n'
    assert "warning" not in maild("check", "-c", configured(DESK + ANN + AUTH + box)).out


def test_who_acknowledges_everyone_is_not_told_that_only_known_senders_are(maild, configured):
    done = maild("check", "-c", configured(DESK + ANN + '[ack]\nto = "everyone"\n'))
    assert "only known senders" not in done.out


@pytest.mark.parametrize(
    "hop", ["10.0.0.0/8", "2002:a00::/24", "2603:10a6::/32", "9.9.9.0/28", "mx.acme.test", ".acme.test"]
)
def test_hops_that_are_one_s_own_are_no_warning(maild, configured, hop):
    assert "warning" not in maild("check", "-c", configured(f'{DESK}{ANN}{AUTH}hops = ["{hop}"]\n')).out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "\nmaild will check DKIM signatures itself\n"),
        (AUTH, "\nmaild will check DKIM signatures itself, where your servers say nothing of them\n"),
        (NOBODY, ""),
        (AUTH + 'dkim = "off"\n', ""),
    ],
)
def test_whether_maild_checks_dkim_itself_is_said(maild, configured, text, line):
    pytest.importorskip("dkim", reason="pip install 'maild[dkim]'")
    out = f"\n{maild('check', '-c', configured(DESK + ANN + text)).out}"
    assert line in out
    assert ("maild will check DKIM" in out) is bool(line)


NOW = datetime(2026, 3, 24, 12, 0, tzinfo=UTC)


def test_the_promise_is_told_in_dates_over_a_change_of_the_clock(configured):
    assert promises(load(configured(DESK), {}), NOW) == [
        "What is promised to a mail of Friday 2026-03-27 (Europe/Berlin):",
        (
            "  an urgent ticket on Friday 16:50 must be answered by Friday 2026-03-27 17:20"
            " and resolved by Friday 2026-03-27 17:50 (calendar always)"
        ),
        (
            "  a high ticket on Friday 16:50 must be answered by Friday 2026-03-27 17:20"
            " and resolved by Monday 2026-03-30 10:50 (calendar weekdays)"
        ),
        (
            "  a normal ticket on Friday 16:50 must be answered by Friday 2026-03-27 20:50"
            " and resolved by Monday 2026-03-30 16:50 (calendar weekdays)"
        ),
        (
            "  a low ticket on Friday 16:50 must be answered by Monday 2026-03-30 04:50"
            " and resolved by Tuesday 2026-03-31 16:50 (calendar weekdays)"
        ),
        "  a ticket resolved then closes at Wednesday 2026-04-08 00:00, if nobody says a word",
    ]


def test_what_becomes_of_silence_is_told_in_dates(configured):
    silent = """
        close_after = 0
        [sla.low]
        pending_limit = "2d"
        [policy.gold.normal]
        pending_limit = "1h"
        """
    lines = promises(load(configured(DESK + silent), {}), NOW)
    assert [line for line in lines if "pending" in line or "closes" in line] == [
        "  a pending low ticket that waits from then on goes on at Tuesday 2026-03-31 16:50",
        "  a pending normal ticket with the policy gold that waits from then on goes on at Friday 2026-03-27 17:50",
        "  a pending low ticket with the policy gold that waits from then on goes on at Tuesday 2026-03-31 16:50",
    ]


def test_holidays_are_told_by_name(configured):
    text = """
        [calendar.office]
        hours = { mon-fri = ["09:00-17:00"] }
        holidays = ["03-25", "2026-03-30"]
        holidays_country = "DE"
        holidays_off = ["Easter Monday"]
        shifts = { "2026-05-01" = ["10:00-12:00"] }
        [calendar.all]
        hours = { mon-sun = ["09:00-17:00"] }
        holidays_country = "US"
        """
    everyday, office = promises(load(configured(DESK + text), {}), NOW)[-2:]
    # Labor Day has a shift of its own, and the 3rd of October is a Saturday.
    assert office == (
        "Holidays of the calendar office: Wed 2026-03-25, Mon 2026-03-30, Fri 2026-04-03 (Good Friday),"
        " Thu 2026-05-14 (Ascension Day), Mon 2026-05-25 (Pentecost Monday), Fri 2026-12-25 (Christmas Day),"
        " Fri 2027-01-01 (New Year's Day)"
    )
    assert everyday.startswith("Holidays of the calendar all: Mon 2026-05-25 (Memorial Day), ")
    days = [f"{day:%m-%d}" for day in (NOW + timedelta(days=number) for number in range(20))]
    many = f"[calendar.some]\nhours = {{ mon-sun = ['09:00-17:00'] }}\nholidays = {days}\n"
    assert promises(load(configured(DESK + many), {}), NOW)[-1].endswith(", and 5 more within a year")


def test_the_promise_of_a_named_policy_is_told_too(configured):
    text = (
        DESK
        + """
        [calendar.office]
        hours = { mon-fri = ["09:00-17:00"] }
        [policy.gold.normal]
        calendar = "office"
        first_response = ["15m", "30m"]
        resolution = ["1h", "2h"]
        """
    )
    lines = promises(load(configured(text), {}), NOW)
    assert lines[5] == "  with the policy gold:"
    assert lines[8] == (
        "  a normal ticket on Friday 16:50 must be answered by Monday 2026-03-30 09:20"
        " and resolved by Monday 2026-03-30 10:50 (calendar office)"
    )


@pytest.mark.parametrize(
    ("now", "friday"),
    [
        (datetime(2026, 3, 27, 22, 0, tzinfo=UTC), "2026-03-27"),
        (datetime(2026, 3, 27, 23, 30, tzinfo=UTC), "2026-04-03"),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "2026-04-03"),
    ],
)
def test_the_friday_is_that_of_the_desks_own_week(configured, now, friday):
    assert friday in promises(load(configured(DESK), {}), now)[0]


def test_nobody_to_tell_is_a_hint_and_no_warning(maild, configured):
    assert "hint: operator.address is empty" in maild("check", "-c", configured(DESK + ANN + AUTH)).out
    operator = '[operator]\naddress = "ops@acme.test"\n'
    done = maild("check", "-c", configured(DESK + ANN + AUTH + operator))
    assert (done.code, "hint:" in done.out) == (0, False)


@pytest.fixture
def pem(tmp_path):
    """Write cert.pem, which ends in so many days; give the day."""

    def put(days):
        openssl = shutil.which("openssl")
        if openssl is None:
            missing = "openssl is missing: apt install openssl"
            (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-subj", "/CN=mx.acme.test", "-days", "9", "-out", cert, "-keyout", key]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        # openssl makes none that has ended, and nobody looks at the signature of his own certificate.
        end = datetime.now(UTC) + timedelta(days=days)
        der = ssl.PEM_cert_to_DER_cert(cert.read_text())
        at = der.index(b"\x17\x0d", der.index(b"\x17\x0d") + 2) + 2
        der = der[:at] + f"{end:%y%m%d%H%M%SZ}".encode() + der[at + 13 :]
        cert.write_text(ssl.DER_cert_to_PEM_cert(der) + key.read_text())
        return f"{end:%Y-%m-%d}"

    return put


IMAP = '[[imap]]\nmailbox = "csm@acme.test"\nhost = "imap.acme.test"\npassword_file = "secret"\n'


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            '[smtp]\nlisten = ""\n',
            "hint: smtp.listen and lmtp.listen are empty and there is no [[imap]]: only `maild deliver` brings mail\n",
        ),
        (
            '[lmtp]\nlisten = "/nonexistent/maild/lmtp.sock"\n',
            "hint: lmtp.listen: there is no folder /nonexistent/maild, and `maild serve` makes none",
        ),
    ],
)
def test_what_may_be_meant_is_a_hint(maild, configured, text, hint):
    done = maild("check", "-c", configured(DESK + text))
    assert done.code == 0
    assert hint in done.out


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[smtp]\nlisten = ""\n[lmtp]\nlisten = "127.0.0.1:8024"\n',
        '[lmtp]\nlisten = "/tmp/lmtp.sock"\n',
        f'[smtp]\nlisten = ""\n{IMAP}',
    ],
)
def test_ways_in_that_need_no_word(maild, configured, tmp_path, text):
    (tmp_path / "secret").write_text("hush\n")
    operator = '[operator]\naddress = "ops@acme.test"\n'
    done = maild("check", "-c", configured(DESK + operator + text))
    assert (done.code, "hint:" in done.out) == (0, False)


@pytest.mark.parametrize(("days", "hint"), [(-3, "it ended at {day} "), (7, "it ends at {day} "), (90, "")])
def test_a_certificate_that_ends_is_a_hint_with_its_date(maild, configured, pem, days, hint):
    hint = hint.format(day=pem(days))
    done = maild("check", "-c", configured(DESK + '[smtp]\ntls_certificate = "cert.pem"\n'))
    assert done.code == 0
    told = [line for line in done.out.splitlines() if line.startswith("hint: smtp.tls_certificate: ")]
    assert len(told) == bool(hint)
    assert not hint or hint in told[0]


@pytest.mark.parametrize(("since", "code"), [("2999-01-31", 78), ("2026-01-31", 0), ("all", 0), ("now", 0)])
def test_a_date_in_the_future_is_a_fault_of_check_alone(maild, configured, tmp_path, since, code):
    (tmp_path / "secret").write_text("hush\n")
    path = configured(f'{DESK}{IMAP}since = "{since}"\n')
    done = maild("check", "-c", path)
    assert done.code == code
    assert (f"{path}: imap[1].since: {since} is in the future" in done.err) is bool(code)
    # A daemon on a machine that has not learned the time yet must start.
    assert load(path, {}).imap[0].since == since


def test_the_trials_of_a_keywords_file_are_run(maild, configured):
    path = configured(DESK + ANN + AUTH + '[severity]\nkeywords_file = "words.toml"\n')
    rules = '[points]\nurgent = 5\nhigh = 3\nlow = -2\n[rule.line]\nsays = "the line stands"\npoints = 5\n'
    trial = '[[test]]\nsubject = "Line stands still"\nexpect = "{}"\n'
    words = path.with_name("words.toml")
    words.write_text(f'{rules}phrases.en = ["line stands"]\n{trial.format("urgent")}')
    assert maild("check", "-c", path).code == 0
    words.write_text(f'{rules}phrases.en = ["line stands"]\n{trial.format("urgent")}{trial.format("low")}')
    done = maild("check", "-c", path)
    assert (done.code, done.out) == (78, "")
    assert "severity.keywords_file: test[2] 'Line stands still': expected low, guessed urgent: " in done.err
    assert '+5 the line stands: "line stands"' in done.err
