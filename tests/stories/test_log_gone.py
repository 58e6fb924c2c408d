"""Whoever reads the log may die: no mail is refused for it, and the desk goes on."""

import os


def test_the_desk_goes_on_when_whoever_read_its_log_is_gone(make_desk, write, sink):
    desk = make_desk('[ack]\nto = "everyone"')
    read, told = os.pipe()
    desk.start(stderr=told)
    os.close(told)
    os.close(read)
    for number in range(3):
        desk.send(
            write("Carol <carol@acme.example>", "csm@desk.example", f"question {number}", "How?"), "c@acme.example"
        )
    desk.until(lambda: desk.ask("SELECT count(*) FROM ticket") == [(3,)], "three tickets")
    sink.wait("carol@acme.example", lambda kept: "question 2" in kept.subject)
