"""What a session on a real Dovecot sees of new mail when it only asks."""

import contextlib
from email.policy import SMTP

import pytest
from imapclient import IMAPClient

from maild.ingest.imap_session import Session


@pytest.fixture
def session(dovecot):
    client = IMAPClient("127.0.0.1", dovecot.port, ssl=False, timeout=30)
    client.login("csm@desk.example", "secret")
    session = Session(client, "INBOX", readonly=True)
    session.select()
    yield session
    with contextlib.suppress(Exception):
        client.shutdown()


def test_new_mail_is_seen_at_the_first_question(session, dovecot, letter):
    for number in range(1, 4):
        dovecot.put(letter(f"Mail {number}"))
        assert session.newer(number - 1) == [number]


def test_no_more_comes_of_a_large_mail_than_was_asked_for(session, dovecot, letter):
    whole = letter("Large", text="word " * 4000).as_bytes(policy=SMTP)
    dovecot.put(whole)
    dovecot.put(letter("Small"))
    assert session.newer(0) == [1, 2]
    found = session.octets([1, 2], 5000)
    assert found[1] == whole[:5001]
    assert session.octets([1], len(whole)) == session.octets([1], len(whole) - 1) == {1: whole}
    assert found[2] == session.octets([2], 10**9)[2]
    assert not any(b"Seen" in line for line in dovecot.flags())
