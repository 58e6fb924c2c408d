"""maild beside a real Postfix, set up as docs/postfix.md says: mail in, mail out, and what comes back."""

import re
import subprocess

import pytest

CAROL = "carol@acme.example"
ANN = "ann@staff.example"
DESK = "csm@example.com"


@pytest.fixture
def answered(written):
    """Write the agent's reply to a notification, the whole of it quoted below."""

    def reply(kept, words):
        before = kept.mail
        quoted = "\n".join(f"> {line}" for line in kept.text.splitlines())
        mail = written(
            ANN,
            f"Re: {before['Subject']}",
            f"{words}\n\nAnn Agent <{ANN}> wrote:\n{quoted}\n",
            to=str(before["Reply-To"]),
        )
        mail["In-Reply-To"] = str(before["Message-ID"])
        mail["References"] = f"{before['References'] or ''} {before['Message-ID']}".strip()
        return mail

    return reply


@pytest.fixture
def opened(written):
    """Let Carol write, and give the acknowledgement and the agent's notification."""

    def done(stage):
        stage.postfix.sendmail(written(CAROL, "checkout is down", "Nobody can pay today.\n\nCarol"), CAROL, DESK)
        return stage.world.wait(CAROL), stage.world.wait(ANN)

    return done


def test_a_conversation_through_postfix(stage, written, answered, opened):
    ack, notice = opened(stage)
    assert ack.sender == ""
    assert "[CSM #1001]" in str(ack.mail["Subject"])
    assert "Nobody can pay today." in notice.text
    # Both left through this Postfix, which says so.
    assert all("(Postfix)" in kept.mail.get_all("Received")[0] for kept in (ack, notice))
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"csm\+[a-z2-7]{24}@example\.com", token)

    stage.postfix.sendmail(answered(notice, "Hello Carol,\n\nit is repaired."), ANN, token)
    relayed = stage.world.wait(CAROL, lambda kept: "it is repaired" in kept.text)
    assert relayed.mail["From"].addresses[0].addr_spec == DESK
    assert relayed.sender.startswith("csm+")
    assert b"ann@" not in relayed.octets.lower()
    assert b"staff.example" not in relayed.octets.lower()

    ticket = stage.desk.show(1001)
    assert ticket["state"] == "open"
    assert ticket["first_response_at"]
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent"]

    # Her answer, too, finds its way back by the token alone.
    back = relayed.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(
        written(CAROL, "no prefix, no references", "Thank you, but it broke again.", to=back), CAROL, back
    )
    stage.world.wait(ANN, lambda kept: "broke again" in kept.text)
    assert [one["id"] for one in stage.desk.tickets()] == [1001]


def test_a_reply_that_the_next_server_refuses_is_no_response(stage, answered, opened):
    _, notice = opened(stage)
    stage.world.refused[CAROL] = "550 5.1.1 <carol@acme.example>: no Carol works here any more"
    stage.postfix.sendmail(
        answered(notice, "Hello Carol, it is repaired."), ANN, notice.mail["Reply-To"].addresses[0].addr_spec
    )

    told = stage.world.wait(ANN, lambda kept: "could not be delivered" in str(kept.mail["Subject"]))
    assert "carol@acme.example" in told.text
    assert "no Carol works here any more" in " ".join(told.text.split())
    ticket = stage.desk.show(1001)
    assert ticket["state"] == "open"
    assert ticket["first_response_at"] is None
    clock = next(one for one in ticket["clocks"] if one["metric"] == "first_response")
    assert clock["state"] == "running"
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent", "bounce"]
    assert [one["id"] for one in stage.desk.tickets()] == [1001]
    # The report came from Postfix to the reply's own return path.
    assert re.search(r"from=<>.*\n(?:.*\n)*?.*to=<csm\+[a-z2-7]{24}@example\.com>.*status=sent", stage.postfix.log)


