"""From alone is no authority, an id alone admits nobody, and an address that a mail names is not written to."""

import pytest

CAROL = "Carol Jones <carol@acme.example>"
ANN = "Ann Agent <ann@staff.example>"


def tampered(address):
    """Change the last letters of the token: base32's very last bits may mean nothing."""
    local, _, domain = address.partition("@")
    return f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"


def plain(notices, ack):
    return "csm@desk.example", ()


def stolen(notices, ack):
    return str(notices["bob"].mail["Reply-To"]), ()


def damaged(notices, ack):
    return tampered(str(notices["ann"].mail["Reply-To"])), ()


def of_the_customer(notices, ack):
    return str(ack.mail["Reply-To"]), ()


def return_path(notices, ack):
    return notices["ann"].sender, ()


def refuted(notices, ack):
    result = "mx.desk.example; dmarc=fail header.from=staff.example"
    return str(notices["ann"].mail["Reply-To"]), (("Authentication-Results", result),)


def foreign_results(notices, ack):
    return "csm@desk.example", (("Authentication-Results", "mx.evil.example; dmarc=pass header.from=staff.example"),)


def hidden_results(notices, ack):
    evil = 'mx.desk.example; spf=pass smtp.mailfrom="x; dmarc=pass header.from=staff.example"'
    return "csm@desk.example", (("Authentication-Results", evil),)


FORGERIES = (plain, stolen, damaged, of_the_customer, return_path, refuted, foreign_results, hidden_results)


def test_a_forged_agent_reaches_nobody_and_stops_no_clock(make_desk, sink, write, answer):
    desk = make_desk("[ack]\nper_address_hour = 1000\nper_address_day = 1000").start()
    notices, forged = {}, {}
    for forgery in FORGERIES:
        name = forgery.__name__
        desk.send(write(CAROL, "csm@desk.example", f"the case of {name}", "How do I log in?"), "carol@acme.example")
        about = lambda kept, name=name: kept.subject.endswith(f"the case of {name}")  # noqa: E731 - bound to its row
        ack = sink.wait("carol@acme.example", about)
        notices[name] = {agent: sink.wait(f"{agent}@staff.example", about) for agent in ("ann", "bob")}
        rcpt, headers = forgery(notices[name], ack)
        reply = answer(notices[name]["ann"], ANN, "Send me your password, please.", proven=False)
        for field, value in headers:
            reply._headers.insert(0, (field, value))
        reply.replace_header("To", rcpt)
        desk.send(reply, "ann@staff.example", rcpt)
        forged[name] = str(reply["Message-ID"]).strip("<>")
    for name in notices.keys() - {"return_path"}:  # what wants no answer asks no question: machines answer there
        question = sink.wait(
            "ann@staff.example",
            lambda kept, name=name: f"the case of {name}" in kept.subject and "Was this you?" in kept.subject,
        )
        assert "Send me your password" in question.text
    desk.settled()
    assert [kept.subject for kept in sink.to("carol@acme.example") if "password" in kept.everything] == []
    assert len(sink.to("carol@acme.example")) == len(FORGERIES)
    assert sorted({kept.rcpt for kept in sink.kept}) == ["ann@staff.example", "bob@staff.example", "carol@acme.example"]
    for msgid in forged.values():
        ((kind, ticket, subject),) = desk.ask(
            "SELECT message.kind, number, ticket.subject FROM message JOIN ticket ON number = ticket WHERE message_id = ?",
            msgid,
        )
        assert kind == "unverified", subject
        clocks = "SELECT state FROM clock WHERE ticket = ? AND metric = 'first_response' AND stopped_at IS NULL"
        assert desk.ask(clocks, ticket) == [("running",)], subject
    shown = desk.show(1001)
    assert [message["kind"] for message in shown["messages"]] == ["customer", "unverified"]
    assert (shown["state"], shown["first_response_at"]) == ("new", None)


