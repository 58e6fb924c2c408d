"""Text that was broken within its words to travel, put together again (RFC 3676 section 4, DelSp=yes).

Only this form breaks words. Other flowed text is readable as it came, and its lines are those that replies will quote.
"""

import re

_MEANT = re.compile(r"(?:  |[\u2e80-\uffdc] )\n")


def unfold(text: str) -> str:
    """Join the lines that end in a space, which is none of the words.

    A quoted line is joined only to one quoted as deep, and the line of a signature to none. Seen in practice: DelSp=yes
    over lines that end in the one space between two words. Who means it writes two there, or a script without spaces.
    """
    if not _MEANT.search(text):
        return text
    lines: list[str] = []
    parts: list[str] = []
    depth = 0
    for line in text.split("\n"):
        level = len(line) - len(line.lstrip(">"))
        words = line[level:].removeprefix(" ")
        if parts and (level != depth or words == "-- "):
            lines.append("".join(parts))
            parts = []
        if not parts and level:
            parts.append(">" * level + " ")
        flows = words.endswith(" ") and words != "-- "
        parts.append(words[:-1] if flows else words)
        depth = level
        if not flows:
            lines.append("".join(parts))
            parts = []
    return "\n".join([*lines, "".join(parts)] if parts else lines)
