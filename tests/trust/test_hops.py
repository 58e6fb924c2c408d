"""How far a header is believed: walks from the top, as real servers write, and as strangers would like to be read."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.trust import Authority
from maild.trust.hops import run_of

ME = "mx.example.com"
PASS = ("Authentication-Results", f"{ME}; dmarc=pass header.from=acme.example")
SPF = ("Authentication-Results", f"{ME}; spf=pass smtp.mailfrom=acme.example")
OURS = Authority(
    ids=(ME,),
    hosts=("mx2.example.com", ".inside.example.com", "localhost"),
    networks=tuple(ipaddress.ip_network(one) for one in ("127.0.0.0/8", "192.0.2.0/28", "2001:db8:1::/48")),
)
BORDER = (
    "Received",
    (
        "from mail.acme.example (mail.acme.example [198.51.100.7]) by mx.example.com (Postfix) with ESMTPS id 4X for"
        " <csm@example.com>; Wed, 11 Mar 2026 09:00:00 +0000 (UTC)"
    ),
)
DATE = "; Wed, 11 Mar 2026 09:00:00 +0000"


def received(text):
    return ("Received", text + DATE)


def methods(*headers, authority=OURS):
    return [one.method for one in run_of(headers, authority).results]


INSIDE = [
    ("postfix", "from localhost (localhost [127.0.0.1]) by mx.example.com (Postfix) with ESMTP id 4X for <a@b>"),
    ("a name of ours", "from mx (mx.example.com [192.0.2.3]) by mx2.example.com (Postfix) with ESMTP id 4X"),
    ("a name below ours", "from mx (mx.example.com [192.0.2.3]) by store1.inside.example.com with ESMTP id 4X"),
    ("capitals", "FROM mx (mx.example.com [192.0.2.3]) BY MX2.Example.com. WITH ESMTP ID 4X"),
    (
        "amavis",
        "from mx.example.com ([127.0.0.1]) by localhost (mx.example.com [127.0.0.1]) (amavisd, port 10024) with ESMTP",
    ),
    ("ipv6", "from mx (mx.example.com [IPv6:2001:db8:1::5]) by mx2.example.com (Postfix) with ESMTPS id 4X"),
    ("mapped", "from mx (mx.example.com [::ffff:192.0.2.3]) by mx2.example.com (Postfix) with ESMTPS id 4X"),
    ("microsoft", "from A.inside.example.com (2001:db8:1:a0::26) by B.inside.example.com (2001:db8:1::20) with HTTPS"),
    (
        "microsoft, elsewhere",
        "from A.inside.example.com (2001:db8:1:a0::26) by B.inside.example.com (10.1.2.3) with HTTPS",
    ),
    ("exim", "from [192.0.2.3] (helo=mx.example.com) by mx2.example.com with esmtp (Exim 4.96) (envelope-from <a@b>)"),
    ("exim, a name", "from mx.example.com ([192.0.2.3]:4711 helo=mx) by mx2.example.com with esmtps (Exim 4.96)"),
    ("qmail", "from unknown (HELO mx) (192.0.2.3) by mx2.example.com with SMTP"),
    ("dovecot over TCP", "from mx.example.com ([127.0.0.1]) by mx.example.com with LMTP id 4X for <a@b>"),
    ("dovecot over a socket", "from mx.example.com by mx.example.com with LMTP id 4X (envelope-from <a@b>) for <a@b>"),
    ("google, an address alone", "by 192.0.2.4 with SMTP id a6csp126141vsh"),
    ("google, IPv6", "by 2001:db8:1:22c6:0:0:0:0 with SMTP id a6csp126141vsh"),
    ("no with", "from mx (mx [192.0.2.3]) by mx2.example.com id 4X"),
    ("with at the end", "from mx (mx [192.0.2.3]) by mx2.example.com with"),
]


@pytest.mark.parametrize(("name", "field"), INSIDE, ids=[row[0] for row in INSIDE])
def test_a_hop_inside_is_passed_over(name, field):
    assert methods(received(field), PASS, BORDER) == ["dmarc"]


OUTSIDE = [
    ("a stranger", "from evil (evil [203.0.113.9]) by mx.example.com (Postfix) with ESMTP id 4X"),
    (
        "a stranger with our name",
        "from mx2.example.com (evil [203.0.113.9]) by mx.example.com (Postfix) with ESMTP id 4X",
    ),
    (
        "a stranger with our address for a name",
        "from [192.0.2.3] (evil [203.0.113.9]) by mx.example.com (Postfix) with ESMTP",
    ),
    ("an address as a name alone", "from [192.0.2.3] by mx.example.com with SMTP id 4X"),
    ("an address in a name", "from x (192.0.2.3.evil.example) by mx.example.com with SMTP id 4X"),
    ("an address before a name", "from x (evil-192.0.2.3) by mx.example.com with SMTP id 4X"),
    ("two addresses", "from x (mx [192.0.2.3] [203.0.113.9]) by mx.example.com with SMTP id 4X"),
    ("exim, a stranger", "from [203.0.113.9] (helo=[192.0.2.3]) by mx.example.com with esmtp (Exim 4.96)"),
    ("a server of others", "from mx (mx [192.0.2.3]) by mx.evil.example with ESMTP id 4X"),
    ("a name that ends like ours", "from mx (mx [192.0.2.3]) by evilinside.example.com with ESMTP id 4X"),
    ("the domain above ours", "from mx (mx [192.0.2.3]) by inside.example.com with ESMTP id 4X"),
    ("a second by", "from x by mx.example.com with LMTP by mx.example.com (Postfix) with ESMTP"),
    ("a comment left open", "from x ( (evil [203.0.113.9]) by mx.example.com (Postfix) with ESMTP"),
    (
        "a comment that swallows",
        "from mx by mx.example.com with LMTP ( (evil [203.0.113.9]) by mx.example.com (Postfix)",
    ),
    ("a comment closed twice", "from mx) (x [192.0.2.3]) by mx.example.com with LMTP"),
    ("a second date", "from mx.example.com by mx.example.com with LMTP; (evil [203.0.113.9]) by mx.example.com"),
    ("a quote", 'from "x (evil [203.0.113.9]) by" (mx [192.0.2.3]) by mx.example.com with ESMTP'),
    ("a backslash", "from x\\ (mx [192.0.2.3]) by mx.example.com with ESMTP"),
    ("a second from", "from x from (mx [192.0.2.3]) by mx.example.com with ESMTP"),
    ("from later", "by 192.0.2.4 from x with SMTP"),
    ("another word first", "x by 192.0.2.4 with SMTP"),
    ("a local user", "by mx.example.com (Postfix, from userid 33) id 4X"),
    ("sendmail's local user", "(from www@localhost) by mx.example.com (8.17/8.17) id 4X"),
    ("no address, no LMTP", "from mx.example.com by mx.example.com with ESMTP id 4X"),
    ("LMTP from a stranger's name", "from evil.example by mx.example.com with LMTP id 4X"),
    ("LMTP and a comment", "from mx.example.com (unknown) by mx.example.com with LMTP id 4X"),
    ("nothing after by", "from mx (mx [192.0.2.3]) by"),
    ("no by", "from mx (mx [192.0.2.3]) via x"),
    ("empty", ""),
    ("nonsense", "(((((]]"),
]


@pytest.mark.parametrize(("name", "field"), OUTSIDE, ids=[row[0] for row in OUTSIDE])
def test_whatever_else_is_the_border(name, field):
    found = run_of([SPF, received(field), PASS], OURS)
    assert [one.method for one in found.results] == ["spf"]
    assert found.forged
    assert found.came == (PASS,)


def test_without_hops_the_topmost_received_is_the_border():
    assert methods(SPF, received(INSIDE[0][1]), PASS, authority=Authority(ids=(ME,))) == ["spf"]


def test_a_run_over_several_hops():
    inside = [received(field) for _, field in INSIDE[:3]]
    assert methods(SPF, inside[0], inside[1], SPF, inside[2], PASS, BORDER, PASS) == ["spf", "spf", "dmarc"]


def test_a_forged_hop_below_the_border_counts_for_nothing():
    assert methods(BORDER, received(INSIDE[0][1]), PASS, received(INSIDE[1][1]), PASS) == []


def test_where_nobody_wrote_a_received_field_all_was_written_on_our_side():
    found = run_of([PASS, ("Subject", "x")], OURS)
    assert [one.method for one in found.results] == ["dmarc"]
    assert not found.forged
    assert len(found.came) == 2


EVIL = ("Authentication-Results", f"{ME}; dkim=pass header.d=evil.example")
OTHER = ("Authentication-Results", "mx.elsewhere.example; dkim=pass header.d=evil.example")
STRANGER = received("from a (a [198.51.100.7]) by b.example with ESMTP")


@pytest.mark.parametrize(
    ("below", "fields", "found"),
    [
        (0, [BORDER, PASS], []),
        (1, [BORDER, PASS], ["dmarc"]),
        (1, [BORDER, PASS, EVIL], ["dmarc"]),
        (1, [BORDER, ("Received-SPF", "pass"), PASS, EVIL], ["dmarc"]),
        (2, [BORDER, SPF, PASS, EVIL], ["spf", "dmarc"]),
        (1, [SPF, BORDER, PASS, EVIL], ["spf", "dmarc"]),
        (1, [BORDER, OTHER, PASS], []),  # ours is always the first
        (1, [BORDER, STRANGER, PASS], []),
        (2, [BORDER, PASS, STRANGER, EVIL], ["dmarc"]),
        (1, [received("from a (a [198.51.100.7]) by smtp.elsewhere.example with ESMTPSA id x"), PASS], []),
        (1, [received(OUTSIDE[12][1]), PASS], []),
    ],
)
def test_fields_that_the_border_writes_below_its_own_received(below, fields, found):
    authority = Authority(ids=OURS.ids, hosts=OURS.hosts, networks=OURS.networks, below=below)
    assert methods(*fields, authority=authority) == found


def test_what_came_with_the_mail_begins_below_what_the_border_wrote():
    authority = Authority(ids=(ME,), below=1)
    assert run_of([BORDER, PASS, EVIL, ("From", "a@b")], authority).came == (EVIL, ("From", "a@b"))


GMAIL = [
    ("Delivered-To", "csm@example.com"),
    ("Received", "by 2002:a05:6102:22c6:0:0:0:0 with SMTP id a6csp126141vsh; Wed, 11 Mar 2026 02:00:03 -0700 (PDT)"),
    ("X-Received", "by 2002:a92:ca4e:: with SMTP id q14mr3941013ilo.233; Wed, 11 Mar 2026 02:00:02 -0700 (PDT)"),
    ("ARC-Authentication-Results", "i=1; mx.google.com; dmarc=pass header.from=acme.example"),
    ("Return-Path", "<carol@acme.example>"),
    (
        "Received",
        (
            "from mail.acme.example (mail.acme.example. [198.51.100.7]) by mx.google.com with ESMTPS id"
            " d2e1a72fcca58-6e6f00f0aa7si12345678b3a.5.2026.03.11.02.00.02 for <csm@example.com>"
            " (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Wed, 11 Mar 2026 02:00:02 -0700 (PDT)"
        ),
    ),
    ("Received-SPF", "pass (google.com: domain of carol@acme.example designates 198.51.100.7) client-ip=198.51.100.7;"),
    (
        "Authentication-Results",
        (
            "mx.google.com; dkim=pass header.i=@acme.example header.s=s1 header.b=Abc; spf=pass (google.com: domain of"
            " carol@acme.example designates 198.51.100.7 as permitted sender) smtp.mailfrom=carol@acme.example;"
            " dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=acme.example"
        ),
    ),
    ("Authentication-Results", "mx.google.com; dmarc=pass header.from=bank.example"),
]
GOOGLE = Authority(ids=("mx.google.com",), networks=(ipaddress.ip_network("2002:a00::/24"),), below=1)


def test_what_google_writes():
    found = run_of(GMAIL, GOOGLE)
    assert [(one.method, one.result) for one in found.results] == [("dkim", "pass"), ("spf", "pass"), ("dmarc", "pass")]
    assert found.results[2].domain("header.from") == "acme.example"
    assert found.forged  # the second one, which is a stranger's


OUTLOOK = [
    (
        "Received",
        (
            "from AM0PR0602MB1234.eurprd06.prod.outlook.com (2603:10a6:208:1::20) by"
            " VI1PR0602MB4321.eurprd06.prod.outlook.com with HTTPS; Wed, 11 Mar 2026 09:00:05 +0000"
        ),
    ),
    (
        "Received",
        (
            "from DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com (2603:10a6:10:a0:cafe::26) by"
            " DB8PR09CA0013.outlook.office365.com (2603:10a6:10:a0::26) with Microsoft SMTP Server (version=TLS1_3,"
            " cipher=TLS_AES_256_GCM_SHA384) id 15.20.8511.20 via Frontend Transport; Wed, 11 Mar 2026 09:00:04 +0000"
        ),
    ),
    (
        "Authentication-Results",
        (
            "spf=pass (sender IP is 198.51.100.7) smtp.mailfrom=acme.example; dkim=pass (signature was verified)"
            " header.d=acme.example;dmarc=pass action=none header.from=acme.example;compauth=pass reason=100"
        ),
    ),
    (
        "Received-SPF",
        "Pass (protection.outlook.com: domain of acme.example designates 198.51.100.7 as permitted sender)",
    ),
    (
        "Received",
        (
            "from mail.acme.example (198.51.100.7) by DB5EUR01FT012.mail.protection.outlook.com (10.152.4.249) with"
            " Microsoft SMTP Server (version=TLS1_3) id 15.20.8511.20 via Frontend Transport; Wed, 11 Mar 2026 09:00:03 +0000"
        ),
    ),
    ("Authentication-Results", "dmarc=pass action=none header.from=bank.example"),
]
MICROSOFT = Authority(
    unnamed=True, hosts=(".outlook.com", ".office365.com"), networks=(ipaddress.ip_network("2603:10a6::/32"),)
)


def test_what_microsoft_writes():
    found = run_of(OUTLOOK, MICROSOFT)
    assert [one.method for one in found.results] == ["spf", "dkim", "dmarc", "compauth"]
    assert {one.domain("header.from") for one in found.results} == {"", "acme.example"}


@given(st.lists(st.text(alphabet='from by with LMTP()[];:".\\,0129', max_size=60), max_size=4))
def test_no_name_of_a_client_bends_our_border(names):
    """Whatever stands where the client's name does, the address that the server saw decides."""
    for name in names:
        field = received(f"from {name} (evil.example [203.0.113.9]) by mx.example.com (Postfix) with ESMTP id 4X")
        assert methods(field, PASS) == []


FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["Received", "Authentication-Results", "received", "ARC-Seal", "Subject", "X"]),
        st.one_of(
            st.sampled_from(
                [*(field + DATE for _, field in INSIDE), *(field + DATE for _, field in OUTSIDE), PASS[1], SPF[1]]
            ),
            st.text(max_size=40),
        ),
    ),
    max_size=8,
)


@given(FIELDS, FIELDS, st.integers(0, 2))
def test_nothing_that_a_stranger_writes_changes_what_is_believed(above, came, below):
    """Where the border writes as many fields as it is said to, all that came in with the mail changes nothing."""
    authority = Authority(ids=OURS.ids, hosts=OURS.hosts, networks=OURS.networks, below=below)
    written = [*above, BORDER, *([SPF] * below)]
    assert run_of([*written, *came], authority).results == run_of(written, authority).results
