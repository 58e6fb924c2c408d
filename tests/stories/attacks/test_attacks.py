"""The attack table: what the ledger holds and what left, after each attack on a conversation with the real daemon.

Each row prepares a conversation, attacks it, and is then compared with its picture in the text file of the same name: every
ticket, message, participant, event, clock and mail of it, and nothing besides. What outsiders got is searched, octet for
octet, for agents' addresses, agents' tokens and other people's words. Here Mallory speaks in an agent's name.
"""

import pytest

ATTACKS = []


def attack(row):
    """Make a function a row of the table; its name is that of its picture."""
    ATTACKS.append(row)
    return row


def tampered(address):
    """Change the last letters of the token: base32's very last bits may mean nothing."""
    local, _, domain = address.partition("@")
    return f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"


@attack
def agent_from_forged(stage):
    stage.forge(answers=stage.opened(), to=stage.box)


@attack
def agent_from_forged_with_a_stolen_tag(stage):
    stage.opened()
    tag = stage.got("carol").subject.partition("]")[0] + "]"
    stage.forge(subject=f"Re: {tag} something else")


@attack
def agent_from_forged_with_the_customer_in_copy(stage):
    stage.forge(answers=stage.opened(), to=stage.box, more=(("Cc", stage.carol),))


@attack
def token_of_another_agent(stage):
    stage.opened()
    stage.forge(answers=stage.got("bob"))


@attack
def token_tampered(stage):
    notice = stage.opened()
    stage.forge(answers=notice, to=tampered(str(notice.mail["Reply-To"])))


@attack
def token_of_another_ticket(stage):
    """Mallory, a customer too, has seen nothing but knows the letters of a token for his own ticket."""
    stage.opened()
    stage.write("mallory", "My own ticket is this one.")
    stage.forge(
        subject="Re: yours", answers=stage.got("bob", "my own ticket"), to=str(stage.got("mallory").mail["Reply-To"])
    )


@attack
def token_of_a_closed_ticket(stage):
    notice = stage.opened()
    stage.run("ticket", "resolve", str(stage.numbers[0]))
    stage.run("ticket", "close", str(stage.numbers[0]))
    stage.forge(answers=notice)


@attack
def token_under_a_retired_key(stage):
    notice = stage.opened()
    keys = stage.ask("SELECT max(id) FROM secret WHERE retired_at IS NULL")
    stage.run("keys", "rotate")
    stage.run("keys", "retire", str(keys[0][0]), "--yes")
    stage.desk.until(lambda: stage.desk.log.count("keyring.taken_over") >= 2, "new keys")
    stage.forge(answers=notice)


@attack
def token_with_dmarc_fail(stage):
    stage.forge(answers=stage.opened(), proof="fail")


@attack
def token_of_an_agent_from_the_customer_s_address(stage):
    notice = stage.opened()
    stage.forge("carol", answers=notice, text="#resolve\n" + stage.wanted)


@attack
def token_of_an_agent_from_a_stranger_s_address(stage):
    notice = stage.opened()
    stage.write("mallory", stage.wanted, answers=notice)


@attack
def token_of_the_customer_in_an_agent_s_name(stage):
    stage.opened()
    stage.forge(answers=stage.got("carol"))


@attack
def token_of_the_customer_in_a_stranger_s_hands(stage):
    answer = stage.answered()
    stage.write("mallory", "And what did she want to know?", answers=answer)


@attack
def token_of_the_question_was_this_you(stage):
    notice = stage.opened()
    stage.forge(answers=notice, to=stage.box)
    stage.forge(answers=stage.got("ann", "was this you"))
    stage.write("ann", "Yes, that was me.", answers=stage.got("ann", "was this you"), proof="pass")


@attack
def return_path_of_an_agent(stage):
    notice = stage.opened()
    stage.forge(answers=notice, to=notice.sender)


# --- Forged evidence ---------------------------------------------------------------------------------------------------

STAFF = "dmarc=pass header.from=staff.example"


@attack
def results_of_a_stranger_s_server_above_ours(stage):
    top = (("Authentication-Results", f"mx.evil.example; {STAFF}"),)
    stage.forge(answers=stage.opened(), to=stage.box, top=top)


@attack
def results_in_our_name_below_ours(stage):
    more = (("Authentication-Results", f"mx.desk.example; {STAFF}"),)
    stage.forge(answers=stage.opened(), to=stage.box, more=more)


@attack
def results_in_our_name_where_ours_are_silent(stage):
    more = (("Authentication-Results", f"mx.desk.example; {STAFF}"),)
    stage.forge(answers=stage.opened(), to=stage.box, more=more, proof="")


