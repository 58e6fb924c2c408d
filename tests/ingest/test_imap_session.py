"""What servers do to us, said by a server that speaks from a script: the traps of docs/traps.md, one by one."""

import contextlib
import re
import socket
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog

from maild.ingest import imap_login
from maild.ingest.imap_account import Account, Grant, ImapError
from maild.ingest.imap_login import connect, initial_then_end, log_in, logged_in
from maild.ingest.imap_session import UNKNOWN, Session, drain

PATIENCE = 30.0
HANGS_UP = "\0"


class Script:
    """A server. `replies` maps the beginning of a command to what is said, {tag} filled in; None hangs up."""

    def __init__(self, **replies):
        self.replies = {
            "CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n{tag} OK done\r\n",
            "LOGIN": "{tag} OK in\r\n",
            "LOGOUT": "* BYE\r\n{tag} OK out\r\n",
            "EXAMINE": "* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK [READ-ONLY] done\r\n",
            "SELECT": "* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK [READ-WRITE] done\r\n",
            "NOOP": "{tag} OK done\r\n",
            "IDLE": "+ idling\r\n",
            "DONE": "{tag} OK idled\r\n",
            "UID SEARCH": "* SEARCH 1 2 3\r\n{tag} OK done\r\n",
            **{key.replace("_", " "): value for key, value in replies.items()},
        }
        self.heard = []
        self.greeting = "* OK hello\r\n"
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listening.accept()
                threading.Thread(target=self.speak, args=(sock,), daemon=True).start()

    def speak(self, sock):
        with sock, sock.makefile("rb") as lines, contextlib.suppress(OSError):
            sock.sendall(self.greeting.encode())
            tag = ""
            for line in lines:
                words = line.decode().strip()
                self.heard.append(words)
                if re.match(r"[A-Z]+\d+ ", words):
                    tag, _, words = words.partition(" ")
                reply = next(
                    (text for key, text in self.replies.items() if words.startswith(key)), "{tag} BAD what\r\n"
                )
                if callable(reply):
                    reply = reply(words)
                if reply is None:
                    return
                sock.sendall(reply.removesuffix(HANGS_UP).replace("{tag}", tag).encode())
                if reply.endswith(HANGS_UP):
                    return

    def said(self, beginning):
        return [line.partition(" ")[2] for line in self.heard if line.partition(" ")[2].startswith(beginning)]


@pytest.fixture
def make_script():
    scripts = []

    def make(**replies):
        scripts.append(Script(**replies))
        return scripts[-1]

    yield make
    for script in scripts:
        with contextlib.suppress(OSError):
            script.listening.shutdown(socket.SHUT_RDWR)
        script.listening.close()


@pytest.fixture
def account():
    def made(port=0, **changes):
        values = {
            "mailbox": "csm@desk.example",
            "host": "127.0.0.1",
            "port": port,
            "tls": "none",
            "ca_file": None,
            "username": "csm",
            "auth": "password",
            "password": "secret",
            "grant": None,
            "folder": "INBOX",
            "since": "all",
            "idle": True,
            "poll": 1,
            "done_folder": "",
            "quarantine_folder": "",
            "most_octets": 1_000_000,
            "zone": ZoneInfo("UTC"),
        }
        return Account(**{**values, **changes})

    return made


@pytest.fixture
def on(account):
    """Open a session on a script."""
    with contextlib.ExitStack() as stack:

        def opened(script, *, readonly=True):
            session = Session(stack.enter_context(logged_in(account(script.port), None)), "INBOX", readonly=readonly)
            session.select()
            return session

        yield opened


@pytest.fixture
def wake():
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    yield ours, theirs
    ours.close()
    theirs.close()


def idled(session, wake, seconds=PATIENCE):
    at = time.monotonic()
    session.idle(wake[0], seconds)
    return time.monotonic() - at


# Waiting


def test_a_word_that_comes_with_the_start_of_idle_is_heard(make_script, on, wake):
    script = make_script(IDLE="+ idling\r\n* 4 EXISTS\r\n")
    assert idled(on(script), wake) < PATIENCE / 3


def test_a_word_that_comes_later_is_heard(make_script, on, wake):
    script = make_script(IDLE="+ idling\r\n")
    session = on(script)
    replies = script.replies
    replies["IDLE"] = lambda _: time.sleep(0.2) or "+ idling\r\n* 4 EXISTS\r\n"
    assert idled(session, wake) < PATIENCE / 3


def test_a_nudge_ends_idle(make_script, on, wake):
    session = on(make_script())
    wake[1].send(b"..")
    assert idled(session, wake) < PATIENCE / 3
    drain(wake[0])
    assert idled(session, wake, 0.1) >= 0.1


