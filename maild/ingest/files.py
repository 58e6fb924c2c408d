"""Mail in files: .eml, mbox (RFC 4155), maildirs and folders of such, one message after another."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BEGINS = re.compile(rb"From |[A-Za-z][A-Za-z0-9-]{0,70}:")
_STUFFED = re.compile(rb">+From ")


@dataclass(frozen=True, slots=True)
class Filed:
    """A message in a file: where, the how many-th in it, its octets, and its From_ line in an mbox, "" elsewhere."""

    path: Path
    index: int
    octets: bytes
    from_line: str


def messages(path: Path) -> Iterator[Filed]:
    """Give the messages of an .eml file, an mbox, a maildir or a folder of such, one in memory at a time.

    OSError, with the very file that cannot be read. What a link in a folder leads to may be gone: that is passed over.
    """
    if path.is_dir():
        for file in files_of(path):
            yield from messages(file)
        return
    with path.open("rb") as lines:
        begin = lines.read(5)
        lines.seek(0)
        if begin != b"From " or path.suffix.lower() == ".eml":
            yield Filed(path, 0, lines.read(), "")
            return
        for index, (from_line, octets) in enumerate(mbox(lines)):
            yield Filed(path, index, octets, from_line)


def files_of(folder: Path) -> Iterator[Path]:
    """Give the mails below a folder, in order of name: all of a maildir, else .eml files and what begins like a mail."""
    inside = [folder / name for name in ("new", "cur") if (folder / name).is_dir()]
    if inside:
        yield from (one for each in inside for one in sorted(each.iterdir()) if _is_there(one))
        return
    for one in sorted(folder.iterdir()):
        if not _is_there(one):
            continue
        if one.is_dir():
            yield from files_of(one)
        elif one.suffix.lower() == ".eml" or _is_mail(one):
            yield one


def _is_there(file: Path) -> bool:
    return not file.name.startswith(".") and file.exists()


def _is_mail(file: Path) -> bool:
    with file.open("rb") as octets:
        return _BEGINS.match(octets.read(200)) is not None


def mbox(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Cut an mbox at its From_ lines, undoing the ">From " of mboxrd; give each line and what follows it."""
    from_line: str | None = None
    message: list[bytes] = []
    blank = True
    for raw in lines:
        line = raw[:-2] + b"\n" if raw.endswith(b"\r\n") else raw
        if blank and line.startswith(b"From "):
            if from_line is not None:
                yield from_line, b"".join(message)
            from_line, message = line.decode("utf-8", "replace").strip(), []
        elif from_line is not None:
            message.append(line[1:] if _STUFFED.match(line) else line)
        blank = line == b"\n"
    if from_line is not None:
        yield from_line, b"".join(message)
