"""Many at once, peers that vanish, a daemon that is killed under load: nothing accepted is lost, nothing is there twice."""

import contextlib
import random
import smtplib
import socket
import threading
import time
from collections import Counter
from email import policy

MAILS, CONNECTIONS, KILLS = 500, 10, 3


def deliver(desk, mails, accepted, over):
    """Send mails one after another as a mail server does: what got no 250 is sent again, over a new connection."""
    client = None
    for subject, octets in mails:
        while not over.is_set():
            try:
                client = client or smtplib.SMTP("127.0.0.1", desk.port, timeout=45)
                client.sendmail(f"{subject}@acme.example", ["csm@desk.example"], octets)
            except (smtplib.SMTPException, OSError):
                if client is not None:
                    client.close()
                client = None
                time.sleep(0.02)
            else:
                accepted.append(subject)
                break
    if client is not None:
        client.close()


def test_killed_while_five_hundred_mails_come_in(make_desk, sink, write):
    dice = random.Random(5)
    desk = make_desk(team='"bob"').start()
    letters = []
    for number in range(MAILS):
        mail = write(
            f"c{number}@acme.example", "csm@desk.example", f"c{number}", f"This is mail {number}.", proven=False
        )
        letters.append((f"c{number}", mail.as_bytes(policy=policy.SMTP)))
    accepted, over = [], threading.Event()
    hands = [
        threading.Thread(target=deliver, args=(desk, letters[first::CONNECTIONS], accepted, over))
        for first in range(CONNECTIONS)
    ]
    for hand in hands:
        hand.start()
    try:
        for kill in range(KILLS):
            at_least = (kill + 1) * MAILS // (KILLS + 1) - dice.randrange(50)
            desk.until(lambda at_least=at_least: len(accepted) >= at_least, "progress")
            desk.kill()
            desk.start()
        for hand in hands:
            hand.join(90)
    finally:
        over.set()
    assert Counter(accepted) == Counter(subject for subject, _ in letters)
    desk.settled()
    subjects = Counter(subject for (subject,) in desk.ask("SELECT subject FROM ticket"))
    assert subjects == Counter(subject for subject, _ in letters)
    assert desk.ask("SELECT count(*) FROM message") == [(MAILS,)]
    told = {kept.octets for kept in sink.to("bob@staff.example")}
    assert len(told) == MAILS


def hang_up(dice, port, octets):
    """Begin a mail and be gone: between commands, in the middle of the octets or right behind them, politely or not."""
    commands = [b"EHLO x", b"MAIL FROM:<gone@acme.example>", b"RCPT TO:<csm@desk.example>", b"DATA", octets + b"\r\n."]
    last = dice.choice((1, 2, 3, 4, 5, 5, 5))
    with socket.create_connection(("127.0.0.1", port), timeout=45) as peer:
        for command in commands[:last]:
            peer.recv(1000)
            sent = command + b"\r\n"
            peer.sendall(
                sent[: dice.randrange(len(sent)) if command is commands[last - 1] and dice.random() < 0.7 else None]
            )
        if dice.random() < 0.3:
            peer.shutdown(socket.SHUT_WR)
        elif dice.random() < 0.5:
            # Nothing lingers: the peer's system resets the connection, as one does that loses its power.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def test_peers_that_hang_up_freeze_nobody(desk, sink, write):
    dice = random.Random(6)
    octets = write("gone@acme.example", "csm@desk.example", "gone", "line\n" * 300).as_bytes(policy=policy.SMTP)
    for _ in range(300):
        with contextlib.suppress(ConnectionError):
            hang_up(dice, desk.port, octets)
    mail = write("Carol <carol@acme.example>", "csm@desk.example", "still there?", "Hello?").as_bytes(
        policy=policy.SMTP
    )
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=45) as client:
        client.ehlo()
        client.sendmail("carol@acme.example", ["csm@desk.example"], mail)
        took = time.monotonic() - began
    assert took < 1
    sink.wait("carol@acme.example", lambda kept: "still there?" in kept.subject)
    desk.settled()
    # The same octets are one mail, however often they came whole.
    assert sorted(desk.ask("SELECT subject FROM ticket")) == [("gone",), ("still there?",)]
