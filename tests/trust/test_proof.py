"""Our own look at signatures: with real keys and sums, and a DNS that we make up."""

import asyncio
import base64
import re
from dataclasses import replace
from datetime import timedelta

import dkim
import pytest

from maild import proof
from maild.ingest.workers import Limits, Parsers
from maild.proof import TRIES, LaterError, Prover
from maild.threading.place import Placement, Rung
from maild.trust import Authority, Standing, judge

NAME = "one._domainkey.acme.example"
SELF = Authority(dkim=True)
NOWHERE = Placement(None, Rung.NEW, "new")


@pytest.fixture
def verdict(make_dns, sums, read, make_received):
    """What is believed of the sender after our look, and what the DNS was asked."""

    async def of(octets, records, *, silent=(), attempts=3, authority=SELF, trusted=False):
        dns = make_dns(records, silent)
        mail = await Prover(dns.text, sums).look(
            make_received(attempts), octets, read(octets), authority, trusted_hop=trusted
        )
        return judge(mail, trusted_hop=trusted, authority=authority, placement=NOWHERE), dns.asked

    return of


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
async def test_a_signature_of_his_own_domain_proves_the_sender(verdict, sign, rsa, ed25519, kind):
    key = rsa(2048) if kind == "rsa" else ed25519
    found, asked = await verdict(sign(key), {NAME: key.record})
    assert (found.standing, found.method) == (Standing.AUTHENTICATED, "dkim")
    assert f"({kind}-sha256, d=acme.example, s=one) holds" in found.because
    assert asked == [NAME]


def changed(octets):
    return octets.replace(b"Nobody can pay", b"Somebody can pay")


REFUSED = [
    ("changed after", {}, {}, changed, "body hash mismatch"),
    ("another From", {}, {}, lambda octets: octets.replace(b"From: Carol", b"From: Caroline"), "does not hold"),
    ("a part of the body", {"length": True}, {}, bytes, "(l=)"),
    ("another domain", {"domain": b"evil.example"}, {}, bytes, "none of its signatures is by acme.example"),
    ("the domain above", {"domain": b"example"}, {}, bytes, "none of its signatures is by acme.example"),
    ("no key", {}, {"record": None}, bytes, "its key is not in the DNS"),
    ("a key that was revoked", {}, {"record": "v=DKIM1; p="}, bytes, "its key was revoked"),
    ("no key at all", {}, {"record": "v=DKIM1; p=****"}, bytes, "does not hold"),
    ("a small key", {}, {"bits": 768}, bytes, "public key too small"),
]


