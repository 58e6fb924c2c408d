"""The attack table goes on: Mallory plays with ids, addresses and numbers (see `test_attacks`)."""

import pytest

ATTACKS = []


def attack(row):
    """Make a function a row of the table; its name is that of its picture."""
    ATTACKS.append(row)
    return row


def two_in_one(stage):
    """Let Carol and Dave open a ticket each, and merge Dave's into hers. Gives the numbers."""
    stage.opened()
    stage.write("dave", "The till is broken here as well.", subject="Our merger with Acme")
    first, second = stage.numbers
    stage.run("ticket", "merge", str(second), str(first))
    return first, second


@attack
def words_of_a_customer_who_was_merged(stage):
    """Carol must not learn by an answer that Dave is there: no id, no tag, no word of his."""
    two_in_one(stage)
    stage.write("dave", "Is it the fuse again?", answers=stage.got("dave"), subject="Re: Our merger [BOLT-77]")
    notice = stage.got("ann", "fuse again")
    quoted = "\n".join(f"> {line}" for line in notice.text.splitlines())
    stage.write("ann", f"{quoted}\n\nThe fuse it was.", answers=notice)
    answer = stage.got("carol", "the fuse it was")
    assert "bolt" not in answer.everything, answer.octets.decode()
    assert "fuse again" not in answer.everything


@attack
def ids_of_a_thousand_mails(stage):
    stage.opened()
    own = str(stage.got("carol").mail["Message-ID"])
    ids = " ".join([*(f"<x{n}@evil.example>" for n in range(500)), own, *(f"<y{n}@evil.example>" for n in range(500))])
    stage.write("mallory", "They are all mine.", more=(("References", ids),))
    stage.write("carol", "It still says no.", answers=stage.got("carol"))


@attack
def message_id_of_the_customer(stage):
    """Mallory knows the id of Carol's mail, which he got as a copy; answers to it must not become his."""
    mid = stage.write("carol", "Nobody can pay since this morning.")
    stage.write("mallory", "My words, her id.", mid=mid)
    stage.write("carol", "It still says no.", answers=stage.got("carol"))


@attack
def message_id_of_ours_from_a_list(stage):
    answer = stage.answered()
    mid = str(answer.mail["Message-ID"]).strip("<>")
    more = (("List-Id", "<x.evil.example>"), ("X-Maild-Loop", "csm@desk.example"))
    stage.write("mallory", "Swallow this.", mid=mid, answers=answer, to=stage.box, more=more)


@attack
def message_of_the_customer_again(stage):
    """The same id, From and words: as if it had come twice, but to another ticket's address."""
    answer = stage.answered()
    mid = stage.write("carol", "Yes I did.", answers=answer)
    stage.forge("carol", "Yes I did.", answers=answer, mid=mid, to=stage.box, more=(("Cc", stage.mallory),))


@attack
def mail_that_a_forged_machine_s_forestalls(stage):
    """Mallory got a copy and is faster: the same id, From and words, but as a machine's or a list's."""
    answer = stage.answered()
    for number, (field, word) in enumerate((("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"))):
        mid = stage.new_id("acme.example")
        words = f"It burns now {number}."
        stage.forge("carol", words, answers=answer, mid=mid, to=stage.box, more=((field, word),))
        stage.write("carol", words, answers=answer, mid=mid)
        stage.write("carol", words, answers=answer, mid=mid, to=stage.box)


@attack
def opening_that_a_forged_list_s_forestalls(stage):
    mid, subject = stage.new_id("acme.example"), "Fire in the kitchen"
    stage.forge("carol", "It burns now.", mid=mid, subject=subject, more=(("Precedence", "bulk"),))
    stage.write("carol", "It burns now.", mid=mid, subject=subject)


@attack
def acknowledgement_that_carries_a_forger_s_words(stage):
    """Carol is known, so she is told of mail in her name: in our words."""
    stage.opened()
    stage.forge(
        "carol", "Buy now and save.", subject="Cheap pills at evil.example", from_=f'"See evil.example" <{stage.carol}>'
    )
    assert "evil.example" not in stage.got("carol").everything


@attack
def stranger_at_a_ticket_that_was_closed_long_ago(stage):
    """He cannot make himself the one in whose ticket hers goes on."""
    answer = stage.answered()
    stage.close_long_ago(stage.numbers[0])
    stage.write("mallory", "Go on with me.", answers=answer)
    stage.write("carol", "It says no again.", answers=answer)
    stage.write("carol", "Every day.", answers=answer)


@attack
def stranger_by_way_of_an_open_mailbox(stage):
    """Another mailbox of the desk admits everyone; Carol's ticket is not that one's."""
    answer = stage.answered()
    stage.write("mallory", "Let me in by the side.", answers=answer, to="open@desk.example")
    stage.write("ann", "Then try this.", answers=stage.got("ann", "nobody can pay"))


@attack
def a_thousand_in_copy(stage):
    house = stage.carol.partition("@")[2]
    many = ", ".join([*(f"x{n}@{house}" for n in range(500)), *(f"y{n}@evil.example" for n in range(500))])
    stage.write("carol", "Nobody can pay.", more=(("Cc", many),))
    stage.write("ann", "Did you try the other till?", answers=stage.got("ann"))


