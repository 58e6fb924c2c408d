"""`maild doctor` as a command: its lines, its codes, and probes that break or hang."""

import base64
import json
import socket
import ssl
import threading
from dataclasses import replace

import pytest
from imapclient.exceptions import LoginError

from maild.cli import doctor as command
from maild.cli.doctor_auth import probe_auth
from maild.cli.doctor_imap import advised, probe_imap
from maild.cli.doctor_running import run, within, without_secrets
from maild.cli.finding import Finding
from maild.config import load
from maild.config.imap import accounts
from maild.ingest.imap_account import ImapError

DESK = """
[desk]
address = "csm@desk.example"
data_dir = "."
[[agent]]
id = "ann"
address = "ann@staff.example"
[smtp]
listen = "127.0.0.1:0"
hostname = "localhost"
"""
PASSWORD = "correct horse"


@pytest.fixture
def configured(tmp_path):
    tmp_path.chmod(0o700)

    def put(more=""):
        path = tmp_path / "maild.toml"
        path.write_text(DESK + more, "utf-8")
        return path

    return put


@pytest.fixture
def secretive(configured, tmp_path):
    """A configuration with a secret of every kind."""
    for name in ("relay-password", "imap-secret"):
        (tmp_path / name).write_text(f"{PASSWORD} {name}\n")
    more = (
        '[relay]\nhost = "127.0.0.1"\nport = 9\nusername = "csm"\npassword_file = "relay-password"\n'
        '[database]\nurl = "postgres://maild:hunter22@127.0.0.1:9/maild"\n'
        '[[imap]]\nmailbox = "csm@desk.example"\nhost = "127.0.0.1"\nport = 9\npassword_file = "imap-secret"\n'
    )
    return load(configured(more), {}, secrets=True)


def test_a_desk_that_is_not_set_up_yet(maild, configured):
    path = configured('[relay]\nhost = "127.0.0.1"\nport = 9\n[auth]\ndkim = "off"\n')
    done = maild("doctor", "-c", path, "--json")
    found = {line["name"]: line for line in map(json.loads, done.out.splitlines())}
    assert done.code == 69
    assert done.err == f"{path}: 1 failed\n"
    assert all(set(line) == {"name", "verdict", "words"} for line in found.values())
    assert found["relay"]["verdict"] == "fail"
    assert found["relay"]["words"].endswith("port 9: Connection refused")
    assert found["database"] == {
        "name": "database",
        "verdict": "warn",
        "words": f"{path.parent}/maild.db is not there yet: `maild serve` makes it",
    }
    assert found["smtp.listen"]["verdict"] == "ok"
    assert found["data_dir"]["verdict"] == "ok"
    assert found["time zones"]["verdict"] == "ok"
    # Nothing was made by looking.
    assert sorted(file.name for file in path.parent.iterdir()) == ["maild.toml"]
    # In words of `maild check`.
    assert found["auth"]["verdict"] == "warn"
    assert found["auth"]["words"] in maild("check", "-c", path).out


def test_lines_for_people(maild, configured):
    path = configured('[relay]\nhost = "127.0.0.1"\nport = 9\n[auth]\nauthserv_id = "mx.desk.example"\n')
    lines = maild("doctor", "-c", path).out.splitlines()
    (auth,) = (line for line in lines if "auth: " in line)
    assert auth == (
        "ok    auth: the word of mx.desk.example counts, from the hops in smtp.trusted; where they say nothing, maild checks"
        " DKIM signatures itself"
    )
    assert all(line[:6] in ("ok    ", "warn  ", "fail  ") for line in lines)


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("", ["maild checks DKIM signatures itself"]),
        (
            'authserv_id = ["mx1.desk.example", "mx2.desk.example"]\nhops = [".desk.example", "192.0.2.1"]\ndkim = "off"\n',
            [
                "the word of mx1.desk.example and mx2.desk.example counts, from the hops in smtp.trusted, past 2 hops of ours",
                "maild checks no DKIM signature itself (auth.dkim)",
            ],
        ),
        (
            'unnamed = true\nhops = [".outlook.com"]\nbelow = 1\narc_sealers = ["google.com"]\n',
            [
                (
                    "the word of fields without a name counts, from the hops in smtp.trusted, past 1 hop of ours, and 1 below"
                    " the last one's Received"
                ),
                "ARC seals of google.com count",
                "where they say nothing, maild checks DKIM signatures itself",
            ],
        ),
    ],
)
def test_whose_word_counts(configured, auth, words):
    (found,) = probe_auth(load(configured(f"[auth]\n{auth}"), {}))
    assert (found.verdict, found.words) == ("ok", "; ".join(words))


