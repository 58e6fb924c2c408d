"""From the configuration to the IMAP folders that are fetched from."""

import hashlib
from zoneinfo import ZoneInfo

from maild.config.lines import ImapSection
from maild.config.model import Config, ImapSecrets
from maild.ingest.imap_account import Account, Grant


def accounts(config: Config) -> tuple[Account, ...]:
    """Build the accounts, with their secrets."""
    return tuple(_account(config, *pair) for pair in zip(config.imap, config.imap_secrets, strict=True))


def _account(config: Config, section: ImapSection, secrets: ImapSecrets) -> Account:
    username = section.username or section.mailbox
    return Account(
        mailbox=section.mailbox,
        host=section.host,
        port=section.port or (993 if section.tls == "implicit" else 143),
        tls=section.tls,
        ca_file=config.path.resolve().parent / section.tls_ca_file if section.tls_ca_file else None,
        username=username,
        auth=section.auth,
        password=secrets.password,
        grant=None if section.auth == "password" else _grant(config, section, secrets, username),
        folder=section.folder,
        since=section.since,
        idle=section.mode == "idle",
        poll=section.poll,
        done_folder=section.done_folder,
        quarantine_folder=section.quarantine_folder,
        most_octets=config.smtp.max_message_bytes,
        zone=ZoneInfo(config.desk.time_zone),
    )


def _grant(config: Config, section: ImapSection, secrets: ImapSecrets, username: str) -> Grant:
    whose = hashlib.sha256(f"{section.token_url} {section.client_id} {username}".encode()).hexdigest()[:16]
    return Grant(
        token_url=section.token_url,
        client_id=section.client_id,
        client_secret=secrets.client_secret,
        refresh_token=secrets.refresh_token,
        scope=section.scope,
        kept=config.data_dir / f"imap-{whose}.token",
    )
