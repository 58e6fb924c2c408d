"""The probe of `maild doctor` for permissions: what we must be able to write, and what others must not read."""

import contextlib
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from maild.cli.finding import Finding
from maild.config import Config
from maild.store.copying_postgres import surroundings
from maild.store.ledger import POSTGRES, path_of

_OF_LEDGER = ("", "-wal", "-shm", ".before-*")
_BESIDE = ("imap-*.token", "ledger.before-*.dump")


def probe_permissions(config: Config) -> Iterator[Finding]:
    """Look at the user we are, data_dir, the ledger's files, the secrets, the configuration and the LMTP socket."""
    yield judge_user(os.geteuid())
    yield from _data_dir(config.data_dir)
    yield from _files(config)
    yield from _secrets(config)
    yield judge_config(config.path, _mode(config.path), password=_has_password(config.database_url))
    if config.lmtp.listen.startswith("/"):
        folder = Path(config.lmtp.listen).parent
        yield judge_socket(folder, there=folder.is_dir(), writable=os.access(folder, os.W_OK | os.X_OK))


def _data_dir(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        above = next(place for place in folder.parents if place.exists())
        words = f"{folder} is not there yet: `maild serve` makes it"
        if not os.access(above, os.W_OK | os.X_OK):
            yield Finding(
                "data_dir", "fail", f"{folder} is not there, and we may not make it: {above} is not ours to write to"
            )
        else:
            yield Finding("data_dir", "ok", words)
        return
    writable = folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    yield judge_data_dir(folder, _mode(folder), writable=writable)


def _files(config: Config) -> Iterator[Finding]:
    places = [(config.data_dir, pattern) for pattern in _BESIDE]
    if not config.database_url.startswith(POSTGRES):
        ledger = path_of(config.database_url)
        places += [(ledger.parent, f"{glob.escape(ledger.name)}{ending}") for ending in _OF_LEDGER]
        if os.access(ledger, os.F_OK) and not os.access(ledger, os.R_OK | os.W_OK):
            yield Finding("files", "fail", f"{ledger}: we may not write to it; its owner must be the daemon's user")
    modes = dict(_modes(places))
    judged = [judge_file(path, mode) for path, mode in modes.items()]
    yield from (finding for finding in judged if finding.verdict != "ok")
    if judged and all(finding.verdict == "ok" for finding in judged):
        yield Finding("files", "ok", f"{len(judged)} with mail or a token, for their owner only")


def _modes(places: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, int]]:
    for folder, pattern in places:
        # One that we may not look into is told of itself.
        for path in sorted(folder.glob(pattern)) if os.access(folder, os.R_OK | os.X_OK) else ():
            with contextlib.suppress(FileNotFoundError):  # a daemon that ends takes its log away
                yield path, _mode(path)


def _secrets(config: Config) -> Iterator[Finding]:
    ours = 0 if os.geteuid() == 0 else os.getegid()
    for key, path in _secret_files(config):
        found = path.stat()
        granted = found.st_uid == 0 and found.st_gid == ours != 0
        yield judge_secret(key, path, stat.S_IMODE(found.st_mode), granted=granted)


def _secret_files(config: Config) -> Iterator[tuple[str, Path]]:
    named = [("relay.password_file", config.relay.password_file), ("alarm.url_file", config.alarm.url_file)]
    for number, section in enumerate(config.imap, 1):
        keys = ("password_file", "client_secret_file", "refresh_token_file")
        named += [(f"imap[{number}].{key}", getattr(section, key)) for key in keys]
    if config.smtp_tls:
        named.append(("smtp.tls_key", str(config.smtp_tls[1])))
    given = os.environ.get("CREDENTIALS_DIRECTORY", "")
    for key, name in named:
        credential = Path(given) / name if given else None
        # systemd guards its credentials, by means that a mode does not show.
        if name and not (credential and credential.is_file()):
            path = config.path.resolve().parent / name
            if path.is_file():
                yield key, path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _has_password(url: str) -> bool:
    return url.startswith(POSTGRES) and bool(surroundings(url).get("PGPASSWORD"))


def judge_user(euid: int) -> Finding:
    """Judge who asks."""
    if euid == 0:
        words = "we are root, who may do everything: run this as the daemon's user, and the daemon never as root"
        return Finding("user", "warn", words)
    return Finding("user", "ok", f"uid {euid}, not root")


def judge_data_dir(folder: Path, mode: int, *, writable: bool) -> Finding:
    """Judge desk.data_dir by its mode, and by whether we may list it and write into it."""
    if not writable:
        return Finding("data_dir", "fail", f"{folder}: we may not write into it; its owner must be the daemon's user")
    if mode & 0o077:
        return Finding("data_dir", "warn", f"{folder} has mode {mode:04o}, so others may enter it: chmod 0700")
    return Finding("data_dir", "ok", f"{folder} has mode {mode:04o}")


def judge_file(path: Path, mode: int) -> Finding:
    """Judge a file of the ledger's, which holds customers' mail, or a token."""
    if mode & 0o077:
        words = f"{path} has mode {mode:04o}, and customers' mail or a key is in it: chmod 0600"
        return Finding("files", "warn", words)
    return Finding("files", "ok", f"{path} has mode {mode:04o}")


def judge_secret(key: str, path: Path, mode: int, *, granted: bool) -> Finding:
    """Judge a file with a secret. `granted`: root lends it to our group, which may then read it and nothing else."""
    allowed = 0o640 if granted else 0o600
    if mode & 0o077 & ~allowed:
        words = f"{path} has mode {mode:04o}, and a secret is in it: chmod {allowed:04o}"
        return Finding(f"secret {key}", "warn", words)
    return Finding(f"secret {key}", "ok", f"{path} has mode {mode:04o}")


def judge_config(path: Path, mode: int, *, password: bool) -> Finding:
    """Judge the configuration's own mode; `password` says that one stands in database.url."""
    if mode & 0o002:
        words = f"{path} has mode {mode:04o}: whoever likes may send the mail elsewhere; chmod o-w"
        return Finding("config", "warn", words)
    if password and mode & 0o004:
        words = (
            f"{path} has mode {mode:04o}, and a password is in database.url: put it into a file that PGPASSFILE names"
        )
        return Finding("config", "warn", words)
    return Finding("config", "ok", f"{path} is readable, mode {mode:04o}")


def judge_socket(folder: Path, *, there: bool, writable: bool) -> Finding:
    """Judge the folder of the LMTP socket."""
    if not there:
        return Finding("lmtp folder", "warn", f"{folder} is not there: make it, or let systemd (RuntimeDirectory=)")
    if not writable:
        words = f"{folder}: we may not make a socket in it; it must be ours, unless systemd hands one over"
        return Finding("lmtp folder", "warn", words)
    return Finding("lmtp folder", "ok", f"a socket can be made in {folder}")
