"""Who may take a ticket over by mail: a proven agent. Told to the daemon as a process of its own."""

BOB, ANN = "Bob Lead <bob@staff.example>", "ann@staff.example"
CAROL = "Carol Jones <carol@acme.example>"


def is_notice(kept):
    return kept.mail["X-Maild-Ticket"] is not None and "wrote to Example Support" in kept.text


def whats(desk):
    return [event["what"] for event in desk.show(1001)["events"]]


def test_only_a_proven_agent_s_word_takes_a_ticket_over(desk, sink, write, answer):
    desk.send(write(CAROL, "csm@desk.example", "Export", "Which columns are in it?"), "carol@acme.example")
    notice = sink.wait("bob@staff.example", is_notice)
    assert "#ack" in notice.text

    # In Bob's name, without his reply address and without proof: he is asked, and nothing happens.
    forged = write(BOB, "csm@desk.example", notice.subject, "#ack", proven=False)
    forged["In-Reply-To"] = str(notice.mail["Message-ID"])
    desk.send(forged, "bob@staff.example")
    asked = sink.wait("bob@staff.example", lambda kept: "Was this you?" in kept.subject)
    assert "no clock was stopped" in asked.text
    assert "taken_over" not in whats(desk)

    # A customer's is text: the agents read it, and nobody has the ticket.
    ack = sink.wait("carol@acme.example")
    desk.send(answer(ack, CAROL, "#ack"), "carol@acme.example")
    sink.wait("bob@staff.example", is_notice, count=2)
    shown = desk.show(1001)
    assert (shown["assignee"], shown["acknowledged"]) == (None, [])

    # Bob's own is obeyed: he has it, and no mail says so.
    before = len(sink.kept)
    desk.send(answer(notice, BOB, "#ack"), "bob@staff.example")
    desk.until(lambda: "taken_over" in whats(desk), "an acknowledgement")
    desk.settled()
    shown = desk.show(1001)
    assert shown["assignee"] == "bob"
    (taken,) = shown["acknowledged"]
    assert (taken["by"], taken["lapsed_at"]) == ("bob", None)
    assert {clock["metric"] for clock in taken["clocks"]} == {"first_response", "resolution"}
    assert len(sink.kept) == before
    assert "taken     " in desk.run("show", "1001")
    assert "acknowledged by bob: first_response, resolution" in desk.run("why", "1001")

    # By hand another one takes it over.
    said = desk.run("ticket", "ack", "1001", "--as", "ann")
    assert "ann acknowledged it" in said
    assert "bob had acknowledged it at" in said
    desk.run("ticket", "ack", "1001", "--as", "ann", code=65)
    assert len(sink.kept) == before
