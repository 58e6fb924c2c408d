"""`maild init` and `maild check`: a configuration to start from, and what is wrong or odd with one."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from maild.cli.check_auth import looks_itself, odd_auth, unauthenticated
from maild.cli.check_duty import duties, odd_duty
from maild.cli.check_ladder import alarm_hints, odd_ladders, told_when
from maild.cli.doctor_certificate import ends_at, judge_end
from maild.cli.ending import Exit, fail, say
from maild.cli.terms import ConfigOption
from maild.clock import utc_now
from maild.config import Config, ConfigError, find, load
from maild.desk.reopening import open_days_end
from maild.outbound.template_files import check_templates, load_templates, odd_files
from maild.outbound.wording import promised
from maild.sla.hours import add
from maild.sla.policy import Promise
from maild.sla.severity_rules import parse_rules
from maild.sla.severity_trials import failed_trials, parse_trials
from maild.ticket import Severity

_DAY = 86400
_EXAMPLE = re.compile(r"[@.]example\.(?:com|net|org)\Z")
_MOST_HOLIDAYS = 15
_TO_CUSTOMERS = ("ack", "ack-subject")
"""The templates of what customers read."""


def init(folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write maild.toml")] = Path()) -> None:
    """Write a commented maild.toml to start from."""
    path = folder / "maild.toml"
    if folder.exists() and not folder.is_dir():
        fail(Exit.USAGE, f"{folder} is a file: name the folder that maild.toml is to lie in")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(files("maild.config").joinpath("sample.toml").read_text("utf-8"))
    except FileExistsError:
        fail(Exit.USAGE, f"{path} is there already: nothing was changed")
    except OSError as error:
        fail(Exit.CONFIG, f"{path} cannot be written: {error.strerror}")
    say(f"{path} is written. Edit it, then run: maild check -c {path}")


def check(config: ConfigOption = None) -> None:
    """Check all of the configuration and the templates, and print what is promised, in dates."""
    try:
        loaded = load(find(config, os.environ))
    except ConfigError as error:
        faults = [*error.faults, *(template_faults(error.templates_dir) if error.templates_dir else ())]
        fail(Exit.CONFIG, *(f"{error.path}: {fault}" for fault in faults))
    now = utc_now()
    faults = [*template_faults(loaded.templates_dir), *_of_the_future(loaded, now), *_of_the_keywords(loaded)]
    if faults:
        fail(Exit.CONFIG, *(f"{loaded.path}: {fault}" for fault in faults))
    warnings = [f"warning: {line}" for line in (*_warnings(loaded), *odd_ladders(loaded), *odd_duty(loaded, now))]
    for line in (*warnings, *(f"hint: {line}" for line in _hints(loaded, now)), *looks_itself(loaded)):
        say(line)
    for line in (*promises(loaded, now), *told_when(loaded, _friday(loaded, now)), *duties(loaded, now)):
        say(line)
    say(f"{loaded.path} is fine" + (f", but see the {_counted(len(warnings))} above" if warnings else ""))


def _counted(warnings: int) -> str:
    return "warning" if warnings == 1 else f"{warnings} warnings"


def template_faults(folder: Path | None) -> list[str]:
    """List every fault of the templates, each with its key; `folder` holds those of the operator."""
    return [f"desk.templates_dir: {fault}" for fault in check_templates(folder)]


def _warnings(config: Config) -> Iterator[str]:
    examples = [f"{key} {address}" for key, address in _addresses(config) if _EXAMPLE.search(address)]
    if examples:
        yield f"these addresses are examples, so no mail reaches anybody there: {', '.join(examples)}"
    yield from _template_warnings(config)
    for name, policy in config.policies.items():
        for severity, promise in policy.promises.items():
            limit = promise.first_response[1]
            if limit > _DAY:
                key = f"policy.{name}.{severity}" if name else f"sla.{severity}"
                yield f"{key}.first_response promises an answer later than 24 open hours: {promised(limit)}"
    if nobody := unauthenticated(config):
        yield nobody
    if not config.agents:
        yield "there is no [[agent]], so nobody is told of new tickets"
    if any(not mailbox.subaddress for mailbox in config.mailboxes) and unauthenticated(config):
        yield "a mailbox without subaddress needs auth.authserv_id, or no agent can answer"
    yield from odd_auth(config)


def _of_the_future(config: Config, now: datetime) -> Iterator[str]:
    """Find dates that cannot be meant. A daemon whose clock is wrong must start all the same, so only `check` asks."""
    today = now.astimezone(ZoneInfo(config.desk.time_zone)).date().isoformat()
    for number, account in enumerate(config.imap, 1):
        if account.since not in {"now", "all"} and account.since > today:
            yield f"imap[{number}].since: {account.since} is in the future, so no mail of before would ever be fetched"


def _of_the_keywords(config: Config) -> Iterator[str]:
    """Try the mails that the keywords file brings along. A daemon starts all the same: a guess is no promise."""
    if config.keywords is not None:
        failed = failed_trials(parse_trials(config.keywords), parse_rules(config.keywords))
        yield from (f"severity.keywords_file: {line}" for line in failed)


def _hints(config: Config, now: datetime) -> Iterator[str]:
    if not config.operator.address:
        yield "operator.address is empty, so mail that is set aside is told of in the log alone"
    if not (config.smtp.listen or config.lmtp.listen or config.imap):
        yield "smtp.listen and lmtp.listen are empty and there is no [[imap]]: only `maild deliver` brings mail"
    folder = Path(config.lmtp.listen).parent
    if config.lmtp.listen.startswith("/") and not folder.exists():
        yield f"lmtp.listen: there is no folder {folder}, and `maild serve` makes none (our systemd unit makes /run/maild)"
    if config.smtp_tls:
        yield from _ended(config.smtp_tls[0], now)
    yield from alarm_hints(config)


def _ended(certificate: Path, now: datetime) -> Iterator[str]:
    try:
        end = ends_at(certificate.read_text("ascii", "replace")).timestamp()
    except (OSError, ValueError):
        return  # `maild doctor` tells of it
    for finding in judge_end("smtp.tls_certificate", end, now.timestamp()):
        if finding.verdict != "ok":
            yield f"{finding.name}: {finding.words}"


def _addresses(config: Config) -> Iterator[tuple[str, str]]:
    yield "desk.address", config.desk.address
    for number, mailbox in enumerate(config.mailboxes, 1):
        yield f"mailbox[{number}].address", mailbox.address
        yield from ((f"mailbox[{number}].aliases", address) for address in mailbox.aliases)
    for number, agent in enumerate(config.agents, 1):
        yield f"agent[{number}].address", agent.address
    for number, customer in enumerate(config.customers, 1):
        yield f"customer[{number}]", customer.address or f"@{customer.domain}"


def _template_warnings(config: Config) -> Iterator[str]:
    if config.templates_dir:
        yield from (f"desk.templates_dir: {line}" for line in odd_files(config.templates_dir))
    names = load_templates(config.templates_dir).names
    for number, mailbox in enumerate(config.mailboxes, 1):
        spoken = (f"{kind}.{mailbox.language}.txt.j2" for kind in _TO_CUSTOMERS)
        missing = [name for name in spoken if name not in names]
        if mailbox.language != "en" and missing:
            yield f"mailbox[{number}].language: there is no {' and no '.join(missing)}, so English is used there"


def promises(config: Config, now: datetime) -> list[str]:
    """Say what each promise means for a mail on the coming Friday at 16:50, in the desk's time zone."""
    local = now.astimezone(ZoneInfo(config.desk.time_zone))
    friday = _friday(config, now)
    lines = [f"What is promised to a mail of {friday:%A %Y-%m-%d} ({config.desk.time_zone}):"]
    for name, policy in config.policies.items():
        lines += [f"  with the policy {name}:"] if name else []
        lines += [_promised(severity, policy.promise(severity), friday) for severity in Severity]
    return [*lines, *_rests(config, friday), *_holidays(config, local)]


