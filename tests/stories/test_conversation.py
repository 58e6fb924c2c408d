"""A customer writes, an agent answers by reply, the customer writes again: one ticket, and no trace of the agent's address."""

import base64
import os
import re
import shutil
import smtplib
import subprocess
from email import policy

import pytest

CAROL = "Carol Jones <carol@acme.example>"
ANN = "Ann Agent <ann@staff.example>"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

GMAIL = """<div dir="ltr"><p>Hello Carol, the <b>certificate</b> is renewed.</p><img src="cid:shot@staff.example" alt="shot">
<br></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Wed, 11 Mar 2026 at 10:06, Ann Agent &lt;<a
href="mailto:ann@staff.example">ann@staff.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote">{quoted}</blockquote></div>"""

OUTLOOK = """<div class="WordSection1"><p class="MsoNormal">Hello Carol, the <b>certificate</b> is renewed.<img
src="cid:shot@staff.example"></p></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg"
dir="ltr"><font face="Calibri"><b>From:</b> Carol Jones via Example Support &lt;csm@desk.example&gt;<br><b>Sent:</b> Wednesday,
March 11, 2026 10:06<br><b>To:</b> Ann Agent &lt;ann@staff.example&gt;<br><b>Subject:</b> checkout</font></div><div>{quoted}</div>"""

OUTLOOK_ATTRIBUTION = """________________________________
From: Carol Jones via Example Support <csm@desk.example>
Sent: Wednesday, March 11, 2026 10:06
To: Ann Agent <ann@staff.example>
Subject: checkout
"""


def by_smtplib(port, sender, rcpt, octets, folder):
    with smtplib.SMTP("127.0.0.1", port, timeout=45) as client:
        client.sendmail(sender, [rcpt], octets)


