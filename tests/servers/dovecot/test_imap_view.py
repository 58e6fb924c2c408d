"""What a session on a real Dovecot sees of new mail when it only asks."""

import contextlib

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
