"""Agents forward customers' mails to the desk: the tickets are the customers', and nobody is mailed for being named."""

import re
from email import policy
from email.message import EmailMessage

ANN = "Ann Agent <ann@staff.example>"
CAROL = "Carol Jones <carol@acme.example>"

GMAIL = """Bob, can you take her?

---------- Forwarded message ---------
From: Carol Jones <carol@acme.example>
Date: Wed, 11 Mar 2026 at 10:06
Subject: checkout says no
To: <ann@staff.example>


Nobody can pay today.

Carol
"""

NAMELESS = """What is this?

From: Carol Jones
Sent: Wednesday, March 11, 2026 10:06
To: Ann Agent
Subject: checkout says no

Nobody can pay today.
"""


def forward(write, text, subject="Fwd: checkout says no", **more):
    return write(ANN, "csm@desk.example", subject, text, headers=[("References", "<orig@acme.example>")], **more)


def with_attached(inner, words, number):
    outer = EmailMessage(policy=policy.SMTP)
    outer["Authentication-Results"] = "mx.desk.example; dmarc=pass header.from=staff.example"
    outer["From"], outer["To"], outer["Subject"] = ANN, "csm@desk.example", "please"
    outer["Message-ID"] = f"<fwd{number}@staff.example>"
    outer.set_content(words)
    outer.add_attachment(inner)
    return outer


def mails_to_customers(sink):
    return [kept.rcpt for kept in sink.kept if kept.rcpt.endswith("@acme.example")]


def test_a_forward_is_the_customer_s_ticket(desk, sink, write, answer):
    mail = forward(write, GMAIL)
    desk.send(mail, "ann@staff.example")
    told = sink.wait("ann@staff.example", lambda kept: "Nobody can pay today." in kept.text)
    notice = sink.wait("bob@staff.example")
    for kept in (told, notice):
        said = " ".join(kept.text.split())
        assert "Ann Agent forwarded a mail of Carol Jones <carol@acme.example>" in said
        assert "Opened for carol@acme.example; wrong? Reply with #requester" in said
        assert "NOT verified" not in said
        assert "Bob, can you take her?" in kept.text
    desk.settled()
    shown = desk.show(1001)
    assert (shown["requester"], shown["subject"]) == ("carol@acme.example", "checkout says no")
    assert [(one["kind"], one["verified"], one["message_id"]) for one in shown["messages"]] == [
        ("customer", None, "orig@acme.example")
    ]
    assert "Bob" not in shown["messages"][0]["text"]
    assert [clock["metric"] for clock in shown["clocks"]] == ["resolution"]
    assert mails_to_customers(sink) == []

    # The same forward to another address of the desk is no second ticket, and neither is another forward of it.
    desk.send(mail, "ann@staff.example", "support@desk.example")
    desk.send(forward(write, GMAIL.replace("can you take her", "she asks again")), "ann@staff.example")
    again = sink.wait("ann@staff.example", lambda kept: "your reply was not sent" in kept.subject)
    assert "forwards a mail of a ticket that is there already" in " ".join(again.text.split())
    desk.settled()
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]

    # An agent answers, and the customer gets it as if she had written to the desk.
    desk.send(
        answer(notice, "Bob Lead <bob@staff.example>", "Hello Carol, it is fixed.", proven=False),
        "bob@staff.example",
        str(notice.mail["Reply-To"]),
    )
    relayed = sink.wait("carol@acme.example")
    assert "it is fixed" in relayed.text
    assert str(relayed.mail["In-Reply-To"]) == "<orig@acme.example>"
    assert relayed.subject == "Re: [CSM #1001] checkout says no"
    for stranger in ("staff.example", "can you take her"):
        assert stranger not in relayed.everything
    tokens = set(re.findall(r"[a-z2-7]{24}", f"{notice.mail['Reply-To']} {told.mail['Reply-To']}".lower()))
    assert tokens
    assert not [token for token in tokens if token in relayed.everything]

    # She answers, and the first response is owed from now on.
    thanks = answer(relayed, CAROL, "Not yet, it says no again.")
    desk.send(thanks, "carol@acme.example", str(relayed.mail["Reply-To"]))
    sink.wait("bob@staff.example", lambda kept: "it says no again" in kept.text)
    desk.settled()
    shown = desk.show(1001)
    assert sorted(clock["metric"] for clock in shown["clocks"]) == ["first_response", "resolution"]
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]


