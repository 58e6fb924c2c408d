"""The desk's people, addresses and promises, as the decisions see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from maild.desk.reopening import Window
from maild.mail import Address
from maild.outbound.letters import Desk, Recipient
from maild.sla.absence import Absence, away_until
from maild.sla.ladder import Rung
from maild.sla.policy import Metric, Policy
from maild.sla.rota import Rota
from maild.sla.wall import Pair
from maild.threading import token
from maild.threading.inscription import inscription
from maild.ticket import Severity
from maild.trust import Authority


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address customers write to. `separator` is "" where the mail server knows no sub-addresses.

    `rota` names the rota it goes by; "" is the first one.
    """

    address: str
    aliases: tuple[str, ...]
    team: tuple[str, ...]
    language: str
    separator: str
    admit: str
    policy: str
    rota: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers. `role` is agent, lead or manager, `deputy` the id of who stands in while he is away, "" for nobody."""

    id: str
    name: str
    address: str
    role: str
    time_zone: str
    deputy: str = ""
    away: tuple[Absence, ...] = ()

    @property
    def called(self) -> str:
        """His name, or his id where he has none."""
        return self.name or self.id

    @property
    def recipient(self) -> Recipient:
        """The agent as a reader of our mail."""
        return Recipient(self.called, self.address, self.time_zone)

    def away_until(self, at: datetime) -> date | None:
        """Give the last local date of the absence that runs at `at`; None while he is there."""
        return away_until(self.away, self.time_zone, at)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer known by domain or by address (the other is "")."""

    domain: str
    address: str
    name: str
    csm: str
    tier: str
    policy: str


@dataclass(frozen=True, slots=True)
class AckRule:
    """Whom we tell that his mail arrived (authenticated, known, everyone), and how often."""

    to: str
    per_address_hour: int
    per_address_day: int
    per_minute: int


@dataclass(frozen=True, slots=True)
class Office:
    """All that a decision needs to know of the desk.

    `policies` holds the desk's own under "", `spam_headers` the names, in lower case, of the fields in which a filter
    calls a mail spam, `window` how long a closed ticket can be reopened by mail, `close_after` after how many open days of
    that window's calendar a resolved one closes (0: never), `ack_stops` what an acknowledgement silences (all, warnings).
    `rotas` are those of the desk, `quiet` the hours, by severity, in which no escalation is sent to a reader: spans in
    seconds from the midnight of his zone, an end beyond 86400 is on the next day. `holiday_names` are by calendar and date.
    """

    desk: Desk
    mailboxes: tuple[Mailbox, ...]
    agents: tuple[Agent, ...]
    customers: tuple[Customer, ...]
    policies: Mapping[str, Policy]
    ladders: Mapping[Metric, tuple[Rung, ...]]
    ack: AckRule
    authority: Authority
    agents_need: str
    keys: tuple[bytes, ...]
    spam_headers: tuple[str, ...] = ()
    window: Window = field(default_factory=Window)
    close_after: int = 0
    ack_stops: str = "all"
    rotas: tuple[Rota, ...] = ()
    quiet: Mapping[Severity, tuple[Pair, ...]] = field(default_factory=dict)
    holiday_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _by_address: Mapping[str, Agent] = field(init=False, repr=False, compare=False)
    _by_id: Mapping[str, Agent] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note who is who: hundreds of clocks that are due at one instant each ask for several people."""
        # Of two with one address or id it is the first.
        object.__setattr__(self, "_by_address", {agent.address.lower(): agent for agent in reversed(self.agents)})
        object.__setattr__(self, "_by_id", {agent.id: agent for agent in reversed(self.agents)})

    def agent_of(self, address: Address | None) -> Agent | None:
        """Give the agent whose address this is."""
        return None if address is None else self._by_address.get(address.key)

    def agent(self, name: str | None) -> Agent | None:
        """Give the agent of that id."""
        return None if name is None else self._by_id.get(name)

    @property
    def agent_keys(self) -> tuple[str, ...]:
        """The address keys of all agents."""
        return tuple(agent.address.lower() for agent in self.agents)

    def mailbox_of(self, address: str) -> tuple[Mailbox, str] | None:
        """Give the mailbox that an address belongs to, and the sub-address detail ("" where there is none)."""
        for mailbox in self.mailboxes:
            for own in (mailbox.address, *mailbox.aliases):
                detail = token.detail_of(address, own, mailbox.separator)
                if detail is not None:
                    return mailbox, detail
        return None

    def mailbox(self, address: str) -> Mailbox:
        """Give the mailbox of that very address; the first one where the configuration no longer has it."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.address == address), self.mailboxes[0])

    def team(self, mailbox: Mailbox) -> tuple[Agent, ...]:
        """Give the agents of a mailbox: its team, or everybody where none is named."""
        return tuple(agent for agent in self.agents if agent.id in mailbox.team) or self.agents

    def rota(self, mailbox: Mailbox) -> Rota | None:
        """Give the rota that a mailbox goes by; the first one where it names none that there is, None without any."""
        named = next((rota for rota in self.rotas if rota.name == mailbox.rota), None)
        return named or next(iter(self.rotas), None)

    def customer_of(self, address: Address) -> Customer | None:
        """Give the customer an address belongs to: the one named by address before the one named by domain."""
        by_address = next((one for one in self.customers if one.address and one.address.lower() == address.key), None)
        return by_address or next((one for one in self.customers if one.domain and one.domain == address.domain), None)

    def policy(self, name: str) -> Policy:
        """Give a policy by name; the desk's own where the configuration no longer has it."""
        return self.policies.get(name, self.policies[""])

    def token_address(self, mailbox: Mailbox, ticket: int, reader: str, purpose: token.Purpose) -> str:
        """Give the mailbox's address with a token bound to the reader; the bare address where there are no sub-addresses."""
        if not mailbox.separator:
            return mailbox.address
        detail = token.mint(self.keys[0], ticket, reader, purpose)
        return token.sub_address(mailbox.address, detail, mailbox.separator)

    def inscription(self, mailbox: Mailbox, ticket: int, reader: str) -> str:
        """Give the line by which a quote of our mail to `reader` finds its ticket; "" where the mailbox has sub-addresses."""
        return "" if mailbox.separator else inscription(self.keys[0], self.desk.reference, ticket, reader)

    def agent_tokens(self, ticket: int, reader: str = "") -> tuple[str, ...]:
        """Give every token of that ticket which is an agent's, under every key: none of them may reach a customer.

        `reader` is the key of an address that may have its own: an agent may be a ticket's customer.
        """
        mine = (token.Purpose.AGENT, token.Purpose.RELEASE, token.Purpose.BOUNCE)
        return tuple(
            token.mint(key, ticket, agent.address, purpose)
            for key in self.keys
            for agent in self.agents
            if agent.address.lower() != reader
            for purpose in mine
        )

    def message_id(self, ticket: int, debt: str) -> str:
        """Give the Message-ID of what is owed under the key `debt`: always the same for the same debt."""
        return token.own_id(self.keys[0], ticket, token.nonce(debt), self.desk.domain)

    def root_id(self, ticket: int) -> str:
        """Give the synthetic root of a ticket's thread."""
        return self.message_id(ticket, f"root:{ticket}")
