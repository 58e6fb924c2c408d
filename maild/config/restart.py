"""What a running daemon takes over from a changed configuration, and what waits for a restart."""

from pydantic import BaseModel

from maild.config.model import Config

RELOADED = frozenset(
    {
        "ack",
        "agents",
        "alarm",
        "alarm_url",
        "auth",
        "calendars",
        "customers",
        "desk",
        "holiday_names",
        "keywords",
        "ladders",
        "mailboxes",
        "operator",
        "path",
        "policies",
        "quiet",
        "report",
        "rotas",
        "spam",
        "smtp.trusted",
        "templates_dir",
    }
)
"""What is taken over while mail flows; all else is a listener, a connection or the ledger."""

_KEYS = {
    "data_dir": "desk.data_dir",
    "database_url": "database.url",
    "imap_secrets": "imap",
    "relay_password": "relay.password_file",
    "smtp_tls": "smtp.tls_certificate",
}


def needs_restart(running: Config, new: Config) -> tuple[str, ...]:
    """Give the keys in which the two differ and which a reload does not take over."""
    found: list[str] = []
    for name in Config.__slots__:
        before, after = getattr(running, name), getattr(new, name)
        if name in RELOADED or before == after:
            continue
        if isinstance(before, BaseModel):
            keys = (key for key in type(before).model_fields if getattr(before, key) != getattr(after, key))
            found += [f"{name}.{key}" for key in keys if f"{name}.{key}" not in RELOADED]
        else:
            found.append(_KEYS.get(name, name))
    return tuple(dict.fromkeys(found))