def test_a_delay_is_no_failure(make_stage, until, answered, opened):
    stage = make_stage(more="delay_warning_time = 1s\n")
    _, notice = opened(stage)
    stage.world.refused[CAROL] = "451 4.3.0 not now"
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(answered(notice, "Hello Carol, it is repaired."), ANN, token)
    until(lambda: "sender delay notification" in stage.postfix.log, "a warning")
    stage.desk.done(3)
    ticket = stage.desk.show(1001)
    assert ticket["first_response_at"]
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent", "bounce"]
    assert [event["what"] for event in ticket["events"]][-1] == "report"
    del stage.world.refused[CAROL]
    stage.world.wait(CAROL, lambda kept: "it is repaired" in kept.text)
    assert stage.world.to(ANN, lambda kept: "could not be delivered" in str(kept.mail["Subject"])) == []


def test_postfix_keeps_the_mail_while_maild_is_down(make_stage, until, written):
    stage = make_stage(start=False)
    first = written(CAROL, "one", "The first.")
    stage.postfix.sendmail(first, CAROL, DESK)
    until(
        lambda: any("refused" in one["recipients"][0].get("delay_reason", "") for one in stage.postfix.queued()),
        "a deferred mail",
    )
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.world.wait(ANN)
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stage.desk.ask("SELECT count(*), state FROM received GROUP BY state") == [(1, "done")]
    assert len(stage.world.to(CAROL)) == 1

    # In the middle of a day, too.
    stage.desk.end()
    stage.postfix.sendmail(written(CAROL, "two", "The second."), CAROL, DESK)
    until(stage.postfix.queued, "a queued mail")
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.world.wait(ANN, lambda kept: "The second." in kept.text)
    stage.desk.done(2)
    assert [one["id"] for one in stage.desk.tickets()] == [1001, 1002]


def test_an_unknown_recipient_goes_back_to_its_sender_and_not_to_maild(make_stage, by_smtp, written):
    stage = make_stage(main="main.cf of a domain of its own")
    stage.postfix.sendmail(
        written(CAROL, "hello?", "Is anybody there?", to="nobody@help.example.com"), CAROL, "nobody@help.example.com"
    )
    report = stage.world.wait(CAROL)
    assert report.sender == ""
    assert report.mail.get_content_type() == "multipart/report"
    assert b"550 5.1.1 no such mailbox here" in report.octets
    # Whoever is still connected is told at once.
    dialogue = by_smtp(
        stage, written("x@elsewhere.example", "hello?", "?"), "x@elsewhere.example", "nobody@help.example.com", code=24
    )
    assert "550 5.1.1" in dialogue
    assert stage.desk.ask("SELECT count(*) FROM received") == [(0,)]
    # A detail that is no token of ours is the desk's own mailbox all the same.
    stage.postfix.sendmail(written(CAROL, "to a detail", "Hello."), CAROL, "csm+unknown@help.example.com")
    stage.desk.done(1)
    assert [one["subject"] for one in stage.desk.tickets()] == ["to a detail"]


def test_fifty_mails_at_once_are_fifty_tickets(stage, program):
    source = program("smtp-source", "postfix")
    command = [
        source,
        "-s",
        "5",
        "-m",
        "50",
        "-l",
        "2000",
        "-f",
        CAROL,
        "-t",
        DESK,
        "-S",
        "load",
        f"127.0.0.1:{stage.postfix.port}",
    ]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    stage.desk.done(50)
    assert len(stage.desk.tickets()) == 50
    assert stage.postfix.log.count("relay=127.0.0.1") >= 50
    assert "status=bounced" not in stage.postfix.log


def test_the_page_knows_how_to_see_whether_it_is_right(stage):
    maps = stage.postfix.command("postconf", "-h", "transport_maps").strip()
    assert re.match(r"maild:\[127\.0\.0\.1\]:\d+\n", postmap(stage, maps, DESK))
    stage.postfix.command("sendmail", "-bv", "-f", CAROL, "csm+test@example.com")
    report = stage.world.wait(CAROL)
    assert b"250 2.1.5" in report.octets
    assert stage.desk.ask("SELECT count(*) FROM received") == [(0,)]


def postmap(stage, maps, key):
    return stage.postfix.command("postmap", "-q", key, maps)
