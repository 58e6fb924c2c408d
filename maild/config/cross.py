"""Faults between sections: what one of them names and no other one gives."""

import difflib
from collections.abc import Collection, Iterator

from maild.config.lines import ImapSection
from maild.config.model import Config, CustomerSection, MailboxSection
from maild.config.shape import PLACEHOLDER, Shape
from maild.config.values import is_loopback
from maild.sla.ladder import ONCALL
from maild.store.faults import LedgerError
from maild.store.ledger import POSTGRES, path_of
from maild.threading.token import detail_of

_LONGEST_LOCAL_PART = 39


def cross_faults(shape: Shape, config: Config) -> Iterator[str]:
    """Give a line for each. What is there and only broken is not called missing."""
    yield from _addresses(shape, config)
    yield from _agents(shape)
    yield from _unprovable(shape, config)
    yield from _names(shape, config)
    try:
        # Whether the file may be seen is another question: `maild check` is run by anybody.
        if not config.database_url.startswith(POSTGRES):
            path_of(config.database_url)
    except LedgerError as error:
        yield f"database.url: {error}"
    if config.relay.username and not config.relay.password_file:
        yield "relay.password_file: a username wants a password, in a file beside this one"
    wanting = [f"smtp.{key}" for key in ("require_tls", "tls_key") if getattr(config.smtp, key)]
    if wanting and not config.smtp.tls_certificate and ("smtp", "tls_certificate") not in shape.broken:
        want = "wants" if len(wanting) == 1 else "want"
        yield f"smtp.tls_certificate: {' and '.join(wanting)} {want} a certificate, in a file beside this one"
    if config.lmtp.listen and config.lmtp.listen == config.smtp.listen and not config.lmtp.listen.endswith(":0"):
        yield f"lmtp.listen: {config.lmtp.listen} is smtp.listen already, choose another port"
    yield from _imap(shape, config)
    yield from _report(shape, config)
    yield from _duty(shape, config)


def _addresses(shape: Shape, config: Config) -> Iterator[str]:
    ours: set[str] = set()
    for number, mailbox in _numbered_mailboxes(shape, config):
        for address in (mailbox.address, *mailbox.aliases):
            if address in ours:
                yield f"mailbox[{number}]: {address} is named twice, write it once"
            ours.add(address)
            told = ("mailbox", number, "subaddress") in shape.broken
            if mailbox.subaddress and not told and len(address.partition("@")[0]) > _LONGEST_LOCAL_PART:
                yield (
                    f"mailbox[{number}]: {address}: a token must fit beside it into 64 octets, so at most"
                    f" {_LONGEST_LOCAL_PART} before the @"
                )
    desk = config.desk.address
    if desk not in ours and desk != PLACEHOLDER and shape.mailboxes_whole:
        yield f'desk.address: {desk} is no mailbox: add it, [[mailbox]] address = "{desk}"'
    readers = [
        (f"agent[{number}].address", agent.address)
        for number, agent in zip(shape.numbers.get("agent", ()), shape.file.agent, strict=False)
    ]
    reported = (("report.to", word) for word in config.report.to if "@" in word)
    for key, address in (*readers, ("operator.address", config.operator.address), *reported):
        if any(_reaches(mailbox, address) for mailbox in config.mailboxes):
            yield f"{key}: {address} is a mailbox of the desk, its mail would come back"


def _unprovable(shape: Shape, config: Config) -> Iterator[str]:
    """Find mailboxes that send no tokens where only a token proves an agent: none of his answers would ever go out."""
    if config.auth.agents_need != "token":
        return
    for number, mailbox in _numbered_mailboxes(shape, config):
        if not mailbox.subaddress and ("mailbox", number, "subaddress") not in shape.broken:
            yield (
                f'mailbox[{number}].subaddress: {mailbox.address} sends no tokens, and auth.agents_need = "token" wants'
                ' one of each agent: give the separator of your mail server, such as "+", or write'
                ' auth.agents_need = "dmarc-or-token"'
            )


def _reaches(mailbox: MailboxSection, address: str) -> bool:
    return any(detail_of(address, own, mailbox.subaddress) is not None for own in (mailbox.address, *mailbox.aliases))


def _agents(shape: Shape) -> Iterator[str]:
    ids: set[str] = set()
    addresses: set[str] = set()
    for number, agent in zip(shape.numbers.get("agent", ()), shape.file.agent, strict=False):
        if agent.id in ids:
            yield f"agent[{number}].id: the id {agent.id!r} is given twice, choose another one"
        if agent.address in addresses:
            yield f"agent[{number}].address: {agent.address} is given twice, an agent has his own"
        ids.add(agent.id)
        addresses.add(agent.address)


