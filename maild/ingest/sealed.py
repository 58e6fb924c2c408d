"""What people must be told of a mail that is encrypted, signed, or packed: the desk has no keys, and checks none."""

import re

from maild.ingest import attachments, caps, cms, mime

_ENCRYPTED = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_SIGNED = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----", re.MULTILINE)


def marks(tree: mime.Tree, text: str) -> tuple[str, ...]:
    """Say in words, one sentence each, what an agent must know before he reads."""
    found: list[str] = []
    work = [tree.root]
    while work:
        part = work.pop()
        found += filter(None, [_mark(part)])
        work.extend(reversed(part.children))
    if _ENCRYPTED.search(text[: caps.TEXT_OCTETS]):
        found.append("a text in this mail is encrypted with PGP: save it and decrypt it where the key is")
    if _SIGNED.search(text[: caps.TEXT_OCTETS]):
        found.append("a text in this mail is signed with PGP: the signature was not checked")
    return tuple(dict.fromkeys(found))


def _mark(part: mime.Part) -> str:
    protocol = part.kind.parameters.get("protocol", "").lower()
    if part.kind.main == "multipart/encrypted":
        name = next((attachments.name(one, 0) for one in reversed(part.children)), "part")
        how = "PGP" if "pgp" in protocol or not protocol else protocol[:40]
        return f"this mail is encrypted with {how}: open the attached {name} in a mail program that has the key"
    if part.kind.main == "multipart/signed":
        how = "PGP" if "pgp" in protocol else "S/MIME" if "pkcs7" in protocol else "a signature of another kind"
        return f"this mail is signed with {how}: the signature was not checked"
    return _pkcs7(part) if mime.is_pkcs7(part) else ""


def _pkcs7(part: mime.Part) -> str:
    declared = part.kind.parameters.get("smime-type", "").lower()
    name = attachments.name(part, 0)
    kind = cms.kind(mime.content(part)[0])
    if declared == "certs-only" or name.lower().endswith(".p7c"):
        return f"the attached {name} holds certificates for S/MIME"
    if kind == "signed" and part.children:
        return "this mail is signed with S/MIME: the signature was not checked"
    if kind in ("signed", "compressed"):
        return f"this mail is {kind} with S/MIME, and its text could not be taken out: open the attached {name} in a mail program"
    return f"this mail is encrypted with S/MIME: open the attached {name} in a mail program that has the key"
