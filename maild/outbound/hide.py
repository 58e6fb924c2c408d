"""What must not reach a customer: the agents' addresses, and every token that is not the customer's.

Two ways that check each other: `Hiding.clear` replaces spelling by spelling in the text as it stands, and
`Hiding.left_in` looks for what is left in every reading of the result.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from maild.mail import InboundMail
from maild.outbound.reading import FORMAT, reading, readings

_AT = "(?:[@\uff20\ufe6b]|%(?:25){0,4}40|&#64;|&#[xX]40;|&commat;)"
_PLUS = r"(?:[+\uff0b]|%(?:25){0,4}2[bB]|&#43;|&#[xX]2[bB];|&plus;)"
_GAP = f"[{FORMAT}]*"
_LETTER = "[a-z2-7]"
_OWN_ID = r"maild\.\d{1,10}\.[a-z2-7]{8,32}\.[a-z2-7]{16}"
"""The shape of a Message-ID of ours, of `threading.token`, and below of a token's 24 letters."""
_BARE = re.compile(r"[cC][emqEMQ][aA](?<![a-zA-Z2-7].{3})[a-zA-Z2-7]{21}(?![a-zA-Z2-7])", re.DOTALL)
"""A token without an address around it: version 1, any purpose but the customer's, a ticket below 2**25."""

# Not in the middle of a longer local part: joann@, jo.ann@, jo-ann@, but for "...ann@" and "_ann@_".
_BEFORE = r"(?<![^\W_])(?<![^\W_][._-])"
_AFTER = r"(?![^\W_]|-[^\W_])"
# Percent-encoded, what stands before is a character of a local part too: all others part.
_PARTS = r"(?:[01][0-9a-f]|2[0-9abcf]|3[a-f]|40|5[b-e]|60|7[b-f]|[89a-f][0-9a-f])"
_ENCODED_BEFORE = "|".join(f"(?<=%{'25' * depth}{_PARTS})" for depth in range(5))


@dataclass(frozen=True, slots=True)
class Hiding:
    """How one relayed mail is cleared.

    `agents` are the addresses that must not leave (lower case), `own` the writer's among them, `secrets` the letters of
    tokens, `told` finds a sub-address of ours in a reading, `domains` are ours.
    """

    agents: tuple[str, ...]
    own: tuple[str, ...]
    secrets: tuple[str, ...]
    domains: tuple[str, ...]
    details: re.Pattern[str]
    told: re.Pattern[str]
    mailbox: str

    def clear(self, text: str) -> str:
        """Take every token out of a text and put the desk's address in place of the agents'."""
        plain = reading(text)
        cleared = text
        there = self._secrets_in(plain)
        if there or any(domain in plain for domain in self.domains):
            cleared = self.details.sub("", cleared)
        for (
            secret
        ) in there:  # few, of the hundreds that a desk with many agents has: a pattern of all of them takes seconds
            cleared = re.sub(_GAP.join(secret), "", cleared, flags=re.IGNORECASE)
        cleared = _BARE.sub("", cleared)
        for address in self._named(plain):
            cleared = _spelled(address).sub(lambda _: self.mailbox, cleared)
        return _ids().sub(lambda _: self.mailbox, cleared) if "maild." in plain else cleared

    def clear_name(self, name: str) -> str:
        """Clear a file's name, in which an address has no clear ends: x_ann@example.com.png."""
        for address in self.agents:
            name = _anywhere(address).sub(lambda _: self.mailbox, name)
        return self.clear(name)

    def names(self, plain: str) -> tuple[str, ...]:
        """Give the agents' addresses that a reading names."""
        return tuple(address for address in self._named(plain) if _read(address).search(plain))

    def tells(self, text: str) -> bool:
        """Say whether any reading of a text holds an agent's address or the letters of a secret token."""
        return any(self.names(plain) or self.holds_secret(plain) for plain in readings(text))

    def left_in(self, text: str) -> bool:
        """Say whether a text still tells what must not leave: as `tells`, and any sub-address of ours."""
        return any(self.names(plain) or self.holds_token(plain) for plain in readings(text))

    def holds_secret(self, plain: str) -> bool:
        """Say whether a reading holds the letters of a secret token, whatever stands between them."""
        return bool(self._secrets_in(plain))

    def _secrets_in(self, plain: str) -> tuple[str, ...]:
        if not self.secrets:
            return ()
        squeezed = plain.encode("ascii", "ignore").translate(None, _NO_LETTERS)
        return tuple(secret for secret in self.secrets if secret.encode() in squeezed)

    def holds_token(self, plain: str) -> bool:
        """Say whether a reading holds a secret token, or any sub-address of ours."""
        ours = any(f"@{domain}" in plain for domain in self.domains)
        return (ours and self.told.search(plain) is not None) or self.holds_secret(plain)

    def _named(self, plain: str) -> tuple[str, ...]:
        """Give the addresses that may be in a reading: cheap, so that the patterns run only for these."""
        there = {domain for domain in {_halves(address)[1] for address in self.agents} if f"@{domain}" in plain}
        maybe = (address for address in self.agents if _halves(address)[1] in there)
        return tuple(address for address in maybe if address in plain or f"{_halves(address)[0]}+" in plain)