def test_idle_can_be_begun_again_and_again(make_script, on, wake):
    script = make_script()
    session = on(script)
    for _ in range(3):
        idled(session, wake, 0.01)
        assert session.newer(2) == [3]
    assert len(script.said("IDLE")) == 3


@pytest.mark.parametrize(
    "idle",
    [
        None,  # it hangs up at once
        "+ idling\r\n* BYE\r\n{tag} NO over\r\n",
        "* 4 EXISTS\r\n+ idling\r\n",  # the library cannot read a word before the plus
        "{tag} BAD no\r\n",
    ],
)
def test_an_idle_that_fails_is_an_error_and_no_empty_turn(idle, make_script, on, wake):
    session = on(make_script(IDLE=(lambda _: None) if idle is None else idle, DONE=lambda _: None))
    with pytest.raises(ImapError):
        idled(session, wake, 0.5)


def test_a_server_that_hangs_up_in_idle_is_an_error_at_once(make_script, on, wake):
    script = make_script(IDLE="+ idling\r\n")
    session = on(script)
    script.replies["IDLE"] = "+ idling\r\n* BYE bye\r\n"
    script.replies["DONE"] = lambda _: None
    at = time.monotonic()
    with pytest.raises(ImapError, match="ended"):
        idled(session, wake)
    assert time.monotonic() - at < PATIENCE / 3


def test_a_server_that_says_nothing_any_more_is_an_error(make_script, account, monkeypatch):
    monkeypatch.setattr(imap_login, "READ", 0.3)
    script = make_script(EXAMINE="")
    with logged_in(account(script.port), None) as client, pytest.raises(ImapError):
        Session(client, "INBOX", readonly=True).select()


# Looking


def test_the_last_message_is_not_new_for_ever(make_script, on):
    script = make_script()
    session = on(script)
    assert session.newer(3) == []
    assert session.newer(1) == [2, 3]
    assert script.said("UID SEARCH") == ["UID SEARCH UID 4:*", "UID SEARCH UID 2:*"]


def test_a_large_folder_is_searched_in_pieces(make_script, on):
    examine = "* 120000 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK [READ-ONLY] done\r\n"

    def search(words):
        first, last = (int(number) for number in words.split()[-1].split(":"))
        # Ten digits each: all in one line would be more than imaplib reads.
        return f"* SEARCH {' '.join(str(4_000_000_000 + number) for number in range(first, last + 1))}\r\n{{tag}} OK done\r\n"

    script = make_script(EXAMINE=examine, UID_SEARCH=search)
    found = on(script).all_uids()
    assert (len(found), found[0], found[-1]) == (120_000, 4_000_000_001, 4_000_120_000)
    assert script.said("UID SEARCH") == ["UID SEARCH 1:50000", "UID SEARCH 50001:100000", "UID SEARCH 100001:120000"]


def test_without_uidvalidity_nothing_is_fetched(make_script, on):
    script = make_script(EXAMINE="* 3 EXISTS\r\n{tag} OK [READ-ONLY] done\r\n")
    with pytest.raises(ImapError, match="UIDVALIDITY") as caught:
        on(script)
    assert caught.value.refused


def test_looking_changes_nothing(make_script, on):
    script = make_script(UID_FETCH="* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n{tag} OK done\r\n")
    session = on(script)
    assert session.octets([1], 1000) == {1: b"abc"}
    assert script.said("EXAMINE")
    assert not script.said("SELECT")
    assert script.said("UID FETCH") == ["UID FETCH 1 (BODY.PEEK[]<0.1001>)"]


def test_internaldate_is_an_instant(make_script, on):
    fetch = '* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE "11-Mar-2026 09:00:00 +0530")\r\n{tag} OK done\r\n'
    (listed,) = on(make_script(UID_FETCH=fetch)).listed([1, 2])
    assert (listed.uid, listed.size, listed.internal_at.isoformat()) == (1, 9, "2026-03-11T03:30:00+00:00")


@pytest.mark.parametrize(
    "said", ["", " INTERNALDATE NIL", ' INTERNALDATE "x"', ' INTERNALDATE "31-Dec-9999 23:00:00 -1200"']
)
def test_without_internaldate_a_mail_is_new(said, make_script, on):
    fetch = f"* 1 FETCH (UID 1 RFC822.SIZE 9{said})\r\n{{tag}} OK done\r\n"
    (listed,) = on(make_script(UID_FETCH=fetch)).listed([1])
    assert listed.internal_at == UNKNOWN


