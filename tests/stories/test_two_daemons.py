"""Two daemons on one ledger, as a desk has them that outgrew one machine."""

import contextlib
import signal
import smtplib
import time
from collections import Counter

import pytest

LETTERS = 200


@pytest.fixture
def shared(postgres, make_desk):
    """Make desks on one PostgreSQL ledger; `shared.ask` looks into it."""
    with postgres.database() as url:

        def desk():
            return make_desk(f'[database]\nurl = "{url}"')

        desk.ask = lambda sql: postgres.sql(sql, url.rpartition("/")[2])
        yield desk


def test_a_mail_becomes_a_ticket_and_is_acknowledged(shared, sink, write):
    desk = shared().start()
    desk.send(
        write("Carol <carol@acme.example>", "csm@desk.example", "Checkout is down", "Nobody can pay."),
        "carol@acme.example",
    )
    assert "Checkout is down" in sink.wait("carol@acme.example").subject
    (ticket,) = desk.tickets()
    assert ticket["requester"]
    assert desk.show(ticket["id"])["subject"] == "Checkout is down"
    assert desk.kill(15) == 0


def test_two_daemons_share_the_work_and_one_that_is_killed_loses_and_repeats_nothing(shared, sink, write):
    one, two = shared().start(), shared().start()
    mails = [
        (f"c{number}@acme.example", write(f"c{number}@acme.example", "csm@desk.example", f"Question {number}", "How?"))
        for number in range(LETTERS)
    ]
    for number, (sender, mail) in enumerate(mails):
        if number == LETTERS // 2:
            one.kill()
        desk = one if number % 2 and number < LETTERS // 2 else two
        # What a mail server does that got no reply: it sends the same octets again, elsewhere.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            desk.send(mail, sender)
            continue
        two.send(mail, sender)

    two.until(lambda: shared.ask("SELECT count(*) FROM received WHERE state <> 'done'") == "0", "an empty queue")
    assert shared.ask("SELECT count(*), count(DISTINCT message_id) FROM message") == f"{LETTERS}|{LETTERS}"
    assert shared.ask("SELECT count(*), count(DISTINCT root_id) FROM ticket") == f"{LETTERS}|{LETTERS}"

    owed = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND not_before <= now()"
    two.until(lambda: shared.ask(owed) == "0", "an outbox with nothing due")
    time.sleep(1)  # what the living one has claimed is sent by now; the rest was the dead one's
    shared.ask("UPDATE outbox SET not_before = now() WHERE sent_at IS NULL")
    two.until(lambda: shared.ask("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == "0", "an empty outbox")
    sent = Counter(str(kept.mail["Message-ID"]).strip("<>") for kept in sink.kept)
    assert set(sent) == set(shared.ask("SELECT message_id FROM outbox").split())
    # A mail that the smarthost took at the very moment of the kill goes again, in the same octets.
    assert sent.total() - len(sent) <= 1
    assert len({kept.octets for kept in sink.kept}) == len(sent)
    assert two.kill(15) == 0


def test_mail_is_put_off_while_the_database_is_away(make_postgres, make_desk, sink, write):
    server = make_postgres()
    server.sql("CREATE DATABASE desk")
    desk = make_desk(f'[database]\nurl = "{server.url("desk")}"').start()
    first, second = (write("Carol <carol@acme.example>", "csm@desk.example", words, "Hm.") for words in ("One", "Two"))
    desk.send(first, "carol@acme.example")
    sink.wait("carol@acme.example", lambda kept: "One" in kept.subject)
    server.stop(signal.SIGQUIT)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        desk.send(second, "carol@acme.example")
    assert refused.value.smtp_code == 451
    server.start()
    desk.until(lambda: sent(desk, second), "a door that takes mail again")
    sink.wait("carol@acme.example", lambda kept: "Two" in kept.subject)
    assert len(desk.tickets()) == 2
    assert desk.kill(15) == 0


def sent(desk, mail):
    with contextlib.suppress(smtplib.SMTPDataError):
        desk.send(mail, "carol@acme.example")
        return True
    return False