@pytest.mark.parametrize(("name", "more", "key", "change", "words"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_signature_that_proves_nothing(verdict, sign, rsa, name, more, key, change, words):
    made = rsa(key.get("bits", 2048))
    found, _ = await verdict(change(sign(made, **more)), {NAME: key.get("record", made.record)})
    assert found.standing is Standing.UNKNOWN
    assert words in found.because


async def test_sha1_proves_nothing(verdict, sign, rsa):
    key = replace(rsa(2048), algorithm=b"rsa-sha1")
    found, asked = await verdict(sign(key), {NAME: key.record})
    assert found.standing is Standing.UNKNOWN
    assert "rsa-sha1" in found.because
    assert asked == []


async def test_a_signature_that_does_not_cover_the_from_proves_nothing(verdict, sign, rsa):
    octets = re.sub(rb"\bfrom\s*(:|;)", rb"x\1", sign(rsa(2048)), count=3)
    found, asked = await verdict(octets, {NAME: rsa(2048).record})
    assert found.standing is Standing.UNKNOWN
    assert asked == []


async def test_a_second_from_ends_all(verdict, sign, rsa):
    octets = b"From: evil@acme.example\r\n" + sign(rsa(2048))
    found, asked = await verdict(octets, {NAME: rsa(2048).record})
    assert found.standing is Standing.UNKNOWN
    assert asked == []


async def test_one_that_holds_is_enough(verdict, sign, rsa):
    key = rsa(2048)
    octets = sign(key, octets=sign(key), selector=b"two")
    found, asked = await verdict(octets, {NAME: key.record})
    assert found.standing is Standing.AUTHENTICATED
    assert asked == ["two._domainkey.acme.example", NAME]


async def test_no_more_than_a_few_are_looked_at(verdict, sign, rsa, mail_octets):
    octets = mail_octets
    for number in range(8):
        octets = sign(rsa(1024), octets=octets, selector=b"s%d" % number)
    found, asked = await verdict(octets, {})
    assert found.standing is Standing.UNKNOWN
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("authority", "results", "looks"),
    [
        (SELF, b"", True),
        (Authority(dkim=False), b"", False),
        (Authority(ids=("mx.desk.example",), dkim=True), b"", True),
        (Authority(ids=("mx.desk.example",), dkim=True), b"spf=pass", True),
        (Authority(ids=("mx.desk.example",), dkim=True), b"dkim=fail header.d=acme.example", False),
        (Authority(ids=("mx.desk.example",), dkim=True), b"dmarc=fail header.from=acme.example", False),
        (Authority(ids=("mx.other.example",), dkim=True), b"dmarc=fail header.from=acme.example", True),
    ],
)
async def test_we_look_where_no_trusted_hop_did(verdict, sign, rsa, authority, results, looks):
    head = b"Authentication-Results: mx.desk.example; " + results + b"\r\n" if results else b""
    found, asked = await verdict(head + sign(rsa(2048)), {NAME: rsa(2048).record}, authority=authority, trusted=True)
    assert bool(asked) is looks
    assert found.proven is looks


async def test_a_dns_that_is_silent_puts_a_mail_off(verdict, sign, rsa):
    octets = sign(rsa(2048))
    pauses = []
    for attempts in range(1, TRIES):
        with pytest.raises(LaterError, match="has no answer") as later:
            await verdict(octets, {}, silent=[NAME], attempts=attempts)
        pauses.append(later.value.after)
    assert pauses == sorted(pauses)
    assert timedelta() < pauses[0] < pauses[-1] < timedelta(hours=1)
    found, _ = await verdict(octets, {}, silent=[NAME], attempts=TRIES)
    assert found.standing is Standing.UNKNOWN
    assert f"the DNS has no answer for {NAME}, {TRIES} times" in found.because


async def test_a_signature_that_holds_makes_up_for_a_silent_dns(verdict, sign, rsa):
    octets = sign(rsa(2048), octets=sign(rsa(2048)), selector=b"two")
    found, _ = await verdict(octets, {NAME: rsa(2048).record}, silent=["two._domainkey.acme.example"], attempts=1)
    assert found.standing is Standing.AUTHENTICATED


async def test_a_dns_that_hangs_is_not_waited_for(monkeypatch, sums, read, make_received, sign, rsa):
    monkeypatch.setattr(proof, "PATIENCE", 0.05)
    octets = sign(rsa(2048))

    async def hangs(name):
        await asyncio.sleep(60)

    with pytest.raises(LaterError, match="did not answer within"):
        await Prover(hangs, sums).look(make_received(), octets, read(octets), SELF, trusted_hop=False)


async def test_a_mail_without_signatures_asks_nothing(verdict, mail_octets):
    found, asked = await verdict(mail_octets, {})
    assert (found.standing, asked) == (Standing.UNKNOWN, [])
    assert found.because == "nothing proves that the From is true"


def sealed(key, octets, results, instance=1, domain=b"list.example"):
    """Seal a mail (RFC 8617 section 5.1), as number 1 of a chain."""
    found = b"ARC-Authentication-Results: i=%d; mx.%s; %s\r\n" % (instance, domain, results)
    signer = dkim.ARC(found + octets)
    policy = dkim.CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    private = dkim.parse_pem_private_key(key.private)
    body = base64.b64encode(dkim.HASH_ALGORITHMS[b"rsa-sha256"](policy.canonicalize_body(signer.body)).digest())
    common = [(b"i", b"%d" % instance), (b"a", b"rsa-sha256")]
    where = [(b"d", domain), (b"s", b"arc")]
    covered = [b"from", b"to", b"subject"]
    fields = [*common, (b"c", b"relaxed/relaxed"), *where, (b"h", b":".join(covered)), (b"bh", body), (b"b", b"")]
    signer.signature_algorithm, signer.hasher = b"rsa-sha256", dkim.HASH_ALGORITHMS[b"rsa-sha256"]
    signature = signer.gen_header(fields, covered, policy, b"ARC-Message-Signature", private)
    octets = b"ARC-Message-Signature: " + signature + found + octets
    signer = dkim.ARC(octets)
    signer.signature_algorithm, signer.hasher = b"rsa-sha256", dkim.HASH_ALGORITHMS[b"rsa-sha256"]
    fields = [*common, *where, (b"cv", b"none"), (b"b", b"")]
    names = [b"arc-authentication-results", b"arc-message-signature"]
    return b"ARC-Seal: " + signer.gen_header(fields, names, policy, b"ARC-Seal", private) + octets


LIST = Authority(arc_sealers=("list.example",), dkim=True)
ARC_NAME = "arc._domainkey.list.example"
PASSED = b"dmarc=pass header.from=acme.example"


@pytest.mark.parametrize(
    ("authority", "change", "standing"),
    [
        (LIST, bytes, Standing.AUTHENTICATED),
        (LIST, changed, Standing.UNKNOWN),
        (LIST, lambda octets: octets.replace(b"dmarc=pass", b"dmarc=PASS "), Standing.UNKNOWN),
        (SELF, bytes, Standing.UNKNOWN),
        (replace(LIST, dkim=False), bytes, Standing.UNKNOWN),
        (replace(LIST, arc_sealers=("google.com",)), bytes, Standing.UNKNOWN),
    ],
)
async def test_a_chain_that_nobody_checked(verdict, rsa, mail_octets, authority, change, standing):
    octets = change(sealed(rsa(2048), mail_octets, PASSED))
    found, _ = await verdict(octets, {ARC_NAME: rsa(2048).record}, authority=authority)
    assert found.standing is standing
    assert found.method == ("arc" if standing is Standing.AUTHENTICATED else "")


async def test_a_chain_whose_keys_are_silent_puts_a_mail_off(verdict, rsa, mail_octets):
    octets = sealed(rsa(2048), mail_octets, PASSED)
    with pytest.raises(LaterError):
        await verdict(octets, {}, silent=[ARC_NAME], authority=LIST, attempts=1)
    found, _ = await verdict(octets, {}, authority=LIST)
    assert found.standing is Standing.UNKNOWN
    assert "the ARC chain that list.example sealed does not count" in found.because


async def test_a_chain_of_many_is_not_gone_through(verdict, mail_octets):
    sets = b"".join(
        b"ARC-Seal: i=%d; d=list.example; s=arc\r\nARC-Message-Signature: i=%d; d=list.example; s=arc; h=from\r\n"
        b"ARC-Authentication-Results: i=%d; x; arc=pass\r\n" % (number, number, number)
        for number in range(1, 12)
    )
    found, asked = await verdict(sets + mail_octets, {}, authority=LIST)
    assert "more than 10 sets" in found.because
    assert asked == []


async def test_a_chain_is_not_looked_at_where_a_hop_did(verdict, rsa, mail_octets):
    octets = b"Authentication-Results: mx.desk.example; arc=fail\r\n" + sealed(rsa(2048), mail_octets, PASSED)
    authority = replace(LIST, ids=("mx.desk.example",))
    found, asked = await verdict(octets, {ARC_NAME: rsa(2048).record}, authority=authority, trusted=True)
    assert (found.standing, asked) == (Standing.UNKNOWN, [])


async def test_sums_are_done_in_workers_that_can_be_killed(sign, rsa, mail_octets):
    key = rsa(2048)
    parsers = Parsers(1, Limits(cpu_seconds=1))
    try:
        assert await parsers.signatures(sign(key), [(0, "acme.example", key.record)]) == ("",)
        assert await parsers.signatures(sign(key), [(0, "evil.example", key.record)]) != ("",)
        octets = sealed(key, mail_octets, PASSED)
        assert await parsers.chain(octets, 1, "list.example", {ARC_NAME: key.record}) == ""
        assert await parsers.chain(octets, 1, "evil.example", {ARC_NAME: key.record}) != ""
        # The library takes the square of a run of blanks.
        slow = sign(key, canonicalize=(b"relaxed", b"relaxed")) + b" " * 400_000 + b"x\r\n"
        (words,) = await parsers.signatures(slow, [(0, "acme.example", key.record)])
        assert "could not be verified within 1 s" in words
        assert "could not be verified" in await parsers.chain(
            octets + b" " * 400_000 + b"x\r\n", 1, "list.example", {ARC_NAME: key.record}
        )
    finally:
        await parsers.close()