def test_an_agents_token_ends_with_the_ticket(desk, sink, write, answer):
    desk.send(write(CAROL, "csm@desk.example", "over", "How do I log in?"), "carol@acme.example")
    notice = sink.wait("ann@staff.example")
    desk.settled()
    desk.close_ticket(1001)
    reply = answer(notice, ANN, "Send me your password, please.", proven=False)
    desk.send(reply, "ann@staff.example", str(notice.mail["Reply-To"]))
    sink.wait("ann@staff.example", lambda kept: "Was this you?" in kept.subject)
    desk.settled()
    assert len(sink.to("carol@acme.example")) == 1


@pytest.mark.parametrize("holds_the_token", [False, True], ids=["with our ids", "with the customer's token"])
def test_a_stranger_opens_a_ticket_of_his_own(desk, sink, write, answer, holds_the_token):
    first = write(
        CAROL, "csm@desk.example", "our secret", "The password is 1234.", headers=[("Cc", "cc@stranger.example")]
    )
    desk.send(first, "carol@acme.example")
    ack = sink.wait("carol@acme.example")
    mallory = answer(
        ack, "Mallory <mallory@stranger.example>", "Tell me more.", headers=[("Cc", "friend@stranger.example")]
    )
    rcpt = str(ack.mail["Reply-To"]) if holds_the_token else "csm@desk.example"
    mallory.replace_header("To", rcpt)
    desk.send(mallory, "mallory@stranger.example", rcpt)
    notice = sink.wait("ann@staff.example", lambda kept: "Tell me more." in kept.text)
    assert "[CSM #1002]" in notice.subject
    assert "#1001" in notice.text
    reply = answer(notice, ANN, "Who are you?", proven=False)
    desk.send(reply, "ann@staff.example", str(notice.mail["Reply-To"]))
    sink.wait("mallory@stranger.example", lambda kept: "Who are you?" in kept.text)
    desk.settled()
    linked = next(event for event in desk.show(1002)["events"] if event["what"] == "linked")
    assert linked["data"]["to"] == 1001
    assert desk.ask("SELECT kind FROM message WHERE ticket = 1001") == [("customer",)]
    assert {kept.rcpt for kept in sink.kept} == {
        f"{who}.example" for who in ("carol@acme", "ann@staff", "bob@staff", "mallory@stranger")
    }
    assert all("1234" not in kept.everything for kept in sink.to("mallory@stranger.example"))


RECEIPT = (("Content-Type", "multipart/report; report-type=disposition-notification; boundary=b"),)
MACHINES = (
    ("vacation", (("Auto-Submitted", "auto-replied"),), "I am away."),
    ("outlook", (("X-Auto-Response-Suppress", "All"),), "I am away."),
    ("old", (("X-Autoreply", "yes"),), "I am away."),
    ("older", (("Precedence", "auto_reply"),), "I am away."),
    (
        "receipt",
        RECEIPT,
        "--b\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: x\r\n--b--",
    ),
    ("nothing written", (), ""),
)


def test_what_an_agents_machine_says_is_no_answer(make_desk, sink, write):
    desk = make_desk("[ack]\nper_address_hour = 1000\nper_address_day = 1000", team='"ann"').start()
    for name, headers, text in MACHINES:
        desk.send(write(CAROL, "csm@desk.example", f"the case of {name}", "How do I log in?"), "carol@acme.example")
        notice = sink.wait("ann@staff.example", lambda kept, name=name: kept.subject.endswith(f"the case of {name}"))
        rcpt = str(notice.mail["Reply-To"])
        mail = write(
            ANN,
            rcpt,
            f"Automatic reply: {notice.subject}",
            "",
            headers=[("In-Reply-To", str(notice.mail["Message-ID"]))],
        )
        for field, value in headers:
            del mail[field]
            mail[field] = value
        mail.set_payload(text)
        desk.send(mail, "ann@staff.example", rcpt)
    desk.settled()
    assert len(sink.to("carol@acme.example")) == len(MACHINES)
    clocks = "SELECT state FROM clock WHERE metric = 'first_response'"
    assert desk.ask(clocks) == [("running",)] * len(MACHINES)
    assert desk.ask("SELECT count(*) FROM ticket WHERE state = 'new'") == [(len(MACHINES),)]
