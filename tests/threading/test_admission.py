import pytest

from maild.mail import Address
from maild.threading.admission import admit

AGENTS = ("ann@staff.example",)


@pytest.mark.parametrize(
    ("sender", "mode", "admitted"),
    [
        ("carol@acme.example", "participants", True),
        ("CAROL@Acme.example", "participants", True),
        ("dora@acme.example", "participants", True),
        ("ann@staff.example", "participants", True),
        ("eve@evil.example", "participants", False),
        ("eve", "participants", False),
        (None, "participants", False),
        ("eve@evil.example", "everyone", True),
        (None, "everyone", True),
    ],
)
def test_who_may_join(make_ticket, sender, mode, admitted):
    found = admit(Address("", sender) if sender else None, make_ticket(), AGENTS, mode)
    assert found.admitted is admitted
    assert found.because


def test_a_public_provider_is_no_common_domain(make_ticket):
    ticket = make_ticket(requester=Address("", "carol@gmail.com"), participants=("carol@gmail.com",))
    assert not admit(Address("", "eve@gmail.com"), ticket, AGENTS, "participants").admitted
