"""Hostile fields of the greatest size that is kept cost no more than their length."""

import ipaddress
import time

import pytest

from maild.ingest.caps import FIELD_OCTETS
from maild.ingest.senders import senders
from maild.threading.place import Placement, Rung
from maild.trust import Authority, judge

ME = "mx.desk.example"
OURS = Authority((ME,), hosts=(ME,), networks=(ipaddress.ip_network("192.0.2.0/24"),), arc_sealers=("list.example",))
NOWHERE = Placement(None, Rung.NEW, "new")
LONG = FIELD_OCTETS - 200
MOST_SECONDS = 5
"""The square of the length takes minutes."""

BORDER = ("Received", "from a (a [198.51.100.7]) by b with SMTP; now")


@pytest.mark.parametrize(
    "run", ["a", "a=", " ", "(", ")", "1.", "1:", "f", ".", "; ", "/1", "\\", "=?", "b=c;", "by ", "@"]
)
def test_a_long_run_of_anything(make_mail, run):
    text = run * (LONG // len(run))
    headers = (
        ("Received", f"from x ({text}g) by {ME}; now"),
        ("Authentication-Results", f"{ME}; spf=pass {text}"),
        ("Authentication-Results", f"{ME}; {text}"),
        ("DKIM-Signature", f"v=1; d=acme.example; h={text}"),
        ("ARC-Seal", f"i=1; d=list.example; b={text}"),
        ("ARC-Authentication-Results", f"i=1; x; {text}"),
    )
    begun = time.process_time()
    mail = make_mail(headers=(("Authentication-Results", f"{ME}; arc=pass"), BORDER, *headers))
    judge(mail, trusted_hop=True, authority=OURS, placement=NOWHERE)
    judge(make_mail(headers=headers), trusted_hop=True, authority=OURS, placement=NOWHERE)
    senders(text)
    assert time.process_time() - begun < MOST_SECONDS
