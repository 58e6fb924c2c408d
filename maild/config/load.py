"""Read a configuration file and resolve it: every fault is found in one run, each with its key and what to write."""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from maild.config.beside import alarm_url, authorities, certificate, imap_secrets, secret
from maild.config.calendars import calendars
from maild.config.cross import cross_faults
from maild.config.duty import quiet_spans
from maild.config.model import (
    SEVERITIES,
    Config,
    File,
    ImapSecrets,
    MailboxSection,
    SlaSection,
)
from maild.config.rotas import rotas
from maild.config.shape import Shape, shape
from maild.sla.hours import Calendar
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import SECONDS, Metric, Policy, Promise
from maild.sla.severity_rules import parse_rules
from maild.sla.severity_trials import parse_trials
from maild.ticket import Severity

PLACES = ("maild.toml", "/etc/maild/maild.toml")


class ConfigError(Exception):
    """The file cannot be used. `faults` has one line for each fault, with its key.

    `templates_dir` is that of the file, as far as it could be read.
    """

    def __init__(self, path: Path, faults: list[str], templates_dir: Path | None = None) -> None:
        super().__init__(f"{path}: " + "; ".join(faults))
        self.path = path
        self.faults = faults
        self.templates_dir = templates_dir


def find(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Give the file to read: the one named, else $MAILD_CONFIG, ./maild.toml, /etc/maild/maild.toml."""
    if given is not None:
        return given
    if environment.get("MAILD_CONFIG"):
        return Path(environment["MAILD_CONFIG"])
    found = next((Path(place) for place in PLACES if Path(place).is_file()), None)
    if found is None:
        tried = " nor ".join(str(Path(place).absolute()) for place in PLACES)
        words = f"no configuration: $MAILD_CONFIG is not set, and there is no {tried}"
        raise ConfigError(Path(PLACES[0]), [f"{words}; run `maild init`, or name a file with -c FILE"])
    return found


def load(path: Path, environment: Mapping[str, str] | None = None, *, secrets: bool = True) -> Config:
    """Read, check and resolve `path`. Raises ConfigError with every fault at once.

    Without `secrets` no password is read, and none is missed: a systemd credential is for the daemon alone.
    """
    environment = os.environ if environment is None else environment
    raw = _read(path)
    found = shape(raw)
    faults = list(found.faults)
    config = _resolve(path, found, environment, faults, secrets=secrets)
    faults += cross_faults(found, config)
    if faults:
        raise ConfigError(path, faults, config.templates_dir)
    return config


def load_policies(path: Path, other: Path) -> Mapping[str, Policy]:
    """Give the policies of the configuration `path`, which is sound, with what `other` says of promises laid over it.

    `other` has sections [sla.*], [policy.*] and [calendar.*]; what it does not say is as before, a calendar that it names
    is its own whole. All else of a whole configuration is passed over. Raises ConfigError with every fault of `other`.
    """
    raw, laid = _read(path), _read(other)
    faults = [
        f"{key}: unknown section" + (f"; did you mean {nearest[0]}?" if nearest else "")
        for key in laid
        if key not in File.model_fields
        for nearest in [difflib.get_close_matches(key, File.model_fields, 1, 0.5)]
    ]
    parts = [part for part in _OF_A_PROMISE if part in laid]
    if not parts and not faults:
        faults.append("says nothing of a promise: give it [sla.*], [policy.*] or [calendar.*]")
    for part in parts:
        raw[part] = _over(raw.get(part, {}), laid[part], 1 if part == "calendar" else 3)
    found = shape(raw)
    faults += found.faults
    policies = _policies(found.file, calendars(found, path, faults).open_hours, faults)
    if faults:
        raise ConfigError(other, faults)
    return policies


_OF_A_PROMISE = ("calendar", "sla", "policy")


def _over(below: Any, above: Any, depth: int) -> Any:
    """Lay one table over another, so many levels of keys deep."""
    if not depth or not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _over(below.get(key), value, depth - 1) for key, value in above.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(path, ["there is no such file: run `maild init` to write one"]) from error
    except IsADirectoryError as error:
        raise ConfigError(path, ["is a folder: name the file in it, such as maild.toml"]) from error
    except OSError as error:
        raise ConfigError(path, [f"cannot be read: {error.strerror}; its owner must let maild read it"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, [f"is not UTF-8 (byte {error.start + 1}): save it as UTF-8"]) from error
    except (ValueError, RecursionError) as error:
        twice = ": a section or key stands twice; one that may be repeated is written [[...]] each time"
        hint = twice if "overwrite" in str(error) or "twice" in str(error) else ""
        raise ConfigError(path, [f"is not TOML: {error}{hint}"]) from error


def _resolve(path: Path, found: Shape, environment: Mapping[str, str], faults: list[str], *, secrets: bool) -> Config:
    file = found.file
    data_dir = Path(file.desk.data_dir or environment.get("STATE_DIRECTORY", "").partition(":")[0] or "/var/lib/maild")
    data_dir = data_dir if data_dir.is_absolute() else path.resolve().parent / data_dir
    read = calendars(found, path, faults)
    open_hours = read.open_hours
    if secrets:
        authorities(path, found, faults)
    return Config(
        file,
        path=path,
        data_dir=data_dir,
        templates_dir=path.resolve().parent / file.desk.templates_dir if file.desk.templates_dir else None,
        database_url=file.database.url or f"sqlite://{quote(str(data_dir / 'maild.db'))}",
        mailboxes=file.mailbox
        or (MailboxSection(address=file.desk.address, team=tuple(agent.id for agent in file.agent)),),
        relay_password=secret(path, file.relay.password_file, "relay.password_file", environment, faults)
        if secrets
        else "",
        alarm_url=alarm_url(path, file.alarm.url_file, environment, faults) if secrets else "",
        imap_secrets=tuple(
            imap_secrets(path, number, section, environment, faults) if secrets else ImapSecrets()
            for number, section in zip(found.numbers.get("imap", ()), file.imap, strict=True)
        ),
        smtp_tls=certificate(path, file.smtp, environment, faults, secrets=secrets),
        calendars=open_hours,
        holiday_names=read.holiday_names,
        policies=_policies(file, open_hours, faults),
        ladders=_ladders(file),
        rotas=rotas(found, path, faults),
        quiet={severity: quiet_spans(getattr(file.quiet, severity)) for severity in Severity},
        keywords=_keywords(path, file.severity.keywords_file, faults),
    )


def _keywords(path: Path, name: str, faults: list[str]) -> Mapping[str, Any] | None:
    if not name:
        return None
    try:
        keywords = tomllib.loads((path.resolve().parent / name).read_text("utf-8"))
    except OSError as error:
        faults.append(f"severity.keywords_file: {name} cannot be read: {error.strerror}; it lies beside {path.name}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        faults.append(f"severity.keywords_file: {name} is not TOML in UTF-8: {error}")
    else:
        wrong = [line for parse in (parse_rules, parse_trials) for line in _wrong(parse, keywords)]
        faults += [f"severity.keywords_file: {name}: {line}" for line in wrong]
        return None if wrong else keywords
    return None


def _wrong(parse: Callable[[Mapping[str, Any]], object], keywords: Mapping[str, Any]) -> list[str]:
    try:
        parse(keywords)
    except ValueError as error:
        return str(error).splitlines()
    return []


def _policies(file: File, calendars: Mapping[str, Calendar], faults: list[str]) -> dict[str, Policy]:
    own = _policy("", "sla", file.sla, None, calendars, faults)
    named = {
        name: _policy(name, f"policy.{name}", sections, own, calendars, faults)
        for name, sections in file.policy.items()
    }
    return {"": own, **named}


def _policy(
    name: str,
    key: str,
    sections: Mapping[str, SlaSection],
    inherited: Policy | None,
    calendars: Mapping[str, Calendar],
    faults: list[str],
) -> Policy:
    for word in sections:
        if word not in SEVERITIES:
            nearest = difflib.get_close_matches(word, SEVERITIES, 1, 0.5)
            faults.append(
                f"{key}.{word}: unknown severity, it is one of {', '.join(SEVERITIES)}"
                + (f"; did you mean {nearest[0]}?" if nearest else "")
            )
    promises = {}
    for severity in Severity:
        section = sections.get(severity, SlaSection())
        parent = inherited.promise(severity) if inherited else _built_in(severity, calendars)
        calendar_name = section.calendar or parent.calendar_name
        if calendar_name not in calendars:
            nearest = difflib.get_close_matches(calendar_name, list(calendars), 1, 0.5)
            faults.append(
                f"{key}.{severity}.calendar: there is no calendar {calendar_name!r}"
                + (f", did you mean {nearest[0]}?" if nearest else "")
            )
            calendar_name = parent.calendar_name
        elif section.calendar and not calendars[calendar_name].recurs:
            faults.append(
                f"{key}.{severity}.calendar: {calendar_name!r} has only shifts on single dates, so no clock could go on"
                f" after them: give calendar.{calendar_name}.hours"
            )
        promises[severity] = Promise(
            calendar_name,
            calendars[calendar_name],
            section.first_response or parent.first_response,
            section.resolution or parent.resolution,
            section.next_response or parent.next_response,
            section.pending_limit or parent.pending_limit,
        )
    return Policy(name, promises)


def _built_in(severity: Severity, calendars: Mapping[str, Calendar]) -> Promise:
    first, resolution = SECONDS[severity]
    name = "always" if severity is Severity.URGENT else "weekdays"
    return Promise(name, calendars[name], first, resolution)


def _ladders(file: File) -> dict[Metric, tuple[Rung, ...]]:
    ladders: dict[Metric, list[Rung]] = {}
    for section in file.escalation:
        ladders.setdefault(Metric(section.clock), []).append(
            Rung(section.at, section.notify, section.daily, section.next_after)
        )
    return {metric: tuple(ladders[metric]) if metric in ladders else DEFAULT for metric in Metric}
