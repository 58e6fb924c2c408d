"""Two customers write about one thing. Their tickets become one while the daemon runs, and are taken apart again."""

import pytest

CAROL = "Carol Jones <carol@acme.example>"
DAVE = "Dave Bolt <dave@bolt.example>"
ANN = "Ann Agent <ann@staff.example>"


def addr(person):
    return person.partition("<")[2].rstrip(">")


@pytest.fixture
def two(desk, sink, write):
    """Tickets 1001 of Carol and 1002 of Dave; give the notification that Ann got of each."""
    notices = []
    for number, (who, word) in enumerate(((CAROL, "export"), (DAVE, "import")), start=1001):
        desk.send(write(who, "csm@desk.example", f"The {word} fails", f"The {word} stops half-way."), addr(who))
        notices.append(sink.wait("ann@staff.example", lambda kept, word=word: word in kept.subject))
        desk.settled()
        assert desk.show(number)["requester"] == addr(who)
    return notices


def ticket_of(desk, word):
    """Give the ticket in which a message lies that says so."""
    found = desk.ask("SELECT ticket FROM message WHERE text LIKE ?", f"%{word}%")
    return [number for (number,) in found]


def test_two_customers_in_one_ticket_and_apart_again(desk, sink, write, answer, two):
    of_carol, of_dave = two
    ack = {who: sink.wait(addr(who)) for who in (CAROL, DAVE)}
    assert desk.run("ticket", "merge", "1002", "1001").startswith("CSM #1001: ")

    # A reply of each to the acknowledgement of his own ticket.
    desk.send(answer(ack[CAROL], CAROL, "It happens in Berlin, too."), addr(CAROL))
    desk.send(answer(ack[DAVE], DAVE, "It happens in Paris, too."), addr(DAVE))
    desk.settled()
    assert (ticket_of(desk, "in Berlin"), ticket_of(desk, "in Paris")) == ([1001], [1001])
    shown = desk.show(1001)
    (paris,) = (message for message in shown["messages"] if "in Paris" in message["text"])
    assert "ticket 1002, which was merged into 1001" in paris["placed_because"]
    assert paris["verified"]
    assert [message["ticket"] for message in shown["messages"]] == [1001, 1002, 1001, 1001]
    assert desk.show(1002)["state"] == "closed"

    # The agent answers what he was told of Dave's mail before the merge: Carol must not get that.
    desk.send(answer(of_dave, ANN, "Dear Dave, your password is swordfish."), addr(ANN))
    word = sink.wait("ann@staff.example", lambda kept: "was not sent" in kept.subject)
    assert "1002" in word.text
    assert "swordfish" in word.text
    desk.settled()
    for who in (CAROL, DAVE):
        assert not sink.to(addr(who), lambda kept: "swordfish" in kept.everything)
    assert desk.show(1001)["first_response_at"] is None

    # His answer to Carol's goes to Carol, though he pastes what he was told of Dave's ticket.
    secret = str(of_dave.mail["Reply-To"]).lower()
    desk.send(answer(of_carol, ANN, f"Dear Carol, it is mended. Was {secret}"), addr(ANN))
    relayed = sink.wait(addr(CAROL), lambda kept: "mended" in kept.text)
    assert secret.partition("@")[0].partition("+")[2] not in relayed.everything
    desk.settled()
    assert desk.show(1001)["first_response_at"]

    # Nobody is ever told of a clock of the ticket that is gone.
    assert desk.ask("SELECT count(*) FROM clock WHERE ticket = 1002 AND next_at IS NOT NULL") == [(0,)]

    assert "took back" in desk.run("ticket", "undo", "1001")
    desk.send(answer(relayed, CAROL, "Thank you, Berlin works, but Rome does not."), addr(CAROL))
    desk.send(answer(ack[DAVE], DAVE, "What about Lyon?"), addr(DAVE))
    desk.settled()
    assert (ticket_of(desk, "Rome does not"), ticket_of(desk, "about Lyon")) == ([1001], [1002])
    assert ticket_of(desk, "in Paris") == [1001]
    assert desk.show(1002)["state"] == "new"
    desk.send(answer(of_dave, ANN, "Dear Dave, it is mended as well."), addr(ANN))
    sink.wait(addr(DAVE), lambda kept: "mended as well" in kept.text)


def test_a_mail_is_split_off_and_answered_by_mail(desk, sink, write, answer, two):
    _, _ = two
    ack = sink.wait(addr(CAROL))
    asked = answer(ack, CAROL, "By the way, the invoice of March is wrong.")
    desk.send(asked, addr(CAROL))
    sink.wait("ann@staff.example", lambda kept: "invoice" in kept.text)
    desk.settled()
    (number,) = (message["id"] for message in desk.show(1001)["messages"] if "invoice" in message["text"])
    desk.run("ticket", "split", "1001", "--message", str(number))
    fresh = max(ticket["id"] for ticket in desk.tickets())
    notice = sink.wait("ann@staff.example", lambda kept: f"#{fresh}]" in kept.subject)
    assert "invoice" in notice.text
    desk.send(answer(notice, ANN, "The invoice is corrected."), addr(ANN))
    relayed = sink.wait(addr(CAROL), lambda kept: "corrected" in kept.text)
    desk.settled()
    assert desk.show(fresh)["first_response_at"]
    assert desk.show(1001)["first_response_at"] is None
    desk.send(answer(relayed, CAROL, "And that of April?"), addr(CAROL))
    # A colleague of hers, who was in copy, answers her mail and knows none of ours; so does she herself.
    later = write(CAROL, "csm@desk.example", "Re: The export fails", "May is wrong as well.")
    later["In-Reply-To"] = str(asked["Message-ID"])
    later["References"] = f"{asked['References']} {asked['Message-ID']}"
    desk.send(later, addr(CAROL))
    desk.settled()
    assert (ticket_of(desk, "that of April"), ticket_of(desk, "May is wrong")) == ([fresh], [fresh])
    assert ticket_of(desk, "stops half-way") == [1001, 1002]
