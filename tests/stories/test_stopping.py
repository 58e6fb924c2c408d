"""SIGTERM ends the daemon soon and cleanly, whoever is connected; one ledger has one daemon."""

import signal
import socket
import threading
import time

SCRIPT = (b"EHLO x", b"MAIL FROM:<carol@acme.example>", b"RCPT TO:<csm@desk.example>", b"DATA")


def connected(desk, *commands):
    peer = socket.create_connection(("127.0.0.1", desk.port), timeout=45)
    lines = peer.makefile("rb")
    for command in (b"", *commands):
        if command:
            peer.sendall(command + b"\r\n")
        while lines.readline()[3:4] == b"-":
            pass
    return peer, lines


def test_sigterm_with_peers_in_every_state(make_desk, sink, write):
    arrived, over = threading.Event(), threading.Event()

    def stall(stage, rcpt):
        if stage == "data" and not over.is_set():
            arrived.set()
            over.wait(45)
        return ""

    sink.verdict = stall
    desk = make_desk(team='"ann"').start()
    desk.send(write("carol@acme.example", "csm@desk.example", "first", "Hello?"), "carol@acme.example")
    assert arrived.wait(45)
    idle, idle_lines = connected(desk, b"EHLO x")
    stuck, stuck_lines = connected(desk, *SCRIPT)
    busy, busy_lines = connected(desk, *SCRIPT)
    stuck.sendall(b"Subject: never finished\r\n")
    busy.sendall(b"From: carol@acme.example\r\nSubject: finished late\r\nMessage-ID: <late@acme.example>\r\n\r\n")
    began = time.monotonic()
    desk.process.send_signal(signal.SIGTERM)
    assert idle_lines.readline().startswith(b"421")
    busy.sendall(b"Hello?\r\n.\r\n")
    assert busy_lines.readline().startswith(b"250")
    assert busy_lines.readline().startswith(b"421")
    assert stuck_lines.readline().startswith(b"421")
    assert desk.process.wait(45) == 0
    assert time.monotonic() - began < 10
    over.set()
    for peer in (idle, stuck, busy, idle_lines, stuck_lines, busy_lines):
        peer.close()
    assert "Traceback" not in desk.log
    desk.process.stdout.close()
    desk.start()
    desk.settled()
    assert sorted(desk.ask("SELECT subject FROM ticket")) == [("finished late",), ("first",)]
    sink.wait("ann@staff.example", lambda kept: "finished late" in kept.subject)
    assert len({kept.octets for kept in sink.to("carol@acme.example", lambda kept: "#1001" in kept.subject)}) == 1


def test_a_second_daemon_is_turned_away(desk, sink, write):
    desk.run("serve", code=78)
    desk.send(write("carol@acme.example", "csm@desk.example", "still one", "Hello?"), "carol@acme.example")
    sink.wait("carol@acme.example")