def test_the_word_of_nobody_where_the_libraries_are_missing(monkeypatch, configured):
    monkeypatch.setattr("maild.ingest.verify.find_spec", lambda name: None)
    (found,) = probe_auth(load(configured(), {}))
    assert found.verdict == "warn"
    assert "pip install 'maild[dkim]' was not done" in found.words
    (found,) = probe_auth(load(configured('[auth]\nauthserv_id = "mx.desk.example"\n'), {}))
    assert found.words.endswith("maild checks no DKIM signature itself: pip install 'maild[dkim]'")


def test_a_configuration_with_faults_is_refused(maild, configured):
    assert maild("doctor", "-c", configured("[relay]\nhots = 1\n")).code == 78


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warn", 0), ("fail", 69)])
def test_the_code(maild, configured, monkeypatch, verdict, code):
    monkeypatch.setattr(command, "PROBES", (lambda config: [Finding("disk", verdict, "so it is")],))
    assert maild("doctor", "-c", configured()).code == code


def test_what_would_drive_a_terminal_is_not_printed(maild, configured, monkeypatch):
    found = Finding("relay", "warn", "250 \x1b]0;owned\x07 red \x9b31m \u202egnp")
    monkeypatch.setattr(command, "PROBES", (lambda config: [found],))
    assert maild("doctor", "-c", configured()).out == "warn  relay: 250 ]0;owned red 31m gnp\n"


def test_a_probe_that_breaks_hides_no_other(secretive):
    def probe_first(config):
        yield Finding("first", "ok", "fine")
        raise RuntimeError(f"logged in with {config.relay_password}")

    def probe_second(config):
        return [Finding("second", "ok", "fine")]

    assert list(run((probe_first, probe_second), secretive, 30)) == [
        Finding("first", "ok", "fine"),
        Finding("first", "fail", "the probe itself broke: RuntimeError: logged in with ***"),
        Finding("second", "ok", "fine"),
    ]


def test_a_probe_that_hangs_hides_no_other(secretive):
    never = threading.Event()

    def probe_hanging(config):
        yield Finding("hanging", "ok", "so far")
        never.wait(60)

    def probe_second(config):
        return [Finding("second", "ok", "fine")]

    try:
        found = list(run((probe_hanging, probe_second), secretive, 1))
    finally:
        never.set()
    assert found == [
        Finding("hanging", "ok", "so far"),
        Finding("hanging", "fail", "not done within 1 s"),
        Finding("second", "ok", "fine"),
    ]


def test_an_imap_account_that_hangs_hides_no_other(configured, tmp_path):
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    account = '[[imap]]\nmailbox = "csm@desk.example"\nhost = "127.0.0.1"\ntls = "none"\npassword_file = "secret"\n'
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"INBOX": silent.getsockname()[1], "Other": 9}
        more = "".join(f'{account}port = {port}\nfolder = "{folder}"\n' for folder, port in ports.items())
        found = list(probe_imap(load(configured(more), {}, secrets=True), 3))
    assert [(finding.name, finding.verdict) for finding in found] == [
        ("imap csm@desk.example@127.0.0.1/INBOX", "fail"),
        ("imap csm@desk.example@127.0.0.1/Other", "fail"),
    ]
    assert found[0].words == "not done within 3 s"
    assert "Connection refused" in found[1].words


def raised(cause, words="it said no", *, refused=True):
    error = ImapError(words, refused=refused)
    error.__cause__ = cause
    return error