@attack
def group_in_from(stage):
    from_ = f"Staff: Ann <{stage.ann}>;"
    stage.write("mallory", stage.wanted, from_=from_, answers=stage.opened())


@attack
def letters_that_look_alike(stage):
    stage.write("mallory", stage.wanted, from_="Ann <ann00@st\u0430ff.example>", answers=stage.opened())


@attack
def name_that_is_an_agent_s_address(stage):
    stage.write("mallory", stage.wanted, from_=f'"{stage.ann}" <{stage.mallory}>', answers=stage.opened())


@attack
def token_in_capitals_is_the_agent_s_all_the_same(stage):
    notice = stage.opened()
    stage.write("ann", "Did you try the other till?", answers=notice, to=str(notice.mail["Reply-To"]).upper())


@attack
def sub_address_of_nothing(stage):
    local, _, domain = stage.box.partition("@")
    stage.opened()
    stage.write("mallory", "A question of my own.", to=f"{local}+1001@{domain}")
    stage.write("mallory", "And another one.", to=f"{local}+{'a' * 24}@{domain}")


@attack
def from_our_own_address(stage):
    """A loop would begin if it were answered."""
    stage.write("box", "Out of nowhere.", by="mallory", path=stage.box)
    stage.write("csm+x@desk.example", "Out of nowhere.", by="mallory", path=stage.mallory, proof="pass")
    stage.write("ann", "Who is it?", answers=stage.got("ann", "out of nowhere"))


@attack
def tag_of_somebody_else_on_a_new_mail(stage):
    stage.opened()
    stage.write("mallory", "A question of my own.", subject=f"[CSM #{stage.numbers[0]}] hello there")


@attack
def thanks_with_a_complaint_beneath(stage):
    """What is shown to some is not what is read by others: the ticket must not stay resolved over it."""
    answer = stage.answered()
    stage.run("ticket", "resolve", str(stage.numbers[0]))
    text = (
        "--b\r\nContent-Type: text/plain\r\n\r\nThank you!\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        "<p>Nothing works, and we lose money every minute. Call me.</p>\r\n--b--"
    )
    stage.write("carol", text, answers=answer, kind='multipart/alternative; boundary="b"')


@attack
def thanks_in_the_customer_s_name(stage):
    answer = stage.answered()
    stage.run("ticket", "resolve", str(stage.numbers[0]))
    stage.forge("carol", "Thank you, but it says no again.", answers=answer, to=stage.box)
    stage.forge("carol", "Thank you!", answers=answer, to=stage.box)


@attack
def colleague_who_is_forged_gets_no_copies(stage):
    answer = stage.answered()
    stage.forge("dora", "I am her colleague.", answers=answer, to=stage.box)
    stage.write("ann", "Then try this.", answers=stage.got("ann", "her colleague"))


@attack
def tokens_of_two_tickets_at_once(stage):
    """Mallory answers his own ticket with Carol's address in copy, as if all were one."""
    stage.opened()
    stage.write("mallory", "A question of my own.")
    carols, his = str(stage.got("carol").mail["Reply-To"]), stage.got("mallory")
    mid = stage.write("mallory", "For both of you.", answers=his, more=(("Cc", carols),))
    stage.write("mallory", "For both of you.", answers=his, mid=mid, to=carols)
    stage.write("ann", "Only for you.", answers=stage.got("ann", "for both of you"))


@attack
def line_of_ours_in_a_stranger_s_quote_plain(stage):
    """Where there are no sub-addresses, our signed line ends each mail to the customer."""
    stage.write("carol", "Nobody can pay since this morning.")
    text = "\n".join(f"> {line}" for line in stage.got("carol").text.splitlines())
    stage.write("mallory", f"Tell me more.\n\n{text}", to=stage.box, subject="mine")
    stage.forge("ann", f"{stage.wanted}\n\n{text}", to=stage.box, subject="mine")
    stage.forge("carol", f"It is I.\n\n{text}", to=stage.box, subject="mine", more=(("Cc", stage.mallory),))


@attack
def copies_that_an_agent_s_reply_to_all_would_make(stage):
    """Carol's mail names Mallory: what her agent's program answers to must not."""
    stage.write(
        "carol", "Nobody can pay.", more=(("Cc", stage.mallory), ("Reply-To", f"{stage.carol}, {stage.mallory}"))
    )
    notice = stage.got("ann")
    named = [str(notice.mail[name]) for name in ("From", "To", "Cc", "Reply-To") if notice.mail[name]]
    assert not [one for one in named if "mallory" in one]
    stage.write("ann", "Did you try the other till?", answers=notice, more=(("Cc", ", ".join(named)),))


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row.__name__.replace("_", " "))
def test_ids_addresses_and_numbers(request, pictures, row):
    stage = request.getfixturevalue("plain_stage" if row.__name__.endswith("_plain") else "stage")
    row(stage)
    stage.then(pictures[row.__name__])


def test_every_picture_is_of_an_attack_on_threads(pictures):
    assert sorted(pictures) == sorted(row.__name__ for row in ATTACKS)
