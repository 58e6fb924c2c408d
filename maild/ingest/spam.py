"""What a trusted hop says of a mail: spam, or nothing.

A verdict counts wherever it stands in the header: filters add theirs at the end as well as at the top, and whoever
forges one only accuses himself. Whether the hop may be believed is asked before.
"""

from collections.abc import Collection, Iterable

SAYS_YES = ("yes", "true", "spam")
"""How a verdict begins: `X-Spam-Flag: YES`, `X-Spam-Status: Yes, score=9.1`, `X-Spam: Yes`, `X-Bogosity: Spam`."""


def verdict(headers: Iterable[tuple[str, str]], names: Collection[str]) -> str:
    """Give the field by which a filter calls a mail spam, "" where none does. `names` are in lower case."""
    for name, value in headers:
        if name.lower() in names and value.strip().lower().startswith(SAYS_YES):
            return f"{name}: {value.strip()[:200]}"
    return ""
