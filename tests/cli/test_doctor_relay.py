"""What `maild doctor` says of a smarthost: real SMTP servers on loopback, in a thread of their own."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import ExitStack

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from maild.cli.doctor_relay import LARGEST, judge_reply, judge_size, probe_relay
from maild.config import load

DESK = """
[desk]
address = "csm@desk.example"
data_dir = "."
[[agent]]
id = "ann"
address = "ann@staff.example"
[relay]
"""


class Handler:
    """Answers as a test says, and keeps what was asked."""

    def __init__(self, **replies):
        self.replies = replies
        self.heard = []

    def answer(self, what, address):
        self.heard.append((what, address))
        return self.replies.get(what, "250 OK")

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 - aiosmtpd's name
        session.host_name = hostname
        self.heard.append(("EHLO", hostname))
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        return self.answer("MAIL", address)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        return self.answer("RCPT", address)

    async def handle_RSET(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        return self.answer("RSET", "")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        return self.answer("DATA", "")


class Server(Controller):
    def __init__(self, handler, **how):
        self.how = how
        implicit = how.pop("implicit", None)
        # Port 0 would be asked for by name once it listens.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        super().__init__(handler, hostname="127.0.0.1", port=port, ssl_context=implicit, ready_timeout=30)

    def factory(self):
        return SMTP(self.handler, hostname="relay.test", ident="ESMTP", **self.how)

    def _trigger_server(self):
        """It knocks once at itself, which with a certificate of the tests' own fails."""
        with socket.create_connection(("127.0.0.1", self.port), 30):
            pass


@pytest.fixture
def served():
    with ExitStack() as stack:

        def serve(handler, **how):
            server = Server(handler, **how)
            server.start()
            stack.callback(server.stop)
            return server.port

        yield serve


@pytest.fixture
def looked(tmp_path):
    """Run the probe on a [relay]; give {name: (verdict, words)}."""

    def look(port, more='tls = "none"', desk=DESK, host="127.0.0.1"):
        (tmp_path / "maild.toml").write_text(f'{desk}host = "{host}"\nport = {port}\n{more}\n')
        found = probe_relay(load(tmp_path / "maild.toml", {}, secrets=True))
        return {finding.name: (finding.verdict, finding.words) for finding in found}

    return look


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that ends in two days: the server's context, and the file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    folder = tmp_path_factory.mktemp("relay")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-keyout", key, "-out", cert, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context, cert


