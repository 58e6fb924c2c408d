"""[auth]: whose word counts, as it is written and as the desk sees it."""

import ipaddress

import pytest

from maild.config import ConfigError
from maild.config.office import authority
from maild.trust import Authority

DESK = '[desk]\naddress = "csm@example.com"\n[[mailbox]]\naddress = "csm@example.com"\n[auth]\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Authority(dkim=True)),
        ('dkim = "off"', Authority()),
        ('authserv_id = "MX.example.com"', Authority(ids=("mx.example.com",), dkim=True)),
        (
            'authserv_id = ["mx1.example.com", "mx2.example.com"]',
            Authority(ids=("mx1.example.com", "mx2.example.com"), dkim=True),
        ),
        ("authserv_id = []", Authority(dkim=True)),
        ("unnamed = true", Authority(unnamed=True, dkim=True)),
        ("below = 2", Authority(below=2, dkim=True)),
        ('arc_sealers = ["google.com"]', Authority(arc_sealers=("google.com",), dkim=True)),
        (
            'hops = ["localhost", "mx.example.com", ".example.com", "192.0.2.7", "192.0.2.9/28", "2002:a00::/24", "fd00::/8"]',
            Authority(
                hosts=("localhost", "mx.example.com", ".example.com"),
                networks=tuple(
                    ipaddress.ip_network(one) for one in ("192.0.2.7", "192.0.2.0/28", "2002:a00::/24", "fd00::/8")
                ),
                dkim=True,
            ),
        ),
    ],
)
def test_whose_word_counts(read, text, found):
    assert authority(read(DESK + text)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('hops = [".com"]', "auth.hops[1]: '.com' is no hop"),
        ('hops = ["MX.example.com"]', "write its name in lower case"),
        ('hops = ["mx example"]', "is no hop"),
        ('hops = ["10.0.0.0/4"]', "auth.hops[1]: '10.0.0.0/4': what is received from here is believed to be checked"),
        ('hops = "mx.example.com"', 'auth.hops: is a list: write it in [ ]: ["mx.example.com"]'),
        ("hops = [7]", "auth.hops[1]: is a text"),
        ("below = 6", "auth.below: "),
        ("below = -1", "auth.below: "),
        ('unnamed = "yes"', "auth.unnamed: "),
        ('arc_sealers = ["Google.com"]', "is no domain in lower case"),
        ('authserv_id = "a=b"', "auth.authserv_id: 'a=b' is no name, or list of names"),
        ('authserv_id = ["a b"]', "auth.authserv_id: is a text"),
        ("authserv_id = 7", "auth.authserv_id: is a text"),
        ('dkim = "on"', "auth.dkim: "),
    ],
)
def test_what_is_wrong_is_told(read, text, words):
    with pytest.raises(ConfigError) as error:
        read(DESK + text)
    assert any(words in fault for fault in error.value.faults), error.value.faults
