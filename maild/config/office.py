"""From the configuration to the desk as the decisions see it."""

import ipaddress
from collections.abc import Callable, Sequence

from maild.config.duty import absence
from maild.config.model import AgentSection, Config
from maild.config.values import is_network
from maild.desk.office import AckRule, Agent, Customer, Mailbox, Office
from maild.desk.order import OBEYED
from maild.desk.reopening import Window
from maild.outbound.letters import Desk
from maild.trust import Authority


def office(config: Config, keys: tuple[bytes, ...]) -> Office:
    """Build the office. `keys` sign tokens and Message-IDs, newest first."""
    desk = config.desk
    return Office(
        desk=Desk(
            desk.name,
            desk.address,
            desk.reference,
            config.domain,
            desk.time_zone,
            tuple(f"#{word}" for word in OBEYED),
        ),
        mailboxes=tuple(
            Mailbox(one.address, one.aliases, one.team, one.language, one.subaddress, one.admit, one.policy, one.rota)
            for one in config.mailboxes
        ),
        agents=tuple(_agent(one, desk.time_zone) for one in config.agents),
        customers=tuple(
            Customer(one.domain, one.address or "", one.name, one.csm, one.tier, one.policy) for one in config.customers
        ),
        policies=config.policies,
        ladders=config.ladders,
        ack=AckRule(config.ack.to, config.ack.per_address_hour, config.ack.per_address_day, config.ack.per_minute),
        authority=authority(config),
        agents_need=config.auth.agents_need,
        keys=keys,
        spam_headers=tuple(name.lower() for name in config.spam.headers),
        window=Window(desk.reopen_days, config.calendars["weekdays"]),
        close_after=desk.close_after,
        ack_stops=desk.ack_stops,
        rotas=config.rotas,
        quiet=config.quiet,
        holiday_names=config.holiday_names,
    )


def _agent(section: AgentSection, time_zone: str) -> Agent:
    return Agent(
        section.id,
        section.name,
        section.address,
        section.role,
        section.time_zone or time_zone,
        section.deputy,
        tuple(map(absence, section.away)),
    )


def authority(config: Config) -> Authority:
    """Give whose word on senders counts."""
    auth = config.auth
    names = tuple(one for one in auth.hops if not is_network(one))
    return Authority(
        ids=tuple(one.lower() for one in auth.authserv_ids),
        unnamed=auth.unnamed,
        hosts=names,
        networks=tuple(ipaddress.ip_network(one, strict=False) for one in auth.hops if one not in names),
        below=auth.below,
        arc_sealers=auth.arc_sealers,
        dkim=auth.dkim == "auto",
    )


def truster(config: Config) -> Callable[[str], bool]:
    """Give the question whether a peer (an IP address, "" for a local socket) is one of the trusted hops."""
    in_networks = member(config.smtp.trusted)
    return lambda peer: not peer or in_networks(peer)


def member(networks: Sequence[str]) -> Callable[[str], bool]:
    """Give the question whether a peer is in one of the networks; whoever has no IP address is in none."""
    known = [ipaddress.ip_network(one, strict=False) for one in networks]

    def is_in(peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in known if mapped.version == network.version)

    return is_in
