import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.parse import parse
from maild.ingest.route import MOST_HOPS, route

TWO = (
    b"Received: from mail.acme.example (mail.acme.example [192.0.2.1])\r\n\tby mx.desk.example (Postfix) with ESMTPS id 4ABC\r\n"
    b"\tfor <csm@desk.example>; Wed, 11 Mar 2026 10:00:05 +0100\r\n"
    b"Received: from [10.0.0.1] by mail.acme.example with ESMTP; Wed, 11 Mar 2026 09:00:00 +0000\r\n"
)


def test_the_hops_in_order_of_time():
    first, second = route(parse(TWO + b"\r\nx"))
    assert (first.sender, first.receiver, first.protocol) == ("[10.0.0.1]", "mail.acme.example", "ESMTP")
    assert second.at.isoformat() == "2026-03-11T09:00:05+00:00"
    assert (first.delay, second.delay) == (0, 5)


@pytest.mark.parametrize(
    "field", [b"", b"junk", b"from x by y; no date", b"from x by y; Wed, 99 Mar 9999 99:00:00 +9999", b"(" * 5000]
)
def test_junk_is_survived(field):
    for hop in route(parse(b"Received: " + field + b"\r\n\r\nx")):
        assert hop.at is None or hop.at.utcoffset() is not None


@given(st.lists(st.text(max_size=60), max_size=4))
def test_it_is_total(fields):
    octets = b"".join(
        b"Received: " + field.encode("utf-8", "replace").replace(b"\n", b" ") + b"\r\n" for field in fields
    )
    assert len(route(parse(octets + b"\r\nx"))) <= MOST_HOPS
