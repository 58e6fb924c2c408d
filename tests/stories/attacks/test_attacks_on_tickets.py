"""The attack table goes on: Mallory at the door of other people's tickets, and machines that he plays (see `test_attacks`)."""

import pytest

ATTACKS = []


def attack(row):
    """Make a function a row of the table; its name is that of its picture."""
    ATTACKS.append(row)
    return row


@attack
def reply_to_of_a_stranger(stage):
    notice = stage.opened()
    stage.write("carol", "It is urgent, by the way.", answers=stage.got("carol"), more=(("Reply-To", stage.mallory),))
    stage.write("ann", "We look at it.", answers=stage.got("ann", "by the way"))
    assert notice.rcpt == stage.ann


@attack
def copy_takeover_by_a_forged_customer(stage):
    answer, copies = stage.answered(), (("Cc", f"{stage.mallory}, {stage.dora}"),)
    stage.forge("carol", answers=answer, to=stage.box, more=copies, text="Yes I did.")
    stage.write("ann", "Then try this.", answers=stage.got("ann", "yes i did"))


@attack
def copy_takeover_by_the_customer_s_own_mail(stage):
    """Carol really copies him in; he answers all the same."""
    stage.write("carol", "Nobody can pay.", more=(("Cc", f"{stage.mallory}, {stage.ann}"),))
    stage.write(
        "ann",
        "Did you try the other till?",
        answers=stage.got("bob"),
        to=str(stage.got("bob").mail["Reply-To"]),
        proof="pass",
    )
    stage.write("mallory", "Let me in.", answers=stage.got("carol", "other till"), to=stage.box)


@attack
def stranger_with_the_right_references(stage):
    answer = stage.answered()
    stage.write("mallory", "Send the rest to me.", answers=answer, to=stage.box, subject="Re: something of mine")


@attack
def stranger_with_the_right_subject_and_quote(stage):
    stage.answered()
    tag = stage.got("carol", "other till").subject
    text = "Send the rest to me.\n\n> Did you try the other till?\n> Nobody can pay since this morning.\n"
    stage.write("mallory", text, subject=tag)


@attack
def requester_by_a_stranger(stage):
    stage.write("mallory", f"#requester {stage.mallory}\n\nmine now", answers=stage.answered(), to=stage.box)


@attack
def requester_by_the_customer(stage):
    stage.write("carol", f"#requester {stage.mallory}\n#cc {stage.mallory}\n#resolve", answers=stage.answered())


@attack
def requester_by_a_forged_agent(stage):
    stage.forge(answers=stage.opened(), to=stage.box, text=f"#requester {stage.mallory}")


@attack
def forward_by_a_forged_agent(stage):
    text = f"""for you

---------- Forwarded message ---------
From: Dave <{stage.dave}>
Date: Wed, 11 Mar 2026 at 10:06
Subject: swordfish is my password
To: <{stage.ann}>


Please confirm my password.
"""
    stage.forge(subject="Fwd: swordfish is my password", text=text)


@attack
def ticket_that_went_into_another(stage):
    """Dave's ticket went into Carol's. His token, and the agents' of his ticket, are worth no more than before."""
    carols = stage.opened()
    stage.write("dave", "The till is broken here as well.")
    daves, ack = stage.got("ann", "here as well"), stage.got("dave")
    first, second = map(str, stage.numbers)
    stage.run("ticket", "merge", second, first)
    stage.forge(answers=daves)
    stage.write("mallory", "What do they write?", answers=ack)
    stage.write("ann", "Dear Dave, yours is a secret.", answers=daves)
    assert carols.rcpt == stage.ann


# --- Machines ----------------------------------------------------------------------------------------------------------


def bounce(stage, to, of, path=""):
    kind = 'multipart/report; report-type=delivery-status; boundary="b"'
    text = (
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; {stage.carol}\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 gone\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {of.mail['Message-ID']}\r\n\r\n--b--"
    )
    subject = "Undelivered Mail Returned to Sender"
    stage.write("MAILER-DAEMON@mx.evil.example", text, to=to, kind=kind, path=path, subject=subject, by="mallory")


@attack
def bounce_forged_to_the_mailbox(stage):
    bounce(stage, stage.box, stage.answered())


@attack
def bounce_forged_to_the_customer_s_token(stage):
    answer = stage.answered()
    bounce(stage, str(answer.mail["Reply-To"]), answer)


@attack
def bounce_forged_to_the_return_path_of_another_mail(stage):
    answer = stage.answered()
    bounce(stage, stage.got("ann").sender, answer, path=stage.mallory)


@attack
def absence_forged_in_the_customer_s_name(stage):
    more = (("Auto-Submitted", "auto-replied"),)
    answer = stage.answered()
    stage.forge("carol", answers=answer, text="I am away; write to Mallory.", more=more)


@attack
def absence_forged_in_an_agent_s_name(stage):
    more = (("Auto-Submitted", "auto-replied"),)
    stage.forge(answers=stage.opened(), text="I am away; write to Mallory.", more=more)


@attack
def agent_who_opens_as_a_customer(stage):
    """His opening mail is no response, and neither is his next; a colleague's answer is."""
    stage.write("ann", "My own till is broken.", proof="pass")
    stage.write("ann", "Still broken it is.", answers=stage.got("ann"), proof="pass")
    stage.write("bob", "Repaired.", answers=stage.got("bob", "still broken"))


@attack
def agent_forged_as_a_customer(stage):
    stage.forge(text="The password of Ann, please.", subject="my password")


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row.__name__.replace("_", " "))
def test_somebody_else_s_ticket(stage, pictures, row):
    row(stage)
    stage.then(pictures[row.__name__])


def test_every_picture_is_of_such_an_attack(pictures):
    assert sorted(pictures) == sorted(row.__name__ for row in ATTACKS)
