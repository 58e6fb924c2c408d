"""The lines on which mail comes and goes: SMTP, LMTP, IMAP, the smarthost. Every key has its comment in `sample.toml`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from maild.config import values
from maild.config.section import Section
from maild.config.values import Believed, Lasting, Line, MailAddress, Proxy


class SmtpSection(Section):
    """How mail is received."""

    listen: Annotated[str, BeforeValidator(values.listen)] = "127.0.0.1:8025"
    trusted: tuple[Believed, ...] = Field(default=("127.0.0.0/8", "::1/128"), strict=False)
    hostname: Line = ""
    max_message_bytes: int = Field(default=25 * 2**20, ge=2**16)
    max_recipients: int = Field(default=100, ge=1)
    max_connections: int = Field(default=200, ge=1)
    max_connections_per_address: int = Field(default=20, ge=1)
    max_bytes_in_flight: int = Field(default=256 * 2**20, ge=2**20)
    per_sender_hour: int = Field(default=60, ge=1)
    session_timeout: Lasting = 600
    data_timeout: Lasting = 60
    min_free_bytes: int = Field(default=100 * 2**20, ge=0)
    tls_certificate: str = ""
    tls_key: str = ""
    require_tls: bool = False
    proxy_from: tuple[Proxy, ...] = Field(default=(), strict=False)


class LmtpSection(Section):
    """How a mail server on our side hands mail over."""

    listen: Annotated[str, BeforeValidator(values.lmtp_listen)] = ""
    mode: values.FileMode = "0660"


class ImapSection(Section):
    """A folder of an IMAP server that feeds a mailbox."""

    mailbox: MailAddress
    host: values.ImapHost
    port: int | None = Field(default=None, ge=1, le=values.LAST_PORT)
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    tls_ca_file: str = ""
    username: Line = ""
    auth: Literal["password", "xoauth2", "oauthbearer"] = "password"
    password_file: str = ""
    token_url: Annotated[str, BeforeValidator(values.token_url)] = ""
    client_id: Line = ""
    client_secret_file: str = ""
    refresh_token_file: str = ""
    scope: Line = ""
    folder: Annotated[Line, Field(min_length=1)] = "INBOX"
    since: Annotated[str, BeforeValidator(values.since_when)] = "now"
    mode: Literal["idle", "poll"] = "idle"
    poll: Lasting = 60
    done_folder: Line = ""
    quarantine_folder: Line = ""


class RelaySection(Section):
    """The smarthost all mail leaves through."""

    host: Annotated[Line, values.host_alone("relay.port")] = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65535)
    tls: Literal["implicit", "starttls", "none"] | None = None
    username: Line = ""
    password_file: str = ""