def test_one_that_the_server_cannot_read_holds_up_no_other(make_script, on):
    def fetch(words):
        uids = [int(uid) for uid in words.split()[2].split(",")]
        if 2 in uids:
            return "{tag} NO [SERVERBUG] cannot be read\r\n"
        return f"* {uids[0]} FETCH (UID {uids[0]} BODY[] {{1}}\r\nx)\r\n{{tag}} OK done\r\n"

    found = on(make_script(UID_FETCH=fetch)).octets([1, 2, 3], 1000)
    assert (found[1], found[3]) == (b"x", b"x")
    assert "cannot be read" in found[2]


@pytest.mark.parametrize("body", ["NIL", '""', "12"])
def test_what_is_no_mail_is_told(body, make_script, on):
    found = on(make_script(UID_FETCH=f"* 1 FETCH (UID 1 BODY[] {body})\r\n{{tag}} OK done\r\n")).octets([1, 2], 1000)
    assert found == {1: "the server gives no octets"}


def test_a_lost_connection_is_no_fault_of_a_mail(make_script, on):
    session = on(make_script(UID_FETCH="* 1 FETCH (UID 1 BODY[] {99}\r\nabc" + HANGS_UP))
    with pytest.raises(ImapError, match="ended"):
        session.octets([1, 2], 1000)


def test_silence_in_the_middle_of_a_literal_ends(make_script, on):
    session = on(make_script(UID_FETCH="* 1 FETCH (UID 1 BODY[] {99}\r\nabc"))
    session._client.socket().settimeout(0.3)
    with pytest.raises(ImapError):
        session.octets([1, 2], 1000)


@pytest.mark.parametrize("name", ["BODY[]", "BODY[]<0>"])
def test_a_part_has_two_names(name, make_script, on):
    session = on(make_script(UID_FETCH=f"* 1 FETCH (UID 1 {name} {{3}}\r\nabc)\r\n{{tag}} OK done\r\n"))
    assert session.octets([1], 1000) == {1: b"abc"}


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("UID_FETCH", "* 1 FETCH (UID 1 BODY[]<0> {1073741824}\r\nabc"),
        ("UID_FETCH", "* 1 FETCH (UID 1 BODY[]<0> {99999999999999}\r\nabc"),
        ("UID_FETCH", "".join(f"* {n} FETCH (UID {n} BODY[]<0> {{600}}\r\n{'x' * 600})\r\n" for n in range(1, 9))),
        ("UID_FETCH", "* 1 FETCH (UID 1 FLAGS ())\r\n" * 500),
        ("NOOP", "* 1 FETCH (UID 1 BODY[] {99999999999999}\r\nabc"),
        ("UID_SEARCH", "* SEARCH {99999999999999}\r\n1"),
        ("UID_SEARCH", "* SEARCH 1\r\n" * 500),
    ],
)
def test_an_answer_has_its_limit(command, reply, make_script, on, monkeypatch):
    script = make_script()
    session = on(script)
    monkeypatch.setattr(imap_login, "ANSWER", 2000)
    script.replies[command.replace("_", " ")] = reply + "{tag} OK done\r\n"
    with pytest.raises(ImapError, match="longer than") as caught:  # noqa: PT012 - either may be the first to ask
        session.newer(0)
        session.octets([1], 1000)
    assert not caught.value.alive


def test_the_limit_is_that_of_one_answer(make_script, on, monkeypatch):
    session = on(make_script())
    monkeypatch.setattr(imap_login, "ANSWER", 400)
    assert [session.newer(0) for _ in range(20)] == [[1, 2, 3]] * 20


def test_the_limit_holds_while_logging_in(make_script, account, monkeypatch):
    monkeypatch.setattr(imap_login, "ANSWER", 2000)
    script = make_script(LOGIN="* CAPABILITY IMAP4rev1 {1073741824}\r\nabc")
    with pytest.raises(ImapError, match="longer than"), logged_in(account(script.port), None):
        pass


@pytest.mark.parametrize(("said", "size"), [("9", 9), ("0", 0), ("x", 0), ("NIL", 0), ('"9 octets"', 0)])
def test_a_size_that_is_no_number_is_unknown(said, size, make_script, on):
    fetch = f"* 1 FETCH (UID 1 RFC822.SIZE {said})\r\n{{tag}} OK done\r\n"
    assert [one.size for one in on(make_script(UID_FETCH=fetch)).listed([1])] == [size]


