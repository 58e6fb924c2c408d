"""Read a configuration file and resolve it: every fault is found in one run, each with its key and what to write."""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from maild.config import duration
from maild.config.model import SEVERITIES, CalendarSection, Config, File, MailboxSection, SlaSection
from maild.sla.hours import Calendar, CalendarError
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import SECONDS, Metric, Policy, Promise
from maild.ticket import Severity

PLACES = ("maild.toml", "/etc/maild/maild.toml")
BUILT_IN = ("always", "weekdays")
_PLACEHOLDER = "desk@placeholder.invalid"


class ConfigError(Exception):
    """The file cannot be used. `faults` has one line for each fault, with its key."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(faults))
        self.path = path
        self.faults = faults


def find(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Give the file to read: the one named, else $MAILD_CONFIG, ./maild.toml, /etc/maild/maild.toml."""
    if given is not None:
        return given
    if environment.get("MAILD_CONFIG"):
        return Path(environment["MAILD_CONFIG"])
    found = next((Path(place) for place in PLACES if Path(place).is_file()), None)
    if found is None:
        raise ConfigError(
            Path(PLACES[0]), ["no configuration: run `maild init`, or name a file with -c FILE or $MAILD_CONFIG"]
        )
    return found


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read, check and resolve `path`. Raises ConfigError with every fault at once."""
    environment = os.environ if environment is None else environment
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(path, [f"cannot be read: {error.strerror}; run `maild init` to write one"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path, [f"is not TOML: {error}"]) from error
    file, faults = _validate(raw)
    broken = bool(faults)
    config = _resolve(path, file, environment, faults)
    faults += [fault for fault in _cross_faults(file, config) if not broken or _PLACEHOLDER not in fault]
    if faults:
        raise ConfigError(path, faults)
    return config


def _validate(raw: dict[str, Any]) -> tuple[File, list[str]]:
    """Check the shape; what is broken is taken out, so that the rest can be checked in the same run."""
    faults: list[str] = []
    while True:
        try:
            return File.model_validate(raw), faults
        except ValidationError as error:
            items = error.errors()
            # In a later round a key is missing because it was taken out: that fault is told already.
            faults = faults + [_fault(item) for item in items if not faults or item["type"] != "missing"]
            places = {tuple(item["loc"][:2] if item["type"] == "missing" else item["loc"]) for item in items}
            # From the back, so that an index still points at what it meant.
            for place in sorted(
                places, key=lambda place: [(isinstance(step, int), str(step).zfill(6)) for step in place], reverse=True
            ):
                _take_out(raw, place)


def _take_out(raw: dict[str, Any], place: tuple[Any, ...]) -> None:
    if place[0] == "desk" and (len(place) == 1 or place[1] == "address"):
        desk = raw.get("desk")
        raw["desk"] = {**(desk if isinstance(desk, dict) else {}), "address": _PLACEHOLDER}
        return
    holder: Any = raw
    for step in place[:-1]:
        inner = holder.get(step) if isinstance(holder, dict) else holder[step] if step < len(holder) else None
        if not isinstance(inner, dict | list):
            place = (*place[: place.index(step)], step)
            break
        holder = inner
    last = place[-1]
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif last < len(holder):
        del holder[last]


def _fault(item: Any) -> str:
    parts = [f"[{part + 1}]" if isinstance(part, int) else str(part) for part in item["loc"]]
    key = ".".join(parts).replace(".[", "[")
    if item["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(str(item["loc"][-1]), _known(item["loc"][:-1]), 1, 0.5)
        return f"{key}: unknown key" + (f", did you mean {nearest[0]}?" if nearest else "")
    if item["type"] == "missing":
        return f"{key}: is missing"
    message = item["msg"].removeprefix("Value error, ")
    return f"{key}: {message[:1].lower() + message[1:]}"


def _known(place: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] | None = File
    for part in place:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), None)
    return list(model.model_fields) if model else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _resolve(path: Path, file: File, environment: Mapping[str, str], faults: list[str]) -> Config:
    data_dir = Path(file.desk.data_dir or environment.get("STATE_DIRECTORY", "").partition(":")[0] or "/var/lib/maild")
    data_dir = data_dir if data_dir.is_absolute() else path.resolve().parent / data_dir
    calendars = _calendars(file, faults)
    return Config(
        file,
        path=path,
        data_dir=data_dir,
        templates_dir=path.resolve().parent / file.desk.templates_dir if file.desk.templates_dir else None,
        database_url=file.database.url or f"sqlite:///{data_dir / 'maild.db'}",
        mailboxes=file.mailbox
        or (MailboxSection(address=file.desk.address, team=tuple(agent.id for agent in file.agent)),),
        relay_password=_secret(path, file.relay.password_file, "relay.password_file", environment, faults),
        calendars=calendars,
        policies=_policies(file, calendars, faults),
        ladders=_ladders(file, faults),
        keywords=_keywords(path, file.severity.keywords_file, faults),
    )


def _secret(path: Path, name: str, key: str, environment: Mapping[str, str], faults: list[str]) -> str:
    if not name:
        return ""
    folders = [environment.get("CREDENTIALS_DIRECTORY", ""), str(path.resolve().parent)]
    for folder in filter(None, folders):
        try:
            return (Path(folder) / name).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            continue
    faults.append(f"{key}: {name} is neither a systemd credential nor a readable file beside {path.name}")
    return ""


def _keywords(path: Path, name: str, faults: list[str]) -> Mapping[str, Any] | None:
    if not name:
        return None
    try:
        return tomllib.loads((path.resolve().parent / name).read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"severity.keywords_file: {name}: {error}")
        return None


def _calendars(file: File, faults: list[str]) -> dict[str, Calendar]:
    weekdays = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    found = {
        "always": Calendar.from_json({"tz": file.desk.time_zone, "always": True}),
        "weekdays": Calendar.from_json({"tz": file.desk.time_zone, "hours": weekdays}),
    }
    for name, section in file.calendar.items():
        if name in BUILT_IN:
            faults.append(f"calendar.{name}: this name is built in, choose another one")
            continue
        try:
            found[name] = Calendar.from_json(_calendar_json(section, file.desk.time_zone))
        except (CalendarError, ValueError) as error:
            faults.append(f"calendar.{name}: {error}")
    return found


def _calendar_json(section: CalendarSection, time_zone: str) -> dict[str, object]:
    hours: dict[str, object] = {}
    for text, texts in section.hours.items():
        for day in duration.days(text):
            hours[day] = duration.spans(texts, f"hours.{text}")
    return {
        "tz": section.time_zone or time_zone,
        "hours": hours,
        "breaks": {date: duration.spans(texts, f"breaks.{date}") for date, texts in section.breaks.items()},
        "shifts": {date: duration.spans(texts, f"shifts.{date}") for date, texts in section.shifts.items()},
        "holidays": list(section.holidays),
    }


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
        promises[severity] = Promise(
            calendar_name,
            calendars[calendar_name],
            section.first_response or parent.first_response,
            section.resolution or parent.resolution,
            section.next_response or parent.next_response,
        )
    return Policy(name, promises)


def _built_in(severity: Severity, calendars: Mapping[str, Calendar]) -> Promise:
    first, resolution = SECONDS[severity]
    name = "always" if severity is Severity.URGENT else "weekdays"
    return Promise(name, calendars[name], first, resolution)


def _ladders(file: File, faults: list[str]) -> dict[Metric, tuple[Rung, ...]]:
    ladders: dict[Metric, list[Rung]] = {}
    for number, section in enumerate(file.escalation, 1):
        try:
            ladders.setdefault(Metric(section.clock), []).append(Rung(section.at, section.notify))
        except ValueError as error:
            faults.append(f"escalation[{number}]: {error}")
    return {metric: tuple(ladders[metric]) if metric in ladders else DEFAULT for metric in Metric}


def _cross_faults(file: File, config: Config) -> list[str]:
    faults = []
    ids = [agent.id for agent in file.agent]
    ours: dict[str, str] = {}
    for number, mailbox in enumerate(config.mailboxes, 1):
        for address in (mailbox.address, *mailbox.aliases):
            if address in ours:
                faults.append(f"mailbox[{number}]: {address} is named twice")
            ours[address] = mailbox.address
        faults += [f"mailbox[{number}].team: there is no agent {name!r}" for name in mailbox.team if name not in ids]
        if mailbox.policy and mailbox.policy not in config.policies:
            faults.append(f"mailbox[{number}].policy: there is no policy {mailbox.policy!r}")
    if config.desk.address not in ours:
        faults.append(
            f"desk.address: {config.desk.address} is no mailbox: add [[mailbox]] address = {config.desk.address!r}"
        )
    faults += [
        f"agent: the id {name!r} is given twice" for name in sorted({name for name in ids if ids.count(name) > 1})
    ]
    addresses = [agent.address for agent in file.agent]
    faults += [f"agent: {one} is given twice" for one in sorted({one for one in addresses if addresses.count(one) > 1})]
    faults += [f"agent: {one} is a mailbox of the desk, its mail would come back" for one in addresses if one in ours]
    for number, customer in enumerate(file.customer, 1):
        if customer.csm and customer.csm not in ids:
            faults.append(f"customer[{number}].csm: there is no agent {customer.csm!r}")
        if customer.policy and customer.policy not in config.policies:
            faults.append(f"customer[{number}].policy: there is no policy {customer.policy!r}")
    if config.relay.username and not config.relay.password_file:
        faults.append("relay.password_file: a username wants a password, in a file beside this one")
    return faults
