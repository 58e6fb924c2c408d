"""What each letter becomes, read back by the standard library."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from maild.mail import Address, Attachment
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.digest_letter import DigestLetter
from maild.outbound.gate import GateRefusal
from maild.outbound.headline import escalation_subject
from maild.outbound.letters import (
    AckLetter,
    ClockLine,
    EscalationLetter,
    HeldLetter,
    NoticeLetter,
    RelayLetter,
    ReportLetter,
    SummaryLetter,
    WordLetter,
)
from maild.outbound.mark import MARK
from maild.outbound.wording import clocked, fold
from maild.ticket import Severity

NOW, DESK = samples.NOW, samples.DESK


def sample(kind):
    return next(letter for letter in samples.letters() if isinstance(letter, kind))


@pytest.fixture
def write(templates):
    def write(letter, desk=DESK):
        out = compose(letter, desk, templates, NOW)
        return out, message_from_bytes(out.octets, policy=default)

    return write


def text_of(parsed):
    return parsed.get_body(("plain",)).get_content().replace("\r\n", "\n")


def html_of(parsed):
    return parsed.get_body(("html",)).get_content()


@pytest.mark.parametrize("letter", samples.letters(), ids=lambda letter: type(letter).__name__)
def test_every_letter_is_the_same_each_time_and_says_what_it_is(letter, write):
    out, parsed = write(letter)
    assert write(letter)[0] == out
    assert out.key == letter.key
    assert parsed["Message-ID"] == f"<{letter.message_id}>" == f"<{out.message_id}>"
    assert parsed["Date"].datetime == NOW == out.not_before
    assert parsed["X-Maild-Loop"] == DESK.address
    assert f"<{letter.root_id}>" in parsed["References"].split()
    assert parsed["MIME-Version"] == "1.0"
    automatic = not isinstance(letter, RelayLetter)
    assert (parsed["X-Auto-Response-Suppress"] == "All") is automatic
    kinds = {AckLetter: "auto-replied", RelayLetter: None}
    assert parsed["Auto-Submitted"] == kinds.get(type(letter), "auto-generated")
    assert out.envelope_from == getattr(letter, "envelope_from", "")
    names = {AckLetter: "ack", NoticeLetter: "notification", RelayLetter: "relay", EscalationLetter: "escalation"}
    assert (
        out.kind
        == (
            names
            | {
                HeldLetter: "held",
                WordLetter: "notification",
                SummaryLetter: "summary",
                ReportLetter: "report",
                DigestLetter: "digest",
            }
        )[type(letter)]
    )


def test_the_acknowledgement_is_our_own_words_only(write):
    _, parsed = write(sample(AckLetter))
    text = text_of(parsed)
    assert parsed["Subject"] == "[CSM #1042] We have received your message"
    assert parsed["To"] == "bob@acme.example"
    for wanted in ("[CSM #1042]", "urgent", "Monday 23 November 2026, 17:50 CET (Europe/Berlin)", "just reply"):
        assert wanted in text
    for foreign in ("pay", "Bob", "Checkout"):
        assert foreign not in str(parsed)


def test_the_authenticated_get_their_subject_back_and_their_own_zone(write):
    letter = replace(sample(AckLetter), echo_subject=True, time_zone="Asia/Kolkata")
    _, parsed = write(letter)
    assert parsed["Subject"] == "Re: [CSM #1042] Checkout down"
    assert "22:20 IST (Asia/Kolkata)" in text_of(parsed)


def test_an_acknowledgement_in_another_language_and_one_we_do_not_speak(write):
    german = write(replace(sample(AckLetter), language="de"))[1]
    assert german["Subject"] == "[CSM #1042] Ihre Nachricht ist angekommen"
    assert "dringend" in text_of(german)
    assert "2026-11-23 17:50 CET (Europe/Berlin)" in text_of(german)
    assert "just reply" in text_of(write(replace(sample(AckLetter), language="xx"))[1])


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("Checkout down", "Re: [CSM #1042] Checkout down"),
        ("Re: AW: re[2]: Checkout down", "Re: [CSM #1042] Checkout down"),
        ("Re: [CSM #1042] Checkout [csm #7] down", "Re: [CSM #1042] Checkout down"),
        ("Fwd: Checkout", "Re: [CSM #1042] Fwd: Checkout"),
        ("", "Re: [CSM #1042] Checkout down"),
        ("Re: [CSM #1042]", "Re: [CSM #1042]"),
        ("Käse: " + "é" * 90, "Re: [CSM #1042] Käse: " + "é" * 90),
        ("x" * 150, "Re: [CSM #1042] " + "x" * 150),
    ],
)
def test_a_relay_has_the_customers_subject_with_the_tag_once(write, subject, wanted):
    assert write(replace(sample(RelayLetter), subject=subject))[1]["Subject"] == wanted


def test_long_ids_leave_as_plain_text(write):
    long = "n" * 108 + "@acme.example"
    chain = tuple(f"{number}.{'r' * 100}@acme.example" for number in range(30))
    letter = replace(
        sample(RelayLetter), in_reply_to=long, references=(*chain, long), message_id="m" * 108 + "@example.com"
    )
    octets = write(letter)[0].octets
    head = octets.partition(b"\r\n\r\n")[0].decode()
    assert "=?" not in head
    assert f"In-Reply-To: <{long}>\r\n" in head
    kept = (samples.ROOT, chain[0], *chain[-9:], long)
    assert "References: " + "\r\n ".join(f"<{msgid}>" for msgid in kept) in head
    assert max(map(len, head.split("\r\n"))) < 200


def test_a_notification_tells_an_agent_all(write):
    _, parsed = write(sample(NoticeLetter))
    assert str(parsed["From"]) == '"Bob Customer via Example Support" <csm@example.com>'.replace('"', "")
    assert parsed["Reply-To"] == sample(NoticeLetter).reply_to
    assert parsed["Subject"] == "[CSM #1042] Checkout down"
    assert (parsed["X-Maild-Ticket"], parsed["X-Maild-Severity"], parsed["X-Maild-State"]) == ("1042", "urgent", "new")
    text = text_of(parsed)
    assert text.startswith(MARK + "\n")
    for wanted in (
        *("Bob Customer <bob@acme.example>", "verified by dmarc", "urgent ('down' in the subject)", "Nobody can pay."),
        *("target Mon 23 Nov 2026, 17:31, limit 17:46", "- app.log (9 Bytes)", "#resolve", "mailto:csm+", "paused"),
    ):
        assert wanted in text, wanted
    html = html_of(parsed)
    assert MARK in html
    assert html.index(MARK) < html.index("<p>Nobody can pay.</p>")
    names = [part.get_filename() for part in parsed.walk() if part.get_filename()]
    assert names == ["shot.png", "app.log"]
    assert parsed["References"] == parsed["In-Reply-To"] == f"<{samples.ROOT}>"


def test_a_notification_offers_no_command_that_the_desk_does_not_know(write):
    for letter in (sample(NoticeLetter), sample(EscalationLetter), sample(HeldLetter)):
        _, parsed = write(letter, replace(DESK, commands=()))
        words = re.findall(r"#(?:resolve|assign|ack|send|status|pending)\b", parsed.as_string())
        assert words == []


def test_foreign_html_is_sanitised_again(write):
    html = '<p onclick="x()">hi<script>alert(1)</script><img src="https://spy.example/p.gif"><a href="javascript:x">j</a></p>'
    letter = replace(sample(NoticeLetter), mail=samples.mail(html=html), notes=("<b>note</b>",))
    rendered = html_of(write(letter)[1])
    for bad in ("onclick", "script", "spy.example", "<b>note</b>"):
        assert bad not in rendered
    assert "&lt;b&gt;note" in rendered


def test_an_unclear_or_nameless_sender_is_somebody(write):
    mail = replace(samples.mail(), from_=(), from_fields=0)
    assert "somebody via Example Support" in str(write(replace(sample(NoticeLetter), mail=mail))[1]["From"])
    mail = replace(samples.mail(), from_=(Address("", "x@y.example"),))
    assert "x@y.example via" in str(write(replace(sample(NoticeLetter), mail=mail))[1]["From"])


def test_attachments_beyond_ten_megabytes_are_listed(write):
    def file(name, size):
        return Attachment(name, "application/zip", b"x" * size, name, False, "")

    files = (file("a.zip", 6_000_000), file("b.zip", 5_000_000), file("c.zip", 4_000_000))
    out, parsed = write(replace(sample(NoticeLetter), mail=replace(samples.mail(), attachments=files)))
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["a.zip", "c.zip"]
    assert "- b.zip (5.0 MB), too large" in text_of(parsed)
    assert len(out.octets) < 15_000_000


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "[BREACH first response] CSM #1042 URGENT Acme: Checkout down (limit 30m, 4m late)"),
        ({"limit_at": NOW}, "[BREACH first response] CSM #1042 URGENT Acme: Checkout down (limit 30m, 0s late)"),
        (
            {"limit_at": NOW + timedelta(seconds=1)},
            "[LIMIT first response] CSM #1042 URGENT Acme: Checkout down (limit 30m, 1s left)",
        ),
        (
            {
                "limit_at": NOW + timedelta(minutes=7, seconds=30),
                "level": "75%",
                "customer": "",
                "metric": "resolution",
            },
            "[75% resolution] CSM #1042 URGENT Checkout down (limit 30m, 7m 30s left)",
        ),
        (
            {"ticket": replace(samples.TICKET, severity=Severity.LOW, subject=""), "level": "limit+100%"},
            "[BREACH first response] CSM #1042 LOW Acme (limit 30m, 4m late)",
        ),
    ],
)
def test_an_escalations_subject_sorts(changes, wanted, write):
    letter = replace(sample(EscalationLetter), **changes)
    assert escalation_subject(letter, DESK, NOW) == wanted
    assert write(letter)[1]["Subject"] == wanted


def test_an_escalation_says_first_what_is_late(write):
    letter = sample(EscalationLetter)
    text = text_of(write(letter)[1])
    lines = [line for line in text.splitlines() if line and line != MARK]
    assert lines[0] == "BREACH: the first response of [CSM #1042] is 4m over its limit of 30m."
    assert lines[1] == "Due: Monday 23 November 2026, 17:46 CET (Europe/Berlin)"
    assert lines[2] == "  = 2026-11-23 16:46 UTC"
    assert lines[3] == "Owner: NOBODY"
    assert lines[4].startswith("Next: Mia Manager will be told at Mon 23 Nov 2026, 17:50")
    assert text.count("> Nobody can pay.") == 20
    assert "> [...]" in text
    early = replace(letter, limit_at=NOW + timedelta(minutes=1), owner="Ann", next_at=None, last_from="", last_at=None)
    text = text_of(write(early)[1])
    assert "BREACH" not in text
    assert "Owner: Ann" in text


def test_held_asks_and_shows_the_first_lines(write):
    out, parsed = write(sample(HeldLetter))
    assert parsed["To"] == "Ann Example <ann@example.com>"
    assert parsed["Subject"] == "[CSM #1042] Was this you? Checkout down"
    assert "> Nobody can pay." in text_of(parsed)
    assert "no clock was stopped" in text_of(parsed)
    assert out.ticket == 1042
    assert write(replace(sample(HeldLetter), ticket=None))[0].ticket == 0


def test_a_word_may_answer_a_mail_of_the_agents(write):
    _, parsed = write(replace(sample(WordLetter), in_reply_to="his@example.com"))
    assert parsed["In-Reply-To"] == "<his@example.com>"


def test_the_marker_stands_above_every_mail_that_is_answered_to_a_ticket(write):
    for kind in (NoticeLetter, EscalationLetter, WordLetter):
        assert text_of(write(sample(kind))[1]).startswith(MARK + "\n"), kind


def test_a_broken_message_id_of_ours_does_not_leave(write):
    with pytest.raises(GateRefusal, match="Message-ID"):
        write(replace(sample(AckLetter), message_id="no id"))


def test_an_address_in_another_script_is_refused_or_written_in_ascii(write):
    assert (
        write(replace(sample(AckLetter), to=Address("", "bob@bücher.example")))[0].rcpt == "bob@xn--bcher-kva.example"
    )
    with pytest.raises(GateRefusal, match="plain ASCII"):
        write(replace(sample(AckLetter), to=Address("", "bücher@acme.example")))


def test_a_promise_is_named_to_the_minute_and_never_later_than_it_is(write):
    letter = replace(sample(AckLetter), answer_by=datetime(2026, 11, 23, 16, 50, 59, 999_999, tzinfo=UTC))
    assert "  Monday 23 November 2026, 17:50 CET (Europe/Berlin)\n" in text_of(write(letter)[1])
    assert "2026-11-23 17:50 CET" in text_of(write(replace(letter, language="de"))[1])


@pytest.mark.parametrize(
    ("clock", "wanted"),
    [
        (("resolution", NOW, NOW, "running"), "Resolution: running, target and limit Mon 23 Nov 2026, 17:50"),
        (
            ("resolution", NOW, NOW + timedelta(seconds=9), "running"),
            "Resolution: running, target and limit Mon 23 Nov 2026, 17:50",
        ),
        (
            ("first_response", NOW, NOW + timedelta(hours=1), "breached"),
            "First response: breached, target Mon 23 Nov 2026, 17:50, limit 18:50",
        ),
        (
            ("resolution", NOW, NOW + timedelta(days=1), "running"),
            "Resolution: running, target Mon 23 Nov 2026, 17:50, limit Tue 24 Nov 2026, 17:50",
        ),
        (("resolution", None, NOW, "running"), "Resolution: running, limit Mon 23 Nov 2026, 17:50"),
        (("resolution", NOW, None, "running"), "Resolution: running, target Mon 23 Nov 2026, 17:50"),
        (("resolution", None, None, "paused"), "Resolution: paused"),
    ],
)
def test_a_clock_in_words(clock, wanted):
    assert clocked(ClockLine(*clock), "Europe/Berlin") == wanted


@pytest.mark.parametrize("letter", samples.letters(), ids=lambda letter: type(letter).__name__)
def test_our_own_lines_are_no_wider_than_a_terminal(letter, write):
    if isinstance(letter, RelayLetter | SummaryLetter | ReportLetter):
        return  # an agent's own lines; commands to paste; tables
    zone = "America/Argentina/ComodRivadavia"
    wide = {"agent": replace(samples.AGENT, time_zone=zone)} if hasattr(letter, "agent") else {"time_zone": zone}
    text = text_of(write(replace(letter, **wide))[1])
    for line in text.splitlines():
        assert len(line) <= 78 or line.strip().startswith("mailto:"), line
    assert text.count(zone) <= 1


def test_only_our_own_lines_are_folded(write):
    long = "customer's words " * 20
    mail = replace(samples.mail(), text=long, new_text=long)
    for letter in (
        replace(sample(NoticeLetter), mail=mail),
        replace(sample(EscalationLetter), last_text=long),
        replace(sample(HeldLetter), mail=mail),
        replace(sample(WordLetter), quote=long),
    ):
        assert long.strip() in text_of(write(letter)[1])


def test_fields_go_on_indented_and_links_stay_whole():
    words = "word " * 20
    assert fold(f"Next: {words}".strip()).splitlines()[1].startswith("  word")
    assert fold(words.strip()).splitlines()[1].startswith("word")
    assert fold("x " + "mailto:" + "y" * 100).splitlines() == ["x", "mailto:" + "y" * 100]
    assert fold("a\n\nb\n") == "a\n\nb\n"


def test_the_footer_is_a_signature_that_clients_know(write):
    assert "\n-- \nYour reply goes to" in text_of(write(sample(NoticeLetter))[1])


def test_a_new_ticket_says_so(write):
    letter = replace(sample(NoticeLetter), placed_because="it names no conversation that we know")
    for opened, wanted in ((True, "New ticket: it names no"), (False, "In this ticket because: it names no")):
        _, parsed = write(replace(letter, opened=opened))
        assert wanted in text_of(parsed)
        assert wanted in html_of(parsed)


def test_held_says_what_to_do_and_that_no_answer_is_read(write):
    mail = replace(samples.mail(), subject="Re: [CSM #1042] Checkout down")
    _, parsed = write(replace(sample(HeldLetter), mail=mail), replace(DESK, commands=()))
    assert parsed["Subject"] == "[CSM #1042] Was this you? Checkout down"
    text = " ".join(text_of(parsed).split())
    for words in ("as a reply to the notification", "goes nowhere", "do nothing", "Do not answer this mail to deny it"):
        assert words in text
    assert MARK not in text


def test_a_warning_stands_above_everything(write):
    warning = "dave@bolt.example is not this ticket's customer: <b>"
    _, parsed = write(replace(sample(NoticeLetter), warnings=(warning,)))
    assert " ".join(text_of(parsed).split()).startswith(f"{MARK} {warning}")
    assert html_of(parsed).index("not this ticket") < html_of(parsed).index("wrote to")
    assert "customer: <b>" not in html_of(parsed)