ODD = f"* SEARCH 0 1 2 4294967295 4294967296 {2**63} {10**30}\r\n{{tag}} OK done\r\n"


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (lambda session: session.all_uids(), [1, 2, 2**32 - 1]),
        (lambda session: session.newer(1), [2, 2**32 - 1]),
        (lambda session: session.larger(9), [1, 2, 2**32 - 1]),
    ],
)
def test_what_can_be_no_uid_is_none(ask, found, make_script, on):
    session = on(make_script(UID_SEARCH=ODD))
    with structlog.testing.capture_logs() as logs:
        assert ask(session) == found
    assert [(line["event"], line["log_level"]) for line in logs] == [("imap.no_uids", "warning")]


@pytest.mark.parametrize("said", ["0", str(2**32), str(10**30)])
def test_what_can_be_no_uidvalidity_is_none(said, make_script, on):
    script = make_script(EXAMINE=f"* 3 EXISTS\r\n* OK [UIDVALIDITY {said}] x\r\n{{tag}} OK [READ-ONLY] done\r\n")
    with pytest.raises(ImapError, match="UIDVALIDITY"):
        on(script)


# Moving


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [
        ("MOVE UIDPLUS", ['UID MOVE 1,2 "Done"']),
        (
            "UIDPLUS",
            ['UID COPY 1,2 "Done"', "UID STORE 1,2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1,2"],
        ),
    ],
)
def test_single_messages_are_moved(capabilities, said, make_script, on):
    known = f"* CAPABILITY IMAP4rev1 {capabilities}\r\n{{tag}} OK done\r\n"
    script = make_script(
        CAPABILITY=known, **dict.fromkeys(("UID_MOVE", "UID_COPY", "UID_STORE", "UID_EXPUNGE"), "{tag} OK done\r\n")
    )
    session = on(script, readonly=False)
    assert session.can_move
    session.move({2, 1}, "Done")
    assert [line for line in script.said("UID") if not line.startswith("UID SEARCH")] == said


def test_without_either_nothing_can_be_moved(make_script, on):
    known = "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"
    session = on(make_script(CAPABILITY=known))
    assert not session.can_move
    assert not session.can_idle


# Logging in


def test_no_tls_where_tls_was_asked_for_is_an_error(make_script, account):
    script = make_script()
    with pytest.raises(ImapError) as caught, logged_in(account(script.port, tls="starttls"), None):
        pass
    assert caught.value.refused
    assert not script.said("LOGIN")


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        ("{tag} NO [AUTHENTICATIONFAILED] no\r\n", True),
        ("{tag} NO [UNAVAILABLE] later\r\n", False),
        ("* BYE too many\r\n" + HANGS_UP, False),
        (None, False),
    ],
)
def test_whose_fault_a_login_is(reply, refused, make_script, account):
    script = make_script(LOGIN=(lambda _: None) if reply is None else reply)
    client = connect(account(script.port))
    with pytest.raises(ImapError) as caught:
        log_in(client, account(script.port), None)
    client.shutdown()
    assert caught.value.refused == refused
    assert "secret" not in str(caught.value)


def test_letters_beyond_ascii_go_by_plain(make_script, account):
    script = make_script(AUTHENTICATE="+ \r\n", AGNzbQBnZWhlaW3Dnw="{tag} OK in\r\n")
    with contextlib.suppress(ImapError), logged_in(account(script.port, password="geheimß"), None):
        pass
    assert script.said("AUTHENTICATE") == ["AUTHENTICATE PLAIN"]
    assert "AGNzbQBnZWhlaW3Dnw==" in script.heard


@pytest.mark.parametrize(
    ("auth", "username", "first", "end"),
    [
        ("xoauth2", "csm@a.example", b"user=csm@a.example\x01auth=Bearer tok\x01\x01", b""),
        (
            "oauthbearer",
            "a=b,c@a.example",
            b"n,a=a=3Db=2Cc@a.example,\x01host=127.0.0.1\x01port=993\x01auth=Bearer tok\x01\x01",
            b"\x01",
        ),
    ],
)
def test_what_is_said_with_a_token(auth, username, first, end, account):
    respond = initial_then_end(account(993, auth=auth, username=username), "tok")
    assert [respond(b""), respond(b'{"status":"401"}'), respond(b"")] == [first, end, end]


def test_an_authority_that_cannot_be_read_is_told(account, tmp_path):
    with pytest.raises(ImapError, match="tls_ca_file") as caught:
        connect(account(1, tls="implicit", ca_file=tmp_path / "none.pem"))
    assert caught.value.refused


def test_nobody_listens(account):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ImapError) as caught:
            connect(account(bound.getsockname()[1]))
    assert not caught.value.refused


def test_secrets_do_not_show(account):
    grant = Grant("https://a.example/token", "maild", "hush-1", "hush-2", "", Path("kept"))
    assert "hush" not in repr(account(password="hush-3", grant=grant))
