"""Who a sender is, and how we know: a trusted hop's word, our own look at his signatures, and our tokens.

From alone is never authority. What is judged here was collected by `hops`, `arc` and `signatures`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maild.mail import Checked, InboundMail
from maild.threading.place import Placement
from maild.threading.token import Purpose
from maild.trust.arc import ArcSet, chain
from maild.trust.hops import Authority, Run, run_of
from maild.trust.results import Result, a_label


class Standing(StrEnum):
    """How far a From may be believed."""

    AUTHENTICATED = "authenticated"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    WEAK = "weak"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed of the sender. `method` is dmarc, dkim, arc or token, "" where nothing proved him."""

    standing: Standing
    method: str
    because: str

    @property
    def proven(self) -> bool:
        """Whether the From may be taken for the sender."""
        return self.standing in {Standing.AUTHENTICATED, Standing.TOKEN}


def aligned(domain: str, from_domain: str) -> bool:
    """Say whether a signing domain speaks for a From domain: the same, or a parent of at least two labels."""
    return domain == from_domain or ("." in domain and from_domain.endswith("." + domain))


def trusted_run(mail: InboundMail, *, trusted_hop: bool, authority: Authority) -> Run:
    """Give what our own hops found out about a mail. `trusted_hop` speaks of the peer that handed it to us."""
    if trusted_hop and authority.speaks:
        return run_of(mail.headers, authority)
    return Run((), mail.headers, forged=False)


def wants_look(run: Run) -> bool:
    """Say whether no hop of ours judged the signatures of a mail, so that we look at them ourselves."""
    return not any(check.method in {"dkim", "dmarc"} for check in run.results)


def believed_chain(run: Run, authority: Authority) -> tuple[ArcSet, ...]:
    """Give the ARC sets that came with a mail, the latest first, where a sealer that we believe made the latest."""
    sets = chain(run.came) if authority.arc_sealers else ()
    return sets if sets and _believed(sets[0], authority) else ()


def _believed(one: ArcSet, authority: Authority) -> bool:
    return not one.fault and one.sealer in authority.arc_sealers


def judge(mail: InboundMail, *, trusted_hop: bool, authority: Authority, placement: Placement) -> Trust:
    """Say how far the From of a mail may be believed. `trusted_hop` speaks of the peer that handed it to us.

    A failed DMARC comes before all but a seal that explains it (RFC 8617 section 7.2.1): no token rescues it.
    """
    sender = mail.sender
    domain = a_label(sender.domain) if sender else ""
    if sender is None or not domain:
        return Trust(Standing.UNKNOWN, "", "its sender is ambiguous: not exactly one From with one mailbox")
    run = trusted_run(mail, trusted_hop=trusted_hop, authority=authority)
    passed = _by_dmarc(run.results, domain)
    if passed is not None and passed.standing is Standing.AUTHENTICATED:
        return passed
    return (
        _by_arc(run, mail.checked, authority, domain)
        or passed
        or _by_dkim(run.results, domain)
        or _by_ourselves(mail.checked, domain)
        or _by_token(placement, sender.key)
        or _without_proof(run, mail.checked)
    )


def _by_dmarc(checks: Sequence[Result], domain: str) -> Trust | None:
    dmarc = [check for check in checks if check.method == "dmarc" and check.domain("header.from") in {"", domain}]
    if any(check.result == "fail" for check in dmarc):
        return Trust(Standing.FAILED, "", f"dmarc=fail for {domain}")
    if any(check.result == "pass" and check.domain("header.from") == domain for check in dmarc):
        return Trust(Standing.AUTHENTICATED, "dmarc", f"dmarc=pass for {domain}")
    return None


def _by_dkim(checks: Sequence[Result], domain: str) -> Trust | None:
    for check in checks:
        signer = check.domain("header.d") or check.domain("header.i")
        if check.method == "dkim" and check.result == "pass" and aligned(signer, domain):
            return Trust(Standing.AUTHENTICATED, "dkim", f"dkim=pass by {signer}, aligned with {domain}")
    return None


def _by_arc(run: Run, checked: Checked | None, authority: Authority, domain: str) -> Trust | None:
    """Believe what the latest sealer found; where he found a chain before him whole, also the sealer before him."""
    said = [check.result for check in run.results if check.method == "arc"]
    ours = not said and checked is not None and checked.arc
    if not ours and (not said or any(result != "pass" for result in said)):
        return None
    who = "we checked ourselves" if ours else "a hop of ours found whole"
    for one in believed_chain(run, authority):
        if not _believed(one, authority):
            return None
        found = _by_dmarc(one.results, domain) or _by_dkim(one.results, domain)
        if found is not None and found.standing is Standing.AUTHENTICATED:
            because = f"{found.because}, as {one.sealer} sealed it (i={one.instance}) in a chain that {who}"
            return Trust(Standing.AUTHENTICATED, "arc", because)
        if not any(check.method == "arc" and check.result == "pass" for check in one.results):
            return None
    return None


def _by_ourselves(checked: Checked | None, domain: str) -> Trust | None:
    if checked is None or domain not in checked.signers:
        return None
    return Trust(Standing.AUTHENTICATED, "dkim", f"no hop of ours judged it, so we did: {checked.because}")


def _by_token(placement: Placement, key: str) -> Trust | None:
    if placement.bearer != key or placement.purpose not in {Purpose.AGENT, Purpose.CUSTOMER}:
        return None
    return Trust(Standing.TOKEN, "token", f"our token made for {key} came back from that address")


def _without_proof(run: Run, checked: Checked | None) -> Trust:
    looked = f"; we looked ourselves: {checked.because}" if checked is not None and checked.because else ""
    if run.forged and not run.results:
        because = (
            "results under our authserv-id stand below the topmost Received that is no hop of ours (auth.hops),"
            " where anybody could have written them"
        )
        return Trust(Standing.UNKNOWN, "", because + looked)
    if any(check.method == "spf" and check.result == "pass" for check in run.results):
        return Trust(Standing.WEAK, "", "spf=pass alone, which says nothing of the From" + looked)
    return Trust(Standing.UNKNOWN, "", "nothing proves that the From is true" + looked)
