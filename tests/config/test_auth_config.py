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
            'hops = ["localhost", "mx.example.com", ".example.com", "192.0.2.7", "192.0.2.0/28", "2002:a00::/24", "fd00::/8"]',
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
        ('hops = ["0.0.0.0/4"]', "auth.hops[1]: '0.0.0.0/4': what is received from here is believed to be checked"),
        ('hops = "mx.example.com"', 'auth.hops: is a list: write it in [ ]: ["mx.example.com"]'),
        ("hops = [7]", "auth.hops[1]: is a text"),
        ("below = 6", "auth.below: is too large: write at most 5"),
        ("below = -1", "auth.below: is too small: write at least 0"),
        ('unnamed = "yes"', "auth.unnamed: is true or false: write one of the two, without quotes"),
        ('arc_sealers = ["Google.com"]', "is no domain in lower case"),
        ('authserv_id = "a=b"', "auth.authserv_id: 'a=b' is no name, or list of names"),
        ('authserv_id = ["a b"]', """'a b' has a blank in it: write several names as a list: ["a", "b"]"""),
        ('authserv_id = "mx desk"', """'mx desk' has a blank in it: write several names as a list: ["mx", "desk"]"""),
        ('authserv_id = "*.example"', "auth.authserv_id: '*.example': there are no patterns; write each name in full"),
        ('authserv_id = "ann@acme.example"', "'ann@acme.example' is a mail address: write the name that stands first"),
        ('authserv_id = [""]', "auth.authserv_id: '' is no name"),
        ("authserv_id = [7]", "auth.authserv_id: is a text"),
        ('hops = ["192.0.2.999"]', "auth.hops[1]: '192.0.2.999' is no address and no network: write such as 192.0.2.5"),
        ('hops = ["10.0.0.1-10.0.0.9"]', "auth.hops[1]: '10.0.0.1-10.0.0.9' is no address and no network"),
        ('hops = ["192.0.2.0/40"]', "auth.hops[1]: '192.0.2.0/40' is no address and no network"),
        (
            'hops = ["192.0.2.5/24"]',
            "'192.0.2.5/24' is one host and a network: write '192.0.2.0/24', or '192.0.2.5' for it alone",
        ),
        ('hops = ["fd00::7/8"]', "write 'fd00::/8', or 'fd00::7' for it alone"),
        ("authserv_id = 7", "auth.authserv_id: is a text"),
        ('dkim = "on"', """auth.dkim: 'on' is not known: write "auto" or "off\""""),
        ('dkim = "Aut"', """; did you mean "auto"?"""),
        ("dkim = true", """auth.dkim: is a text: write "auto" or "off\""""),
    ],
)
def test_what_is_wrong_is_told(read, text, words):
    with pytest.raises(ConfigError) as error:
        read(DESK + text)
    assert any(words in fault for fault in error.value.faults), error.value.faults


@pytest.mark.parametrize("need", ["token", "dmarc-or-token"])
@pytest.mark.parametrize("subaddress", ["", "-"])
def test_a_desk_whose_agents_can_never_prove_themselves_is_a_fault(read, need, subaddress):
    text = f'{DESK}agents_need = "{need}"\n[[mailbox]]\naddress = "b@example.com"\nsubaddress = "{subaddress}"\n'
    if need != "token" or subaddress:
        assert read(text).auth.agents_need == need
        return
    with pytest.raises(ConfigError) as error:
        read(text)
    (fault,) = error.value.faults
    assert fault.startswith("mailbox[2].subaddress: b@example.com sends no tokens, and auth.agents_need = ")
    assert 'write auth.agents_need = "dmarc-or-token"' in fault


def test_what_is_no_sub_address_is_told_once(read):
    with pytest.raises(ConfigError) as error:
        read(f'{DESK}agents_need = "token"\n[[mailbox]]\naddress = "b@example.com"\nsubaddress = "."\n')
    assert len(error.value.faults) == 1