def _names(shape: Shape, config: Config) -> Iterator[str]:
    for number, mailbox in _numbered_mailboxes(shape, config):
        for name in mailbox.team:
            yield from _unknown(f"mailbox[{number}].team", "agent", name, shape.agents)
        if mailbox.policy:
            yield from _unknown(f"mailbox[{number}].policy", "policy", mailbox.policy, shape.policies)
    for number, customer in zip(shape.numbers.get("customer", ()), shape.file.customer, strict=False):
        if bool(customer.domain) == bool(customer.address) and not _unclear(shape, number):
            yield f"customer[{number}]: give either domain or address"
        if customer.csm:
            yield from _unknown(f"customer[{number}].csm", "agent", customer.csm, shape.agents)
        if customer.policy:
            yield from _unknown(f"customer[{number}].policy", "policy", customer.policy, shape.policies)


def _unclear(shape: Shape, number: int) -> bool:
    """Say whether a customer's domain or address is there and only broken, or may be meant by an unknown key."""
    others = set(CustomerSection.model_fields) - {"domain", "address"}
    return any(
        place[:2] == ("customer", number) and place[2:3] not in {(key,) for key in others} for place in shape.broken
    )


def _unknown(key: str, what: str, name: str, known: Collection[str] | None) -> Iterator[str]:
    if known is None or name in known:
        return
    nearest = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(sorted(known)) or 'none'}"
    yield f"{key}: there is no {what} {name!r}, {hint}"


def _report(shape: Shape, config: Config) -> Iterator[str]:
    """Find readers of the weekly report who do not exist, as long as there is one."""
    if not config.report.weekly or shape.agents is None:
        return
    roles = {agent.role for agent in config.agents}
    for word in config.report.to:
        if "@" not in word and word not in _ROLES:
            yield from _unknown("report.to", "agent, role or address", word, shape.agents | _ROLES)
    if not any("@" in word or word in roles | shape.agents for word in config.report.to):
        yield "report.to: nobody reads the weekly report: there is no agent of that role, so name one, or an address"


def _duty(shape: Shape, config: Config) -> Iterator[str]:
    """Find deputies who are nobody, rotas that are named and not there, and ladders that tell whom nobody knows."""
    for number, agent in zip(shape.numbers.get("agent", ()), shape.file.agent, strict=False):
        if agent.deputy == agent.id:
            yield f"agent[{number}].deputy: {agent.id!r} cannot stand in for himself, name another agent"
        elif agent.deputy:
            yield from _unknown(f"agent[{number}].deputy", "agent", agent.deputy, shape.agents)
    if any(place[0] == "rota" for place in shape.broken):
        return
    named = {rota.name for rota in shape.file.rota}
    for number, mailbox in _numbered_mailboxes(shape, config):
        if mailbox.rota:
            yield from _unknown(f"mailbox[{number}].rota", "rota", mailbox.rota, named)
    for number, rung in zip(shape.numbers.get("escalation", ()), shape.file.escalation, strict=True):
        if not named and any(word.partition("+")[0] == ONCALL for word in rung.notify):
            yield f"escalation[{number}].notify: nobody is on call without a rota: add a [[rota]], or name others"


_ROLES = frozenset({"agent", "lead", "manager"})
_OAUTH = ("token_url", "client_id")


def _imap(shape: Shape, config: Config) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    for number, section in zip(shape.numbers.get("imap", ()), config.imap, strict=True):
        key = f"imap[{number}]"
        yield from _imap_access(shape, number, section)
        ours = {mailbox.address for mailbox in config.mailboxes}
        if shape.mailboxes_whole:
            yield from _unknown(f"{key}.mailbox", "mailbox", section.mailbox, ours)
        place = (section.username or section.mailbox, section.host.lower(), section.folder)
        if place in seen:
            yield f"{key}: {section.folder} of {place[0]} at {section.host} is fetched twice, write it once"
        seen.add(place)
        for name in ("done_folder", "quarantine_folder"):
            if getattr(section, name) == section.folder:
                yield f"{key}.{name}: is the folder that mail is fetched from, name another one"


def _imap_access(shape: Shape, number: int, section: ImapSection) -> Iterator[str]:
    key = f"imap[{number}]"
    if section.tls == "none" and not is_loopback(section.host):
        yield f"{key}.tls: none is for a server on this machine; write implicit or starttls"
    if ("imap", number, "auth") in shape.broken:
        return
    wanted = ("password_file",) if section.auth == "password" else _OAUTH
    for name in wanted:
        if not getattr(section, name) and ("imap", number, name) not in shape.broken:
            yield f'{key}.{name}: auth = "{section.auth}" needs it'
    if section.auth != "password" and not (section.refresh_token_file or section.client_secret_file):
        yield f"{key}: give refresh_token_file, or client_secret_file where the program has an access of its own"


def _numbered_mailboxes(shape: Shape, config: Config) -> Iterator[tuple[int, MailboxSection]]:
    return zip(shape.numbers.get("mailbox", ()) or (1,), config.mailboxes, strict=False)