def test_the_customer_s_own_mail_joins_its_forward(desk, sink, write):
    inner = write(CAROL, "ann@staff.example", "checkout says no", "Nobody can pay today.", proven=False)
    desk.send(with_attached(inner, "for us", 1), "ann@staff.example")
    sink.wait("bob@staff.example", lambda kept: "Nobody can pay today." in kept.text)
    mine = write(CAROL, "csm@desk.example", "checkout says no", "Nobody can pay today. I write to you too.")
    mine.replace_header("Message-ID", str(inner["Message-ID"]))
    desk.send(mine, "carol@acme.example")
    sink.wait("bob@staff.example", lambda kept: "I write to you too." in kept.text)

    # Forwarded once more, as a file: its ticket is known by its Message-ID, and nobody gets Ann's words.
    desk.send(with_attached(inner, "did anybody see this?", 2), "ann@staff.example")
    sink.wait("ann@staff.example", lambda kept: "your reply was not sent" in kept.subject)
    desk.settled()
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]
    shown = desk.show(1001)
    assert shown["requester"] == "carol@acme.example"
    assert f"it forwards {inner['Message-ID']}, which is in the ticket" in shown["messages"][-1]["placed_because"]
    assert [kept for kept in sink.to("carol@acme.example") if "anybody see" in kept.text] == []


def test_the_agent_is_asked_and_answers(desk, sink, write, answer):
    desk.send(forward(write, NAMELESS), "ann@staff.example")
    question = sink.wait("ann@staff.example", lambda kept: "for whom is this" in kept.subject)
    assert "without an address" in " ".join(question.text.split())
    notice = sink.wait("bob@staff.example")
    assert desk.show(1001)["requester"] == "ann@staff.example"

    desk.send(answer(question, ANN, "#resolve", proven=False), "ann@staff.example", str(question.mail["Reply-To"]))
    refused = sink.wait("ann@staff.example", lambda kept: "your command was not done" in kept.subject)
    assert "maild ticket resolve 1001" in " ".join(refused.text.split())

    words = "#requester carol@acme.example\n\nsorry"
    desk.send(answer(question, ANN, words, proven=False), "ann@staff.example", str(question.mail["Reply-To"]))
    done = sink.wait("ann@staff.example", lambda kept: "the requester is carol@acme.example" in kept.subject)
    assert "Nothing was sent to carol@acme.example" in " ".join(done.text.split())
    desk.settled()
    shown = desk.show(1001)
    assert (shown["requester"], shown["participants"]) == ("carol@acme.example", ["carol@acme.example"])
    assert mails_to_customers(sink) == []

    desk.send(
        answer(notice, "Bob Lead <bob@staff.example>", "Hello Carol.", proven=False),
        "bob@staff.example",
        str(notice.mail["Reply-To"]),
    )
    relayed = sink.wait("carol@acme.example")
    assert "Hello Carol." in relayed.text
    assert "staff.example" not in relayed.everything

    # And by hand, to somebody else.
    said = desk.run("ticket", "requester", "1001", "dora@other.example")
    assert "made dora@other.example the requester; it was carol@acme.example" in said
    assert desk.show(1001)["participants"] == ["dora@other.example"]
    desk.run("ticket", "requester", "1001", "dora@other.example", code=65)
    desk.run("ticket", "undo", "1001")
    shown = desk.show(1001)
    assert (shown["requester"], shown["participants"]) == ("carol@acme.example", ["carol@acme.example"])


def test_a_forward_that_nothing_proves(desk, sink, write, answer):
    desk.send(forward(write, GMAIL, proven=False), "ann@staff.example")
    asked = sink.wait("ann@staff.example", lambda kept: "Was this you?" in kept.subject)
    assert "#requester carol@acme.example" in asked.text
    desk.settled()
    assert desk.show(1001)["requester"] == "ann@staff.example"
    assert mails_to_customers(sink) == []

    # It was: her own line takes it up, by the token that went to her and to nobody else.
    reply = answer(asked, ANN, "#requester carol@acme.example", proven=False)
    desk.send(reply, "ann@staff.example", str(asked.mail["Reply-To"]))
    sink.wait("ann@staff.example", lambda kept: "the requester is carol@acme.example" in kept.subject)
    notice = sink.to("bob@staff.example")[0]
    desk.send(
        answer(notice, "Bob Lead <bob@staff.example>", "Hello Carol.", proven=False),
        "bob@staff.example",
        str(notice.mail["Reply-To"]),
    )
    relayed = sink.wait("carol@acme.example")
    assert "staff.example" not in relayed.everything

    # A forger's command is held like any reply of his.
    forged = write(ANN, "csm@desk.example", "[CSM #1001] x", "#requester mallory@evil.example", proven=False)
    desk.send(forged, "mallory@evil.example")
    sink.wait("ann@staff.example", lambda kept: "Was this you?" in kept.subject, 2)
    desk.settled()
    assert desk.show(1001)["requester"] == "carol@acme.example"


def test_a_customer_s_hash_is_text(desk, sink, write):
    desk.send(
        write(CAROL, "csm@desk.example", "list", "#requester mallory@evil.example\n#resolve"), "carol@acme.example"
    )
    notice = sink.wait("ann@staff.example")
    assert "#requester mallory@evil.example" in notice.text
    desk.settled()
    assert desk.show(1001)["requester"] == "carol@acme.example"
