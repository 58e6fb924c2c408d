import pytest

from maild.mail import Address
from maild.threading.token import Purpose, read, read_own_id


@pytest.mark.parametrize(
    ("address", "mailbox", "detail"),
    [
        ("csm@desk.example", "csm@desk.example", ""),
        ("SUPPORT+abc@desk.example", "csm@desk.example", "abc"),
        ("plain@desk.example", "plain@desk.example", ""),
    ],
)
def test_which_mailbox_an_address_belongs_to(office, address, mailbox, detail):
    found = office.mailbox_of(address)
    assert (found[0].address, found[1]) == (mailbox, detail)


@pytest.mark.parametrize("address", ["plain+x@desk.example", "eve@desk.example", "csm@other.example", ""])
def test_what_is_not_ours(office, address):
    assert office.mailbox_of(address) is None


def test_a_mailbox_without_a_team_is_everybody_s(office):
    assert [agent.id for agent in office.team(office.mailboxes[1])] == ["ann", "bob", "max"]
    assert [agent.id for agent in office.team(office.mailboxes[0])] == ["ann", "bob"]


def test_a_customer_by_address_comes_before_one_by_domain(office):
    assert office.customer_of(Address("", "VIP@acme.example")).name == "Vip"
    assert office.customer_of(Address("", "x@acme.example")).name == "Acme"
    assert office.customer_of(Address("", "x@other.example")) is None


def test_a_mailbox_or_policy_that_is_gone_falls_back(office):
    assert office.mailbox("gone@desk.example").address == "csm@desk.example"
    assert office.policy("gone") is office.policies[""]
    assert office.agent(None) is None
    assert office.agent_of(None) is None


def test_a_token_address_only_where_there_are_sub_addresses(office):
    address = office.token_address(office.mailboxes[0], 7, "ann@staff.example", Purpose.AGENT)
    assert read(address.partition("+")[2].partition("@")[0]).ticket == 7
    assert office.token_address(office.mailboxes[1], 7, "ann@staff.example", Purpose.AGENT) == "plain@desk.example"


def test_the_same_debt_has_the_same_message_id(office):
    assert office.message_id(7, "ack:7") == office.message_id(7, "ack:7") != office.message_id(7, "ack:8")
    assert read_own_id(office.root_id(7), office.keys) == 7


def test_an_agent_without_a_name_goes_by_his_id(office):
    assert office.agent("bob").recipient.name == "bob"