def no_tls(reason):
    error = ssl.SSLError(1, "[SSL]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("cause", "more", "words"),
    [
        (LoginError("no"), {}, "it said no: see imap.username and imap.password_file"),
        (LoginError("no"), {"auth": "xoauth2"}, "see imap.username and imap.refresh_token_file, or imap.client_secret"),
        (ssl.SSLCertVerificationError(1, "x"), {}, "it said no: see imap.host, and imap.tls_ca_file where"),
        (
            no_tls("WRONG_VERSION_NUMBER"),
            {},
            'imap.desk.example port 143 speaks no TLS: write imap.tls = "starttls", or use its port for TLS, 993',
        ),
        (no_tls("WRONG_VERSION_NUMBER"), {"tls": "starttls"}, "imap.desk.example port 143: it said no"),
        (no_tls("NO_CIPHERS"), {}, "imap.desk.example port 143: it said no"),
        (
            ConnectionRefusedError(111, "x"),
            {},
            "nobody listens at imap.desk.example port 143 (Connection refused): see",
        ),
        (socket.gaierror(-2, "Name unknown"), {}, "unknown host: imap.host = 'imap.desk.example' (Name unknown)"),
        (TimeoutError("timed out"), {}, "imap.desk.example port 143: it said no"),
        (None, {}, "it said no"),
    ],
)
def test_a_fault_of_an_account_names_what_to_look_at(configured, tmp_path, cause, more, words):
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    text = '[[imap]]\nmailbox = "csm@desk.example"\nhost = "imap.desk.example"\nport = 143\npassword_file = "secret"\n'
    (account,) = accounts(load(configured(text), {}, secrets=True))
    assert words in advised(replace(account, **more), raised(cause))


def test_a_login_that_is_put_off_blames_nobody(configured, tmp_path):
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    text = '[[imap]]\nmailbox = "csm@desk.example"\nhost = "imap.desk.example"\npassword_file = "secret"\n'
    (account,) = accounts(load(configured(text), {}, secrets=True))
    assert advised(account, raised(LoginError("[UNAVAILABLE]"), refused=False)) == "it said no"


def test_a_server_without_tls_at_the_port_is_told_so(configured, tmp_path):
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")

    def greet():
        with server.accept()[0] as client:
            client.sendall(b"* OK IMAP4rev1 ready\r\n")
            client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        port = server.getsockname()[1]
        text = f'[[imap]]\nmailbox = "csm@desk.example"\nhost = "127.0.0.1"\nport = {port}\npassword_file = "secret"\n'
        (finding,) = probe_imap(load(configured(text), {}, secrets=True), 20)
    assert finding.words.startswith(f"127.0.0.1 port {port} speaks no TLS: write imap.tls")


def test_within():
    never = threading.Event()
    assert within(30, lambda: 7) == 7
    with pytest.raises(FileNotFoundError):
        within(30, lambda: open("/nonexistent"))  # noqa: SIM115, PTH123 - it opens nothing
    with pytest.raises(TimeoutError, match="no answer within 0 s"):
        within(0.1, lambda: never.wait(60))
    never.set()


@pytest.mark.parametrize(
    "secret",
    [
        "hunter22",
        f"{PASSWORD} relay-password",
        f"{PASSWORD} imap-secret",
        base64.b64encode(f"{PASSWORD} relay-password".encode()).decode(),
        base64.b64encode(f"\0csm\0{PASSWORD} relay-password".encode()).decode(),
    ],
)
def test_no_secret_is_quoted(secretive, secret):
    assert without_secrets(f"501 cannot decode {secret} from you", secretive) == "501 cannot decode *** from you"


def test_nothing_of_a_whole_run_shows_a_secret(secretive, maild):
    done = maild("doctor", "-c", secretive.path, "--json")
    assert done.code == 69
    for secret in (PASSWORD, "hunter22"):
        assert secret not in done.out + done.err


def test_a_desk_without_secrets_keeps_its_words(configured):
    config = load(configured(), {}, secrets=True)
    assert without_secrets("220 relay ESMTP AHNtAA==", config) == "220 relay ESMTP AHNtAA=="
