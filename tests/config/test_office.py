"""The office as the decisions see it, and the hops whose word counts."""

import pytest

from maild.config.office import office, truster
from maild.sla.ladder import Rung
from maild.sla.policy import Metric

FULL = """
[desk]
name = "Desk"
address = "CSM@Example.com"
reference = "HELP"
time_zone = "Europe/Berlin"
ack_stops = "warnings"
[[mailbox]]
address = "csm@example.com"
aliases = ["support@example.com"]
team = ["ann"]
language = "de"
subaddress = "-"
admit = "everyone"
policy = "gold"
[[agent]]
id = "ann"
name = "Ann"
address = "ann@example.com"
role = "lead"
time_zone = "America/New_York"
[[agent]]
id = "bob"
address = "bob@example.com"
[[customer]]
address = "vip@acme.example"
name = "Vip"
csm = "ann"
tier = "gold"
policy = "gold"
[ack]
to = "everyone"
per_address_hour = 1
per_address_day = 2
per_minute = 3
[auth]
authserv_id = "mx.example.com"
agents_need = "token"
[policy.gold.low]
calendar = "always"
[[rota]]
name = "support"
agents = ["ann"]
start = "2026-01-05 09:00"
[[escalation]]
clock = "resolution"
at = "limit"
notify = ["oncall"]
next_after = "1m"
daily = 2
[[escalation]]
clock = "resolution"
at = "target"
notify = ["lead"]
"""


def test_the_office_is_what_the_file_says(read):
    config = read(FULL)
    found = office(config, (b"key",))
    assert (found.desk.name, found.desk.address, found.desk.reference) == ("Desk", "csm@example.com", "HELP")
    assert (found.desk.domain, found.desk.time_zone) == ("example.com", "Europe/Berlin")
    (box,) = found.mailboxes
    assert (box.address, box.aliases, box.team, box.language) == (
        "csm@example.com",
        ("support@example.com",),
        ("ann",),
        "de",
    )
    assert (box.separator, box.admit, box.policy) == ("-", "everyone", "gold")
    ann, bob = found.agents
    assert (ann.id, ann.name, ann.role, ann.time_zone) == ("ann", "Ann", "lead", "America/New_York")
    assert (bob.role, bob.time_zone) == ("agent", "Europe/Berlin")
    (vip,) = found.customers
    assert (vip.domain, vip.address, vip.csm, vip.tier, vip.policy) == ("", "vip@acme.example", "ann", "gold", "gold")
    assert (found.ack.to, found.ack.per_address_hour, found.ack.per_address_day, found.ack.per_minute) == (
        "everyone",
        1,
        2,
        3,
    )
    assert (found.authority.ids, found.agents_need, found.keys) == (("mx.example.com",), "token", (b"key",))
    assert found.policies is config.policies
    assert found.ladders is config.ladders
    assert found.desk.commands == ("#ack", "#requester")
    assert found.ack_stops == "warnings"
    assert found.ladders[Metric.RESOLUTION] == (
        Rung("limit", ("oncall",), daily=2, next_after=60),
        Rung("target", ("lead",)),
    )


@pytest.mark.parametrize(
    ("trusted", "peer", "counts"),
    [
        ('["10.0.0.0/8"]', "10.1.2.3", True),
        ('["10.0.0.0/8"]', "11.1.2.3", False),
        ('["10.0.0.0/8"]', "::ffff:10.1.2.3", True),
        ('["10.0.0.0/8"]', "::ffff:11.1.2.3", False),
        ('["10.0.0.0/8"]', "2001:db8::1", False),
        ('["2001:db8::/32"]', "2001:db8::1", True),
        ('["2001:db8::/32"]', "10.1.2.3", False),
        ('["fe80::/10"]', "fe80::1%eth0", True),
        ('["192.0.2.7"]', "192.0.2.7", True),
        ('["192.0.2.7/24"]', "192.0.2.200", True),
        ("[]", "127.0.0.1", False),
        ("[]", "", True),
        ('["10.0.0.0/8"]', "mail.example.com", False),
        ('["99.0.0.0/8"]', "999.1.1.1", False),
    ],
)
def test_a_hop_is_trusted_by_its_network_and_a_local_socket_always(read, trusted, peer, counts):
    config = read(f'[desk]\naddress = "csm@example.com"\n[smtp]\ntrusted = {trusted}\n')
    assert truster(config)(peer) is counts
