"""Who a From names, and whom another program could think it names.

Where programs read a field in different ways, one shows the name of somebody whom no other has checked.
"""

import re

from maild.ingest import headers
from maild.mail import Address

_QUOTED_OR_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|=\?[^\s?]+\?[bBqQ]\?[^\s?]*\?=', re.DOTALL)
# Only from the beginning of a word: looked for anew at each of its letters a long one would cost their square.
_SPEC = re.compile(r'(?<![^\s<>,;:()"@])[^\s<>,;:()"@]++@[^\s<>,;:()"@]++')
_BRACKETED = re.compile(r"<[^<>]*+>")


def senders(text: str) -> tuple[Address, ...]:
    """Give the mailboxes of a From field, and after them what another reader could take for one.

    A second address outside of quotes, comments and encoded words counts as a second mailbox, and so do a group (RFC 6854)
    and a quote or a comment that does not end. An address that only repeats the mailbox is none.
    """
    found = headers.addresses(text)
    known = {one.key for one in found}
    bare = _QUOTED_OR_WORD.sub(" ", text)
    plain = headers.comments(bare)[0]
    others = [Address("", headers.clean(spec)) for spec in _SPEC.findall(plain) if spec.lower() not in known]
    odd = any(letter in plain for letter in '"()') or ":" in _BRACKETED.sub(" ", plain)
    if odd and not others:
        others = [Address(headers.clean(text)[:80], "")]
    return (*found, *others)