@pytest.fixture
def trusting(certificate, monkeypatch):
    """The system's authorities are, for this test, the one certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    return certificate[0]


def test_a_relay_that_is_well(served, looked):
    handler = Handler()
    port = served(handler, data_size_limit=50_000_000)
    assert looked(port) == {
        "relay": ("ok", f"127.0.0.1 (127.0.0.1) port {port}, in plain text, without a login: relay.test ESMTP"),
        "relay size": ("ok", "it takes 50.0 MB"),
        "relay sender": ("ok", "csm@desk.example: 250 OK"),
        "relay recipient": ("ok", "ann@staff.example: 250 OK"),
    }
    # Everything was taken back, and nothing was sent.
    assert handler.heard == [
        ("EHLO", "desk.example"),
        ("MAIL", "csm@desk.example"),
        ("RCPT", "ann@staff.example"),
        ("RSET", ""),
    ]


@pytest.mark.parametrize(
    ("replies", "name", "verdict", "words"),
    [
        ({"MAIL": "550 5.7.1 not you"}, "sender", "fail", "it refuses the sender: csm@desk.example: 550 5.7.1 not you"),
        ({"MAIL": "530 5.7.0 who are you"}, "sender", "fail", "it wants a login, or TLS first"),
        ({"RCPT": "554 5.7.1 no relaying"}, "recipient", "fail", "it refuses the recipient: ann@staff.example: 554"),
        ({"RCPT": "451 4.7.1 greylisted"}, "recipient", "warn", "it asks to come back later"),
    ],
)
def test_a_relay_that_refuses(served, looked, replies, name, verdict, words):
    handler = Handler(**replies)
    found = looked(served(handler))
    assert found["relay"][0] == "ok"
    assert found[f"relay {name}"][0] == verdict
    assert found[f"relay {name}"][1].startswith(words)
    assert handler.heard[-1] == ("RSET", "")


def test_a_desk_without_agents_names_no_recipient(served, looked):
    handler = Handler()
    found = looked(served(handler), desk='[desk]\naddress = "csm@desk.example"\ndata_dir = "."\n[relay]\n')
    assert "relay recipient" not in found
    assert ("MAIL", "csm@desk.example") in handler.heard


def test_a_small_relay(served, looked):
    assert looked(served(Handler(), data_size_limit=10_000_000))["relay size"][0] == "warn"


def test_nobody_is_there(looked):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        found = looked(port)
    words = f"nothing answers at 127.0.0.1 (127.0.0.1) port {port}: Connection refused"
    assert found == {"relay": ("fail", words)}


def test_plain_text_over_a_network(served, looked):
    # It is this machine, by a name that does not say so.
    found = looked(served(Handler()), host="0.0.0.0")  # noqa: S104 - it is only connected to
    assert found["relay tls"][0] == "warn"
    assert found["relay"][0] == "ok"


def test_a_name_that_is_none(looked):
    found = looked(25, host="relay.invalid")
    assert list(found) == ["relay"]
    assert found["relay"][0] == "fail"
    assert found["relay"][1].startswith("relay.invalid is not found: ")


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_tls_is_verified_and_its_end_is_told(served, looked, trusting, mode):
    how = {"implicit": trusting} if mode == "implicit" else {"tls_context": trusting}
    found = looked(served(Handler(), **how), f'tls = "{mode}"')
    assert found["relay"][0] == "ok", found
    assert ", TLSv1.3, without a login: " in found["relay"][1]
    assert found["relay certificate"][0] == "warn"
    assert found["relay recipient"] == ("ok", "ann@staff.example: 250 OK")


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_a_certificate_that_does_not_verify(served, looked, certificate, mode):
    handler = Handler()
    how = {"implicit": certificate[0]} if mode == "implicit" else {"tls_context": certificate[0]}
    found = looked(served(handler, **how), f'tls = "{mode}"')
    assert list(found) == ["relay"]
    assert found["relay"][0] == "fail"
    assert "its certificate does not verify: self" in found["relay"][1]
    assert all(what == "EHLO" for what, _ in handler.heard)


def test_no_starttls_where_it_is_wanted(served, looked):
    handler = Handler()
    found = looked(served(handler), 'tls = "starttls"')
    assert found["relay"][0] == "fail"
    assert found["relay"][1].startswith("STARTTLS fails, and nothing goes in plain text instead, at ")
    assert handler.heard == [("EHLO", "desk.example")]


@pytest.mark.parametrize(("password", "verdict"), [("open sesame", "ok"), ("guess", "fail")])
def test_a_login(served, looked, trusting, tmp_path, password, verdict):
    def authenticator(server, session, envelope, mechanism, data):
        good = data.password == b"open sesame"
        return AuthResult(
            success=good, handled=False, message=None if good else f"535 not with {data.password.decode()}"
        )

    (tmp_path / "secret").write_text(f"{password}\n")
    port = served(Handler(), tls_context=trusting, authenticator=authenticator, auth_required=True)
    found = looked(port, 'tls = "starttls"\nusername = "csm"\npassword_file = "secret"')
    assert found["relay"][0] == verdict, found
    assert "logged in as csm" in found["relay"][1] or "the login of csm is refused at " in found["relay"][1]
    assert password not in str(found)


def test_a_login_that_is_not_offered(served, looked, tmp_path):
    (tmp_path / "secret").write_text("open sesame\n")
    found = looked(served(Handler()), 'tls = "none"\nusername = "csm"\npassword_file = "secret"')
    assert found["relay"][0] == "fail"
    assert found["relay"][1].startswith("the login of csm is refused at ")
    assert "AUTH" in found["relay"][1]


def test_a_relay_that_says_nothing(looked):
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = looked(server.getsockname()[1])
    assert found["relay"][0] == "fail"
    assert found["relay"][1].startswith("nothing answers at ")


def test_a_relay_that_hangs_up(looked):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def turn_away():
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"554 5.7.1 no mail from you \x1b[31m\r\n")

        thread = threading.Thread(target=turn_away)
        thread.start()
        found = looked(server.getsockname()[1])
        thread.join()
    assert found["relay"][0] == "fail"
    assert "554 5.7.1 no mail from you" in found["relay"][1]
    assert "\x1b" not in found["relay"][1]


@pytest.mark.parametrize(
    ("announced", "verdict"),
    [(None, "ok"), ("", "ok"), ("0", "ok"), (str(LARGEST), "ok"), (str(LARGEST - 1), "warn"), ("many", "ok")],
)
def test_sizes(announced, verdict):
    assert judge_size(announced).verdict == verdict


@pytest.mark.parametrize(
    ("code", "verdict"), [(250, "ok"), (251, "ok"), (421, "warn"), (450, "warn"), (530, "fail"), (550, "fail")]
)
def test_replies(code, verdict):
    assert judge_reply("sender", "a@b.example", code, "x").verdict == verdict
