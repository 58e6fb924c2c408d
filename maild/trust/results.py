"""What a server found out about a sender: Authentication-Results fields, read with tolerance (RFC 8601).

Whose fields may be read at all is decided elsewhere (`hops`); here is what one says. Read as Microsoft 365, Google and
the milters write them: without an authserv-id, with comments anywhere, with a version, with properties lacking their type.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

# Only from the beginning of a word: looked for anew at each of its letters a long one would cost their square.
_PAIR = re.compile(r"(?<![A-Za-z0-9_.\-])([A-Za-z0-9_.\-]++)(?:\s*+/\s*+[0-9]++)?\s*+=\s*+([^\s;]++)")


@dataclass(frozen=True, slots=True)
class Result:
    """One method of one field, e.g. dkim=pass header.d=example.com; all in lower case."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """Give a property's value, "" where it is absent. One without its type counts: d for header.d (section 2.3)."""
        given = dict(reversed(self.properties))
        return given.get(name, given.get(name.partition(".")[2], ""))

    def domain(self, name: str) -> str:
        """Give the domain that a property names, as A-labels: of an address, of @domain, of <address>; "" for none."""
        return a_label(self.value(name).rpartition("@")[2].strip("<>\"'"))


def a_label(domain: str) -> str:
    """Give a domain as it stands in the DNS (RFC 5890 section 2.3.2.1), so that two spellings of one compare equal.

    Letters are put in lower case and composed, and nothing else is mapped: IDNA2003 made one domain of two, such as those
    with ß and with ss, and one of them could be a stranger's.
    """
    labels = unicodedata.normalize("NFC", domain.strip().rstrip(".").lower()).split(".")
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode", "replace").decode("ascii") for label in labels
    )


def statements(field: str) -> list[str]:
    """Split at semicolons, comments left out; what stands in quotes is a sender's to choose and can form no statement."""
    parts: list[list[str]] = [[]]
    depth, quoted = 0, False
    escaped = False
    for letter in field:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            quoted = letter != '"'
            parts[-1].append("_" if letter in '";= \t()' and quoted else letter if quoted else "")
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif letter == '"':
            quoted = True
        elif letter == ";":
            parts.append([])
        else:
            parts[-1].append(letter)
    return ["".join(part) for part in parts]


def results(field: str, ids: Collection[str], *, unnamed: bool = False) -> tuple[Result, ...]:
    """Read one field; nothing unless it bears one of our authserv-ids (section 2.2), which are in lower case.

    `unnamed` takes one without any id, too: Microsoft 365 begins at once with the first method.
    """
    head, *rest = statements(field)
    words = head.split()
    if not words:
        return ()
    if "=" in head:
        return _read([head, *rest]) if unnamed else ()
    return _read(rest) if words[0].lower() in ids else ()


def arc_results(field: str) -> tuple[Result, ...]:
    """Read one ARC-Authentication-Results field, whoever signs it: i=1; authserv-id; results (RFC 8617 section 4.1.1)."""
    return _read([part for part in statements(field)[1:] if "=" in part])


def _read(parts: Sequence[str]) -> tuple[Result, ...]:
    found = []
    for part in parts:
        pairs = [(key.lower(), value.lower()) for key, value in _PAIR.findall(part)]
        if pairs:
            (method, result), *properties = pairs
            found.append(Result(method, result, tuple(properties)))
    return tuple(found)