@attack
def results_in_what_our_server_quotes(stage):
    quoted = f'mx.desk.example; spf=pass smtp.mailfrom="x; {STAFF}"; dkim=none (x; {STAFF})'
    stage.forge(answers=stage.opened(), to=stage.box, top=(("Authentication-Results", quoted),), proof="")


@attack
def received_that_claims_a_hop_of_ours(stage):
    """As if our second server had handed it to our first; the true border is above, where Mallory's address was seen."""
    claimed = stage.received("mx2.desk.example", "mx2.desk.example [192.0.2.5]", "mx2.desk.example")
    more = (claimed, ("Authentication-Results", f"mx.desk.example; {STAFF}"))
    notice = stage.opened()
    stage.forge(answers=notice, to=stage.box, trace=(stage.received(), *more), proof="")


@attack
def name_in_received_that_claims_a_hop_of_ours(stage):
    trace = (
        stage.received(peer="unknown [198.51.100.7]", helo="mx2.desk.example"),
        ("Authentication-Results", f"mx.desk.example; {STAFF}"),
        stage.received("mx2.desk.example", "mx2.desk.example [192.0.2.5]"),
    )
    stage.forge(answers=stage.opened(), to=stage.box, trace=trace, proof="")


def sealed(sealer):
    """An ARC set as anybody can write it."""
    return (
        ("ARC-Seal", f"i=1; a=rsa-sha256; cv=none; d={sealer}; s=s1; t=1; b=QUJD"),
        (
            "ARC-Message-Signature",
            f"i=1; a=rsa-sha256; c=relaxed/relaxed; d={sealer}; s=s1; h=from:to; bh=QUJD; b=QUJD",
        ),
        ("ARC-Authentication-Results", f"i=1; {sealer}; {STAFF}"),
    )


@attack
def chain_of_an_untrusted_sealer(stage):
    top = (("Authentication-Results", "mx.desk.example; arc=pass header.oldest-pass=0"),)
    stage.forge(answers=stage.opened(), to=stage.box, top=top, more=sealed("lists.evil.example"))


@attack
def chain_of_a_trusted_sealer_that_is_broken(stage):
    top = (("Authentication-Results", "mx.desk.example; arc=fail (signature failed)"),)
    stage.forge(answers=stage.opened(), to=stage.box, top=top, more=sealed("lists.example"))


@attack
def chain_of_a_trusted_sealer_that_nobody_looked_at(stage):
    stage.forge(answers=stage.opened(), to=stage.box, more=sealed("lists.example"), proof="")


@attack
def chain_of_a_trusted_sealer_with_forged_results(stage):
    more = (("Authentication-Results", "mx.desk.example; arc=pass"), *sealed("lists.example"))
    stage.forge(answers=stage.opened(), to=stage.box, more=more, proof="fail")


@attack
def two_from_fields_agent_first(stage):
    notice = stage.opened()
    more = (("From", f"Mallory <{stage.mallory}>"),)
    stage.forge(answers=notice, more=more, proof="pass")


@attack
def two_from_fields_agent_last(stage):
    notice = stage.opened()
    more = (("From", f"Ann <{stage.ann}>"),)
    stage.write("mallory", stage.wanted, answers=notice, more=more)


@attack
def two_mailboxes_in_one_from(stage):
    notice = stage.opened()
    from_ = f"Ann <{stage.ann}>, Mallory <{stage.mallory}>"
    stage.write("mallory", stage.wanted, answers=notice, from_=from_)


@attack
def sender_and_resent_fields(stage):
    more = (("Sender", stage.ann), ("Resent-From", stage.ann), ("Reply-To", stage.ann))
    stage.write("mallory", stage.wanted, answers=stage.opened(), more=more)


@attack
def fields_of_our_own(stage):
    """All that maild might read, were it ours: states, tickets, agents."""
    stage.opened()
    names = ("Ticket", "Agent", "State", "Origin", "Verified", "Release", "Loop", "Token", "Command")
    value = {"Loop": "csm@desk.example", "State": "resolved", "Agent": "ann", "Ticket": str(stage.numbers[0])}
    more = tuple((f"X-Maild-{name}", value.get(name, "own")) for name in names)
    stage.write("mallory", "A question of my own.", more=more)


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row.__name__.replace("_", " "))
def test_an_agent_s_name_in_the_wrong_hands(stage, pictures, row):
    row(stage)
    stage.then(pictures[row.__name__])


def test_every_picture_is_of_an_attack(pictures):
    assert sorted(pictures) == sorted(row.__name__ for row in ATTACKS)
