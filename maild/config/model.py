"""What can be configured. Every class is frozen; every key has its default here and its comment in `sample.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from maild.config import values
from maild.config.duty import Away, QuietSection, RotaSection
from maild.config.lines import ImapSection, LmtpSection, RelaySection, SmtpSection
from maild.config.section import Section as _Section
from maild.config.values import (
    FieldName,
    Lasting,
    Line,
    MailAddress,
    MaybeAddress,
    Pair,
    Zone,
    matching,
)
from maild.sla.hours import Calendar
from maild.sla.ladder import Rung
from maild.sla.policy import Metric, Policy
from maild.sla.rota import Rota
from maild.sla.wall import Pair as Span
from maild.ticket import Severity

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\Z")
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}\Z")
_AGENT_ID = re.compile(r"[A-Za-z0-9._-]{1,32}\Z")


class DeskSection(_Section):
    """Who we are."""

    name: Line = "Support"
    address: MailAddress
    reference: Annotated[str, matching(_REFERENCE, "reference: letters and digits, such as CSM")] = "CSM"
    time_zone: Zone = "UTC"
    reopen_days: int = Field(default=7, ge=0, le=366)
    close_after: int = Field(default=7, ge=0, le=366)
    ack_stops: Literal["all", "warnings"] = "all"
    data_dir: str = ""
    templates_dir: str = ""


class DatabaseSection(_Section):
    """Where the ledger is."""

    url: str = ""


class MailboxSection(_Section):
    """An address customers write to."""

    address: MailAddress
    aliases: tuple[MailAddress, ...] = Field(default=(), strict=False)
    team: tuple[str, ...] = Field(default=(), strict=False)
    language: Annotated[str, matching(re.compile(r"[a-z]{2}\Z"), "language, such as en")] = "en"
    subaddress: Literal["+", "-", "=", ""] = "+"
    admit: Literal["participants", "everyone"] = "participants"
    policy: str = ""
    rota: str = ""


class AgentSection(_Section):
    """Somebody who answers."""

    id: Annotated[str, matching(_AGENT_ID, "agent id: letters, digits, dot, dash")]
    name: Line = ""
    address: MailAddress
    role: Literal["agent", "lead", "manager"] = "agent"
    time_zone: Zone | None = None
    deputy: str = ""
    away: tuple[Away, ...] = Field(default=(), strict=False)


class CustomerSection(_Section):
    """A customer we know by domain or address."""

    domain: Annotated[str, matching(_DOMAIN, "domain in lower case")] = ""
    address: MailAddress | None = None
    name: Line = ""
    csm: str = ""
    tier: str = ""
    policy: str = ""


class AuthSection(_Section):
    """Whose word counts."""

    authserv_id: values.Names = ""
    unnamed: bool = False
    hops: tuple[values.OurHop, ...] = Field(default=(), strict=False)
    below: int = Field(default=0, ge=0, le=5)
    arc_sealers: tuple[Annotated[str, matching(_DOMAIN, "domain in lower case")], ...] = Field(default=(), strict=False)
    dkim: Literal["auto", "off"] = "auto"
    agents_need: Literal["dmarc-or-token", "token"] = "dmarc-or-token"

    @property
    def authserv_ids(self) -> tuple[str, ...]:
        """The names, one by one."""
        return tuple(self.authserv_id.split())


class SpamSection(_Section):
    """Whose verdict counts."""

    headers: tuple[FieldName, ...] = Field(default=("X-Spam-Flag", "X-Spam-Status", "X-Spam"), strict=False)


class OperatorSection(_Section):
    """Who looks after maild itself."""

    address: MaybeAddress = ""
    summary_every: Lasting = 3600


class ReportSection(_Section):
    """The weekly report by mail."""

    weekly: Annotated[str, BeforeValidator(values.weekly)] = ""
    to: tuple[Annotated[str, AfterValidator(values.reader)], ...] = Field(
        default=("lead", "manager"), strict=False, min_length=1
    )


class AlarmSection(_Section):
    """A second way to reach people, when no mail can leave."""

    after: Lasting = 600
    command: Annotated[tuple[Line, ...], AfterValidator(values.program)] = Field(default=(), strict=False)
    url_file: str = ""
    again: Lasting = 3600


class AckSection(_Section):
    """Who is told that his mail arrived."""

    to: Literal["authenticated", "known", "everyone"] = "known"
    per_address_hour: int = Field(default=3, ge=0)
    per_address_day: int = Field(default=10, ge=0)
    per_minute: int = Field(default=60, ge=0)


class CalendarSection(_Section):
    """Hours of work."""

    time_zone: Zone | None = None
    hours: dict[str, Any] = Field(default_factory=dict)
    breaks: dict[str, Any] = Field(default_factory=dict)
    shifts: dict[str, Any] = Field(default_factory=dict)
    holidays: tuple[str, ...] = Field(default=(), strict=False)
    holidays_country: str = ""
    holidays_file: str = ""
    holidays_off: tuple[str, ...] = Field(default=(), strict=False)


class SlaSection(_Section):
    """What one severity is promised; None is inherited."""

    calendar: str | None = None
    first_response: Pair | None = Field(default=None, strict=False)
    next_response: Pair | None = Field(default=None, strict=False)
    resolution: Pair | None = Field(default=None, strict=False)
    pending_limit: Lasting | None = None


class EscalationSection(_Section):
    """One rung of the ladder of a clock."""

    clock: Literal["first_response", "next_response", "resolution"]
    at: Annotated[str, AfterValidator(values.step)]
    notify: tuple[Annotated[str, AfterValidator(values.told)], ...] = Field(strict=False, min_length=1)
    daily: int = Field(default=0, ge=0, le=30)
    next_after: Lasting = 900


class SeveritySection(_Section):
    """The guess."""

    keywords_file: str = ""


class File(_Section):
    """The whole file as it is written."""

    desk: DeskSection
    database: DatabaseSection = DatabaseSection()
    mailbox: tuple[MailboxSection, ...] = Field(default=(), strict=False)
    agent: tuple[AgentSection, ...] = Field(default=(), strict=False)
    customer: tuple[CustomerSection, ...] = Field(default=(), strict=False)
    smtp: SmtpSection = SmtpSection()
    lmtp: LmtpSection = LmtpSection()
    imap: tuple[ImapSection, ...] = Field(default=(), strict=False)
    relay: RelaySection = RelaySection()
    auth: AuthSection = AuthSection()
    spam: SpamSection = SpamSection()
    ack: AckSection = AckSection()
    operator: OperatorSection = OperatorSection()
    alarm: AlarmSection = AlarmSection()
    report: ReportSection = ReportSection()
    calendar: dict[str, CalendarSection] = Field(default_factory=dict)
    sla: dict[str, SlaSection] = Field(default_factory=dict)
    policy: dict[str, dict[str, SlaSection]] = Field(default_factory=dict)
    escalation: tuple[EscalationSection, ...] = Field(default=(), strict=False)
    rota: tuple[RotaSection, ...] = Field(default=(), strict=False)
    quiet: QuietSection = QuietSection()
    severity: SeveritySection = SeveritySection()


@dataclass(frozen=True, slots=True)
class ImapSecrets:
    """What the files of one [[imap]] section hold; "" where it names none."""

    password: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


SEVERITIES = tuple(str(severity) for severity in Severity)


class Config:
    """The resolved configuration: what the rest of maild reads. Built by `load`; never changed after."""

    __slots__ = (
        "ack",
        "agents",
        "alarm",
        "alarm_url",
        "auth",
        "calendars",
        "customers",
        "data_dir",
        "database_url",
        "desk",
        "holiday_names",
        "imap",
        "imap_secrets",
        "keywords",
        "ladders",
        "lmtp",
        "mailboxes",
        "operator",
        "path",
        "policies",
        "quiet",
        "relay",
        "relay_password",
        "report",
        "rotas",
        "smtp",
        "smtp_tls",
        "spam",
        "templates_dir",
    )

    def __init__(self, file: File, **resolved: Any) -> None:
        self.desk = file.desk
        self.mailboxes: tuple[MailboxSection, ...] = resolved["mailboxes"]
        self.agents = file.agent
        self.customers = file.customer
        self.smtp = file.smtp
        self.smtp_tls: tuple[Path, Path] | None = resolved["smtp_tls"]
        self.lmtp = file.lmtp
        self.imap = file.imap
        self.imap_secrets: tuple[ImapSecrets, ...] = resolved["imap_secrets"]
        self.relay = file.relay
        self.auth = file.auth
        self.spam = file.spam
        self.ack = file.ack
        self.operator = file.operator
        self.alarm = file.alarm
        self.alarm_url: str = resolved["alarm_url"]
        self.report = file.report
        self.path: Path = resolved["path"]
        self.data_dir: Path = resolved["data_dir"]
        self.templates_dir: Path | None = resolved["templates_dir"]
        self.database_url: str = resolved["database_url"]
        self.relay_password: str = resolved["relay_password"]
        self.calendars: Mapping[str, Calendar] = resolved["calendars"]
        self.holiday_names: Mapping[str, Mapping[str, str]] = resolved["holiday_names"]
        self.policies: Mapping[str, Policy] = resolved["policies"]
        self.ladders: Mapping[Metric, tuple[Rung, ...]] = resolved["ladders"]
        self.rotas: tuple[Rota, ...] = resolved["rotas"]
        self.quiet: Mapping[Severity, tuple[Span, ...]] = resolved["quiet"]
        self.keywords: Mapping[str, Any] | None = resolved["keywords"]

    @property
    def policy(self) -> Policy:
        """The desk's own policy."""
        return self.policies[""]

    @property
    def domain(self) -> str:
        """The domain of our Message-IDs."""
        return self.desk.address.rpartition("@")[2]