def _friday(config: Config, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(config.desk.time_zone))
    return (local + timedelta(days=(4 - local.weekday()) % 7)).replace(hour=16, minute=50, second=0, microsecond=0)


def _rests(config: Config, friday: datetime) -> Iterator[str]:
    """Say what becomes of tickets on which nobody says a word."""
    for name, policy in config.policies.items():
        for severity, promise in policy.promises.items():
            if promise.pending_limit is not None:
                goes_on = add(promise.calendar, friday, promise.pending_limit).astimezone(friday.tzinfo)
                which = f"{severity} ticket" + (f" with the policy {name}" if name else "")
                yield f"  a pending {which} that waits from then on goes on at {_when(goes_on)}"
    days = config.desk.close_after
    if days:
        closes = open_days_end(config.calendars["weekdays"], friday, days).astimezone(friday.tzinfo)
        yield f"  a ticket resolved then closes at {_when(closes)}, if nobody says a word"


def _holidays(config: Config, local: datetime) -> Iterator[str]:
    """Name the next holidays of each calendar, in order of time; those that the file itself lists have no name."""
    today = local.date()
    for name in sorted(config.calendars):
        calendar = config.calendars[name]
        called = config.holiday_names.get(name, {})
        coming = (today + timedelta(days=number) for number in range(365))
        found = [day for day in coming if calendar.holiday_on(day)]
        words = [f"{day:%a %Y-%m-%d}" + _in_brackets(called.get(day.isoformat(), "")) for day in found]
        if words:
            more = f", and {len(words) - _MOST_HOLIDAYS} more within a year" if len(words) > _MOST_HOLIDAYS else ""
            yield f"Holidays of the calendar {name}: {', '.join(words[:_MOST_HOLIDAYS])}{more}"


def _in_brackets(name: str) -> str:
    return f" ({name})" if name else ""


def _promised(severity: Severity, promise: Promise, friday: datetime) -> str:
    answered = add(promise.calendar, friday, promise.first_response[1]).astimezone(friday.tzinfo)
    resolved = add(promise.calendar, friday, promise.resolution[1]).astimezone(friday.tzinfo)
    article = "an" if severity is Severity.URGENT else "a"
    return (
        f"  {article} {severity} ticket on Friday 16:50 must be answered by {_when(answered)}"
        f" and resolved by {_when(resolved)} (calendar {promise.calendar_name})"
    )


def _when(at: datetime) -> str:
    return at.strftime("%A %Y-%m-%d %H:%M")
