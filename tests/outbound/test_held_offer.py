"""The letter that asks whether a mail was the agent's, where he may take up what it asked for."""

from dataclasses import replace
from email import message_from_bytes, policy

from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.letters import HeldLetter
from maild.outbound.mark import MARK
from maild.outbound.template_files import load_templates


def text_of(letter):
    mail = compose(letter, samples.DESK, load_templates(), samples.NOW)
    return message_from_bytes(mail.octets, policy=policy.default).get_content()


def test_an_offer_is_a_line_of_its_own():
    held = next(one for one in samples.letters("") if isinstance(one, HeldLetter) and not one.offer)
    offered = text_of(replace(held, offer="#requester carol@example.com"))
    assert "#requester carol@example.com" in offered.splitlines()
    assert "An answer to this mail goes nowhere." not in offered
    assert "#requester" not in text_of(held)
    assert MARK not in offered + text_of(held)
