"""A customer copies a colleague and a stranger, an agent names a partner: who gets mail, who may write, who neither."""

import pytest

CAROL = "Carol Jones <carol@acme.example>"
DORA = "Dora Hill <dora@acme.example>"
EVE = "Eve <eve@evil.example>"
FRED = "Fred <fred@partner.example>"
ANN = "Ann Agent <ann@staff.example>"
NOBODY_ELSE = {"carol@acme.example", "ann@staff.example", "bob@staff.example"}


@pytest.fixture
def agent(desk, sink, answer):
    """Answer the newest notification, that of a mail with these words."""

    def answered(to_words, words, **more):
        notice = sink.wait("ann@staff.example", lambda kept: to_words in kept.text)
        desk.send(answer(notice, ANN, words, proven=False, **more), "ann@staff.example", str(notice.mail["Reply-To"]))
        return sink.wait("carol@acme.example", lambda kept: words in kept.text)

    return answered


@pytest.fixture
def opened(desk, sink, write):
    """Carol writes; our hop vouches for her."""
    copies = (("Cc", f"{DORA}, {EVE}, support@desk.example"),)
    desk.send(write(CAROL, "csm@desk.example", "Printer", "It does not print.", headers=copies), "carol@acme.example")
    return sink.wait("ann@staff.example")


def everybody(sink):
    return {kept.rcpt for kept in sink.kept}


BOUNCE = """From: MAILER-DAEMON@mx.acme.example
To: {sender}
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce1@mx.acme.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; {of}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 she left

--b--
"""


def bounce(kept, of):
    """Report as a mail server does that a mail did not arrive."""
    return BOUNCE.format(sender=kept.sender, of=of).replace("\n", "\r\n").encode()


def test_who_is_told_and_who_takes_part(desk, sink, write, answer, agent, opened):
    # Named by the customer: the colleague may join, the stranger may not, and neither is mailed.
    assert "Also addressed: eve@evil.example (not taking part" in opened.text
    first = agent("It does not print", "Is it switched on?")
    desk.settled()
    assert everybody(sink) == NOBODY_ELSE
    assert "Cc" not in first.mail
    shown = desk.show(1001)
    assert (shown["participants"], shown["copied"]) == (["carol@acme.example", "dora@acme.example"], [])

    # The colleague writes with proof: from now on she gets copies, each to be answered at an address of her own.
    desk.send(write(DORA, "csm@desk.example", "Re: [CSM #1001] Printer", "It is on."), "dora@acme.example")
    second = agent("It is on.", "Is there paper in it?")
    copy = sink.wait("dora@acme.example", lambda kept: "Is there paper in it?" in kept.text)
    assert copy.mail["Message-ID"] == second.mail["Message-ID"]
    assert (copy.mail["To"], copy.mail["Cc"]) == (second.mail["To"], second.mail["Cc"])
    assert str(copy.mail["Cc"]) == "dora@acme.example"
    assert "carol@acme.example" in str(copy.mail["To"])
    assert copy.mail["Reply-To"] != second.mail["Reply-To"]
    assert copy.sender != second.sender
    assert "ann@staff.example" not in copy.everything

    # Her answer proves her by its address alone.
    desk.send(answer(copy, DORA, "It is empty.", proven=False), "dora@acme.example", str(copy.mail["Reply-To"]))
    desk.settled()
    said = {message["text"].splitlines()[0]: message for message in desk.show(1001)["messages"]}
    assert (said["It is empty."]["verified"], said["It is empty."]["from"]) == ("token", "dora@acme.example")

    # The agent names a partner: he gets this answer and the next, the stranger none.
    desk.run("ticket", "cc", "1001", "gina@partner.example")
    agent("It is empty.", "Please fill it.", headers=(("Cc", FRED),))
    for reader in ("dora", "fred", "gina"):
        rcpt = f"{reader}@{'acme' if reader == 'dora' else 'partner'}.example"
        assert "fred@partner.example" in str(sink.wait(rcpt, lambda kept: "Please fill it." in kept.text).mail["Cc"])
    desk.run("ticket", "cc", "1001", "gina@partner.example", "--remove")
    desk.settled()
    assert desk.show(1001)["copied"] == ["dora@acme.example", "fred@partner.example"]
    assert "  with      fred@partner.example, gets a copy of every answer" in desk.run("show", "1001")
    assert everybody(sink) == {*NOBODY_ELSE, "dora@acme.example", "fred@partner.example", "gina@partner.example"}


