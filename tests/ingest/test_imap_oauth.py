"""Access tokens: what is asked, what is kept, and what is said when none is given."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from maild.ingest.imap_account import Grant, ImapError
from maild.ingest.imap_oauth import EARLY, Tokens, form


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def endpoint():
    """A token endpoint that says what its `replies` hold, in turn, the last one for ever; `asked` are the forms."""
    replies, asked = [], []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append({key: values[0] for key, values in fields.items()})
            status, body = replies.pop(0) if len(replies) > 1 else replies[0]
            octets = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1], replies, asked
    server.shutdown()
    thread.join(30)
    server.server_close()


@pytest.fixture
def grant(endpoint, tmp_path):
    def made(**changes):
        values = {
            "token_url": f"http://127.0.0.1:{endpoint[0]}/token?tenant=a",
            "client_id": "maild",
            "client_secret": "hush",
            "refresh_token": "r0",
            "scope": "",
            "kept": tmp_path / "imap.token",
        }
        return Grant(**{**values, **changes})

    return made


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, {"grant_type": "refresh_token", "refresh_token": "r0", "client_id": "maild", "client_secret": "hush"}),
        ({"client_secret": ""}, {"grant_type": "refresh_token", "refresh_token": "r0", "client_id": "maild"}),
        (
            {"refresh_token": "", "scope": "https://outlook.office365.com/.default"},
            {
                "grant_type": "client_credentials",
                "client_id": "maild",
                "client_secret": "hush",
                "scope": "https://outlook.office365.com/.default",
            },
        ),
    ],
)
def test_what_is_asked(changes, fields, grant):
    one = grant(**changes)
    assert form(one, one.refresh_token) == fields


def test_a_token_is_kept_until_shortly_before_its_end(endpoint, grant):
    _, replies, asked = endpoint
    replies += [(200, {"access_token": "a1", "expires_in": 3600}), (200, {"access_token": "a2"})]
    clock = Clock()
    tokens = Tokens(grant(), clock)
    assert [tokens.access(), tokens.access()] == ["a1", "a1"]
    clock.now += 3600 - EARLY - 1
    assert tokens.access() == "a1"
    clock.now += 2
    assert tokens.access() == "a2"
    tokens.spoil()
    assert tokens.access() == "a2"
    assert len(asked) == 3


@pytest.mark.parametrize("lasts", [30, "3600", "soon", None, -5])
def test_odd_lifetimes(lasts, endpoint, grant):
    _, replies, asked = endpoint
    replies.append((200, {"access_token": "a1", "expires_in": lasts}))
    tokens = Tokens(grant(), Clock())
    assert [tokens.access(), tokens.access()] == ["a1", "a1"]
    assert len(asked) == 1


def test_a_newer_refresh_token_is_kept_and_used(endpoint, grant, tmp_path):
    _, replies, asked = endpoint
    replies += [(200, {"access_token": "a1", "refresh_token": "r1"}), (200, {"access_token": "a2"})]
    Tokens(grant()).access()
    kept = tmp_path / "imap.token"
    assert kept.stat().st_mode & 0o777 == 0o600
    Tokens(grant()).access()
    # Another process, and the operator put another token into the file of the configuration.
    Tokens(grant(refresh_token="new")).access()
    assert [fields["refresh_token"] for fields in asked] == ["r0", "r1", "new"]


def test_a_kept_file_that_is_damaged_is_none(endpoint, grant, tmp_path):
    endpoint[1].append((200, {"access_token": "a1"}))
    for damaged in (b"", b"\xff", b"[]", b'{"of": 1}'):
        (tmp_path / "imap.token").write_bytes(damaged)
        Tokens(grant()).access()
    assert {fields["refresh_token"] for fields in endpoint[2]} == {"r0"}


def test_where_it_cannot_be_kept_is_said(endpoint, grant, tmp_path):
    endpoint[1].append((200, {"access_token": "a1", "refresh_token": "r1"}))
    with pytest.raises(ImapError, match="cannot be written"):
        Tokens(grant(kept=tmp_path / "none" / "imap.token")).access()


@pytest.mark.parametrize(
    ("status", "body", "words", "refused"),
    [
        (400, {"error": "invalid_grant", "error_description": "revoked"}, "invalid_grant revoked", True),
        (401, {}, "without a reason", True),
        (503, {"error": "later"}, "later", False),
        (200, {"token_type": "Bearer"}, "without a reason", True),
        (200, {"access_token": ""}, "without a reason", True),
        (200, {"access_token": ["a"]}, "without a reason", True),
        (200, b"<html>", "without JSON", False),
        (404, b"<html>", "without JSON", True),
        (502, b"[]", "without JSON", False),
        (302, {"access_token": "stolen"}, "302", True),
    ],
)
def test_no_token(status, body, words, refused, endpoint, grant):
    endpoint[1].append((status, body))
    with pytest.raises(ImapError, match=words) as caught:
        Tokens(grant()).access()
    assert caught.value.refused == refused
    assert "hush" not in str(caught.value)
    assert "r0" not in str(caught.value)


def test_nobody_answers(grant):
    with pytest.raises(ImapError, match="no token") as caught:
        Tokens(grant(token_url="http://127.0.0.1:1/token")).access()
    assert not caught.value.refused


def test_https_is_verified(endpoint, grant):
    # A server that speaks no TLS: nothing is said to it in plain text.
    with pytest.raises(ImapError):
        Tokens(grant(token_url=f"https://127.0.0.1:{endpoint[0]}/token")).access()
    assert endpoint[2] == []
