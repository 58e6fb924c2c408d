"""What must not reach a customer: the agent's own address, and every token that is not the customer's."""

import re
from dataclasses import dataclass

from maild.mail import InboundMail

_AT = "(?:@|%40|&#64;)"
_PLUS = r"(?:\+|%2B|&#43;)"
_OWN_ID = r"maild\.\d{1,10}\.[a-z2-7]{8,32}\.[a-z2-7]{16}"
"""The shape of a Message-ID of ours, of `threading.token`, and below of a token's 24 letters."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """How one relayed mail is cleared. `names` is for file names; `found` finds what is left to hide, for the gate."""

    details: re.Pattern[str]
    addresses: re.Pattern[str]
    names: re.Pattern[str]
    found: re.Pattern[str]
    mailbox: str
    clues: tuple[bytes, ...]

    def clear(self, text: str) -> str:
        """Take every token out of a text and put the desk's address in place of the agent's."""
        return self.addresses.sub(lambda _: self.mailbox, self.details.sub("", text))

    def clear_name(self, name: str) -> str:
        """Clear a file's name, in which an address has no clear ends: x_ann@example.com.png."""
        return self.clear(self.names.sub(lambda _: self.mailbox, name))

    def told_by(self, content: bytes) -> bool:
        """Say whether the octets of an attachment hold a token of ours."""
        lower = content.lower()
        # The search proper takes half a second for 10 MB: only where one of our domains or his token is in there at all.
        return any(clue in lower for clue in self.clues) and self.details.search(lower.decode("latin-1")) is not None


def _address(address: str) -> str:
    return rf"(?<![\w.%+-]){_anywhere(address)}(?![\w-])"


def _anywhere(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{re.escape(local)}{_AT}{re.escape(domain)}"


def _details(mail: InboundMail, mailboxes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Give a pattern of our sub-addresses' details (the separator with it) and the details this mail was sent to."""
    domains = "|".join(re.escape(mailbox.rpartition("@")[2]) for mailbox in mailboxes)
    locals_ = {mailbox.rpartition("@")[0] for mailbox in mailboxes}
    ours = "|".join(rf"(?<={re.escape(local)}){_PLUS}[\w.=-]{{1,60}}" for local in sorted(locals_))
    pattern = rf"(?:{ours}|(?:[-_=.]|{_PLUS})[a-z2-7]{{24}})(?={_AT}(?:{domains}))"
    finder = re.compile(pattern, re.IGNORECASE)
    named = (address.address for address in (*mail.to, *mail.cc, *mail.reply_to))
    return pattern, tuple({found.lstrip("+-_=.").lower() for address in named for found in finder.findall(address)})


def hiding(mail: InboundMail, agent: tuple[str, ...], mailboxes: tuple[str, ...]) -> Hiding:
    """Say what an agent's mail must not tell. `agent` are his addresses, `mailboxes` ours; the first one is shown."""
    pattern, own = _details(mail, mailboxes)
    tokens = [re.escape(detail) for detail in own if len(detail) >= 12]
    his = [address for address in agent if "@" in address]
    addresses = "|".join((*map(_address, his), rf"{_OWN_ID}{_AT}[\w.-]+"))
    names = "|".join((*map(_anywhere, his), "(?!)"))
    found = "|".join((*map(_address, his), *tokens, "(?!)"))
    return Hiding(
        re.compile("|".join((pattern, *tokens)), re.IGNORECASE),
        re.compile(addresses, re.IGNORECASE),
        re.compile(names, re.IGNORECASE),
        re.compile(found, re.IGNORECASE),
        mailboxes[0],
        tuple(clue.lower().encode() for clue in (*own, *(mailbox.rpartition("@")[2] for mailbox in mailboxes))),
    )
