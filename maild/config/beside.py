"""The files that the configuration names: secrets and certificates, found beside it or among systemd's credentials."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from maild.config.lines import ImapSection, SmtpSection
from maild.config.model import ImapSecrets
from maild.config.shape import Shape
from maild.config.values import secret_url
from maild.ingest.smtp_tls import server_context

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_KEY = "PRIVATE KEY-----"
_SEALED = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED")


def secret(path: Path, name: str, key: str, environment: Mapping[str, str], faults: list[str]) -> str:
    """Read a secret; "" where there is none, which is a fault where `name` says that there is one."""
    if not name:
        return ""
    for folder in _folders(path, environment):
        try:
            found = (folder / name).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            continue
        if not found:
            faults.append(f"{key}: {name} is empty: write the secret into it")
        return found
    faults.append(f"{key}: {name} is neither a systemd credential nor a readable file beside {path.name}")
    return ""


def alarm_url(path: Path, name: str, environment: Mapping[str, str], faults: list[str]) -> str:
    """Read the URL of the alarm; "" where there is none. A fault says nothing of what it is."""
    url = secret(path, name, "alarm.url_file", environment, faults).strip()
    wrong = secret_url(url) if url else ""
    if wrong:
        faults.append(f"alarm.url_file: {name} {wrong}")
    return "" if wrong else url


def imap_secrets(
    path: Path, number: int, section: ImapSection, environment: Mapping[str, str], faults: list[str]
) -> ImapSecrets:
    """Read the secrets of one [[imap]] section, `number` in the file."""
    found = {}
    for name in ImapSecrets.__slots__:
        key = f"imap[{number}].{name}_file"
        found[name] = secret(path, getattr(section, f"{name}_file"), key, environment, faults)
        if not found[name].isprintable():
            faults.append(f"{key}: holds more than one line, or a control character: write the secret alone into it")
    return ImapSecrets(**found)


def authorities(path: Path, shape: Shape, faults: list[str]) -> None:
    """Try the authorities that the [[imap]] sections name."""
    for number, section in zip(shape.numbers.get("imap", ()), shape.file.imap, strict=True):
        if not section.tls_ca_file:
            continue
        file = path.resolve().parent / section.tls_ca_file
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except ssl.SSLError:
            faults.append(f"imap[{number}].tls_ca_file: {file} holds no certificate in PEM")
        except OSError as error:
            faults.append(f"imap[{number}].tls_ca_file: {file} cannot be read: {error.strerror}")


def certificate(
    path: Path, smtp: SmtpSection, environment: Mapping[str, str], faults: list[str], *, secrets: bool
) -> tuple[Path, Path] | None:
    """Find and try the certificate. Without `secrets` a key that is not there, or not for us to read, is no fault."""
    if not smtp.tls_certificate:
        return None
    names = {"tls_certificate": smtp.tls_certificate}
    if smtp.tls_key:
        names["tls_key"] = smtp.tls_key
    found = {key: _file(path, name, environment) for key, name in names.items()}
    for key, file in found.items():
        if file is None and secrets:
            faults.append(f"smtp.{key}: {names[key]} is neither a systemd credential nor a file beside {path.name}")
    public = found["tls_certificate"]
    private = found.get("tls_key", public)
    if public is None or private is None:
        return None
    try:
        server_context(public, private)
    except OSError as error:
        if secrets or not isinstance(error, PermissionError):
            faults.append(_untrue(public, private, error, own_key=bool(smtp.tls_key)))
        return None
    return public, private


def _untrue(public: Path, private: Path, error: OSError, *, own_key: bool) -> str:
    """Say why two files make no certificate, by the key that is to be changed."""
    shown, hidden = _text(public), _text(private)
    key = "smtp.tls_key" if own_key else "smtp.tls_certificate"
    if own_key and _CERTIFICATE not in shown and _KEY in shown and _CERTIFICATE in hidden and _KEY not in hidden:
        return f"smtp.tls_certificate: {public} is the key, and {private} the certificate: swap the two"
    if shown and _CERTIFICATE not in shown:
        return f"smtp.tls_certificate: {public} holds no certificate in PEM"
    if hidden and _KEY not in hidden:
        return f"{key}: {private} has no key in it: " + ("name the file of the key" if own_key else "set smtp.tls_key")
    if any(sign in hidden for sign in _SEALED):
        return f"{key}: {private} has a passphrase, and nobody is there to type it: openssl pkey takes it off"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return f"{key}: {private} is the key of another certificate than {public} (KEY_VALUES_MISMATCH)"
    return f"smtp.tls_certificate: {public} and {private} make no certificate in PEM: {error}"


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""


def _file(path: Path, name: str, environment: Mapping[str, str]) -> Path | None:
    return next((folder / name for folder in _folders(path, environment) if (folder / name).is_file()), None)


def _folders(path: Path, environment: Mapping[str, str]) -> list[Path]:
    credentials = environment.get("CREDENTIALS_DIRECTORY", "")
    return [*([Path(credentials)] if credentials else []), path.resolve().parent]