def test_who_copies_himself_into_a_forged_mail_stays_outside(desk, sink, write, answer, agent, opened):
    relayed = agent("It does not print", "Is it switched on?")
    forged = answer(relayed, CAROL, "Yes it is.", proven=False, headers=(("Cc", EVE),))
    forged.replace_header("To", "csm@desk.example")
    desk.send(forged, "eve@evil.example")
    notice = sink.wait("ann@staff.example", lambda kept: "Yes it is" in kept.text)
    assert "(not taking part: nothing proves who named them)" in " ".join(notice.text.split())
    hers = answer(relayed, EVE, "And send me the rest.", headers=(("Reply-To", "carol@acme.example"),))
    hers.replace_header("To", "csm@desk.example")
    desk.send(hers, "eve@evil.example")
    desk.settled()
    assert [ticket["requester"] for ticket in sorted(desk.tickets(), key=lambda one: one["id"])] == [
        "carol@acme.example",
        "eve@evil.example",
    ]
    assert desk.show(1001)["participants"] == ["carol@acme.example", "dora@acme.example"]
    notice = sink.wait("ann@staff.example", lambda kept: "send me the rest" in kept.text)
    assert "Replies go to eve@evil.example all the same" in " ".join(notice.text.split())


def test_a_copy_that_comes_back_un_counts_nothing(desk, sink, write, agent, opened):
    desk.send(write(DORA, "csm@desk.example", "Re: [CSM #1001] Printer", "Hurry."), "dora@acme.example")
    agent("Hurry.", "Is it switched on?")
    copy = sink.wait("dora@acme.example", lambda kept: "Is it switched on?" in kept.text)
    desk.send(bounce(copy, "dora@acme.example"), "", copy.sender)
    told = sink.wait("ann@staff.example", lambda kept: "copy of your reply" in kept.subject)
    assert "550 5.1.1 she left" in " ".join(told.text.split())

    # And a copy that the smarthost refuses at once.
    sink.verdict = lambda stage, rcpt: "550 5.1.1 gone" if rcpt.startswith("gina") else ""
    desk.run("ticket", "cc", "1001", "gina@partner.example")
    desk.send(write(CAROL, "csm@desk.example", "Re: [CSM #1001] Printer", "It is on."), "carol@acme.example")
    agent("It is on.", "Then wait.")
    sink.wait("ann@staff.example", lambda kept: "copy of your reply" in kept.subject, count=2)
    desk.settled()
    shown = desk.show(1001)
    assert shown["first_response_at"] is not None
    whats = [event["what"] for event in shown["events"]]
    assert (whats.count("not_delivered"), whats.count("bounce")) == (2, 0)


def test_the_customer_s_own_tag_stays_in_the_subject(desk, sink, write, answer, agent, opened):
    relayed = agent("It does not print", "Is it switched on?")
    theirs = answer(relayed, CAROL, "Now it is.")
    theirs.replace_header("Subject", f"[ACME-77] {relayed.subject}")
    desk.send(theirs, "carol@acme.example", str(relayed.mail["Reply-To"]))
    second = agent("Now it is.", "Then print.")
    assert second.subject == "Re: [CSM #1001] Printer [ACME-77]"
    fourth = answer(second, CAROL, "It prints.")
    fourth.replace_header("Subject", f"{second.subject} ##4711##")
    desk.send(fourth, "carol@acme.example", str(second.mail["Reply-To"]))
    assert agent("It prints.", "Fine.").subject == "Re: [CSM #1001] Printer [ACME-77] ##4711##"