def by_swaks(port, sender, rcpt, octets, folder):
    if not shutil.which("swaks"):
        assert os.environ.get("MAILD_REQUIRE_SERVERS") != "1", "swaks is missing: apt install swaks"
        pytest.skip("swaks is missing: apt install swaks")
    path = folder / "mail.eml"
    path.write_bytes(octets.replace(b"\r\n", b"\n"))
    command = [
        "swaks",
        "--silent",
        "--server",
        f"127.0.0.1:{port}",
        "--from",
        sender,
        "--to",
        rcpt,
        "--data",
        f"@{path}",
    ]
    done = subprocess.run(command, capture_output=True, timeout=45, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tokens_of(kept):
    return set(re.findall(r"[a-z2-7]{24}", f"{kept.sender} {kept.mail['Reply-To']}".lower()))


def full_reply(answer, notice, rich, attribution):
    """Hit reply in a mail program that quotes everything and names the agent's own address in all the usual places."""
    words = (
        "Hello Carol,\n\nthe certificate is renewed.\nWrite to ann@staff.example if not.\n\n-- \nAnn, ann@staff.example"
    )
    reply = answer(notice, ANN, words, **({"attribution": attribution} if attribution else {}), proven=False)
    reply.add_alternative(
        rich.format(quoted=f"<pre>{notice.text} ann@staff.example {notice.mail['Reply-To']}</pre>"), subtype="html"
    )
    reply.get_payload()[1].add_related(
        PIXEL, "image", "png", cid="<shot@staff.example>", filename="ann@staff.example.png", disposition="inline"
    )
    reply.add_attachment(b"log of Ann\n" * 100, "application", "octet-stream", filename="grüße ann@staff.example.log")
    return reply


def no_trace_of_the_agent(relayed, strangers):
    assert "ann@staff.example" not in relayed.everything
    assert "staff.example" not in relayed.sender
    for stranger in strangers:
        assert stranger not in relayed.everything
        assert stranger not in relayed.sender
    assert relayed.mail["From"].addresses[0].addr_spec == "csm@desk.example"
    assert relayed.mail["From"].addresses[0].display_name == "Ann Agent"
    assert relayed.subject.count("[CSM #1001]") == 1


def all_that_he_wrote(relayed):
    assert "Nobody can pay" not in relayed.text
    assert "<b>certificate</b>" in relayed.html
    assert "gmail_quote" not in relayed.html
    assert "divRplyFwdMsg" not in relayed.html
    pictures = [part for part in relayed.mail.walk() if part.get_content_type() == "image/png"]
    assert [part.get_payload(decode=True) for part in pictures] == [PIXEL]
    assert f"cid:{str(pictures[0]['Content-ID']).strip('<>')}" in relayed.html
    files = [part for part in relayed.mail.iter_attachments() if part.get_content_type() == "application/octet-stream"]
    assert [part.get_content() for part in files] == [b"log of Ann\n" * 100]
    assert files[0].get_filename().startswith("grüße")


@pytest.mark.parametrize(
    ("hand_over", "rich", "attribution"),
    [(by_smtplib, GMAIL, None), (by_swaks, OUTLOOK, OUTLOOK_ATTRIBUTION)],
    ids=["gmail by smtplib", "outlook by swaks"],
)
def test_the_whole_conversation(desk, sink, write, answer, tmp_path, hand_over, rich, attribution):
    def send(mail, sender, rcpt="csm@desk.example"):
        hand_over(desk.port, sender, rcpt, mail.as_bytes(policy=policy.SMTP), tmp_path)

    # The customer writes and is told so; the agents are told.
    first = write(CAROL, "csm@desk.example", "Re: checkout says no", "Nobody can pay today.\n\nCarol")
    send(first, "carol@acme.example")
    ack = sink.wait("carol@acme.example")
    assert "[CSM #1001]" in ack.subject
    assert ack.sender == ""
    assert str(ack.mail["In-Reply-To"]) == str(first["Message-ID"])
    notice = sink.wait("ann@staff.example")
    assert "Nobody can pay today." in notice.text
    sink.wait("bob@staff.example")

    reply = full_reply(answer, notice, rich, attribution)
    send(reply, "ann@staff.example", str(notice.mail["Reply-To"]))
    relayed = sink.wait("carol@acme.example", lambda kept: "certificate" in kept.text)

    no_trace_of_the_agent(relayed, tokens_of(notice) | tokens_of(sink.to("bob@staff.example")[0]))
    all_that_he_wrote(relayed)
    assert str(relayed.mail["In-Reply-To"]) == str(first["Message-ID"])
    assert str(first["Message-ID"]) in str(relayed.mail["References"]).split()

    # The customer answers three times: with our ids, with nothing but the address, with nothing but the tag.
    with_ids = answer(relayed, CAROL, "Thank you, with ids.")
    with_ids.replace_header("To", "csm@desk.example")
    send(with_ids, "carol@acme.example")
    bare = write(CAROL, str(relayed.mail["Reply-To"]), "a new subject", "Thank you, by address.")
    send(bare, "carol@acme.example", str(relayed.mail["Reply-To"]))
    send(write(CAROL, "csm@desk.example", "AW: [CSM #1001] hm", "Thank you, by tag."), "carol@acme.example")
    for words in ("with ids", "by address", "by tag"):
        assert (
            f"Thank you, {words}." in sink.wait("ann@staff.example", lambda kept, words=words: words in kept.text).text
        )
    desk.settled()

    shown = desk.show(1001)
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]
    assert [message["kind"] for message in shown["messages"]] == [
        "customer",
        "agent",
        "customer",
        "customer",
        "customer",
    ]
    assert shown["first_response_at"] == shown["messages"][1]["at"]
    assert "token" in shown["first_response_evidence"]
    assert "ann" in shown["first_response_evidence"]
    clock = next(clock for clock in shown["clocks"] if clock["metric"] == "first_response")
    assert (clock["state"], clock["stopped_at"]) == ("met", shown["first_response_at"])
    assert len(sink.to("carol@acme.example")) == 2
    assert {owed["state"] for owed in shown["outbox"]} == {"sent"}


def test_the_answer_below_the_quote_is_kept_without_the_address(desk, sink, write, answer):
    desk.send(write(CAROL, "csm@desk.example", "a question", "How do I log in?"), "carol@acme.example")
    notice = sink.wait("ann@staff.example")
    below = answer(notice, ANN, "", proven=False)
    quoted = below.get_content()
    below.set_content(f"{quoted}\nWith your customer number.\nAnn <ann@staff.example>\n")
    desk.send(below, "ann@staff.example", str(notice.mail["Reply-To"]))
    relayed = sink.wait("carol@acme.example", lambda kept: "customer number" in kept.text)
    assert "ann@staff.example" not in relayed.everything
    assert not tokens_of(notice) & set(re.findall(r"[a-z2-7]{24}", relayed.everything))