_NO_LETTERS = bytes(code for code in range(128) if not re.match(_LETTER, chr(code)))


def _halves(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain


def _char(char: str) -> str:
    """Give every spelling of one ASCII character: itself, full width, percent-encoded, as a numeric entity."""
    codes = sorted({ord(char.lower()), ord(char.upper())})
    wide = "".join(chr(code + 0xFEE0) for code in codes)
    hexes = "|".join(
        "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{code:x}") for code in codes
    )
    plain = "".join(re.escape(chr(code)) for code in codes)
    decimals = "|".join(map(str, codes))
    more = "\ufe6b" if char == "@" else ""
    return rf"(?:[{plain}{wide}{more}]|%(?:25){{0,4}}(?:{hexes})|&#0{{0,6}}(?:{decimals});|&#[xX]0{{0,6}}(?:{hexes});)"


def _spelling(text: str) -> str:
    return _GAP.join(_char(char) if "!" <= char <= "~" else re.escape(char) for char in text)


@lru_cache(maxsize=256)
def _anywhere(address: str) -> re.Pattern[str]:
    local, domain = _halves(address)
    alias = rf"(?:{_PLUS}[\w.=%-]{{1,64}}?)?"
    return re.compile(f"{_spelling(local)}{alias}{_GAP}{_spelling('@')}{_GAP}{_spelling(domain)}", re.IGNORECASE)


@lru_cache(maxsize=256)
def _spelled(address: str) -> re.Pattern[str]:
    return re.compile(f"(?:{_BEFORE}|{_ENCODED_BEFORE}){_anywhere(address).pattern}{_AFTER}", re.IGNORECASE)


@lru_cache(maxsize=256)
def _read(address: str) -> re.Pattern[str]:
    local, domain = _halves(address)
    return re.compile(rf"{_BEFORE}{re.escape(local)}(?:\+[\w.=%-]{{1,64}})?@{re.escape(domain)}{_AFTER}")


@lru_cache(maxsize=1)
def _ids() -> re.Pattern[str]:
    return re.compile(rf"{_OWN_ID}{_AT}[\w.-]+", re.IGNORECASE)


def _details(mailboxes: tuple[str, ...]) -> tuple[str, str]:
    """Give patterns of our sub-addresses: the detail alone (the separator with it), and the whole of one as it reads."""
    domains = "|".join(sorted({re.escape(mailbox.rpartition("@")[2]) for mailbox in mailboxes}))
    locals_ = sorted({re.escape(mailbox.rpartition("@")[0]) for mailbox in mailboxes})
    ours = "|".join(rf"(?<={local}){_PLUS}[\w.=-]{{1,60}}" for local in locals_)
    detail = rf"(?:{ours}|(?:[-_=.]|{_PLUS}){_LETTER}{{24}})(?={_AT}(?:{domains}))"
    whole = rf"(?:(?:{'|'.join(locals_)})\+[\w.=-]{{1,60}}|[-_=.+]{_LETTER}{{24}})@(?:{domains})"
    return detail, whole.lower()


def hiding(
    mail: InboundMail, agent: tuple[str, ...], mailboxes: tuple[str, ...], secrets: tuple[str, ...] = ()
) -> Hiding:
    """Say what an agent's mail must not tell.

    `agent` are the addresses to hide, the writer's first; `mailboxes` ours, the first one is shown; `secrets` the
    letters of tokens that must not leave, besides those that the mail was sent to.
    """
    pattern, whole = _details(mailboxes)
    finder = re.compile(pattern, re.IGNORECASE)
    named = (address.address for address in (*mail.to, *mail.cc, *mail.reply_to))
    own = (found.lstrip("+-_=.").lower() for address in named for found in finder.findall(address))
    tokens = tuple(dict.fromkeys(token for token in (*own, *map(str.lower, secrets)) if len(token) >= 12))
    his = tuple(dict.fromkeys(address.lower() for address in agent if "@" in address))
    return Hiding(
        agents=his,
        own=his[:1] if agent and agent[0].lower() in his else (),
        secrets=tokens,
        domains=tuple(sorted({mailbox.rpartition("@")[2].lower() for mailbox in mailboxes})),
        details=finder,
        told=re.compile(whole),
        mailbox=mailboxes[0],
    )
