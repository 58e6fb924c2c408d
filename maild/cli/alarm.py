"""`maild alarm`: the second way to people, tried by hand."""

import asyncio

import typer

from maild.alarm import LOG, shown, tell
from maild.cli.ending import Exit, fail, say
from maild.cli.terms import ConfigOption, configuration
from maild.clock import utc_now
from maild.daemon import siren
from maild.desk.alarm import SILENT
from maild.desk.alarm_told import report
from maild.outbound.gate import clean

app = typer.Typer(no_args_is_help=True, help="The second way to people, when no mail can leave.")

_LONGEST = 1000


@app.callback()
def alarm() -> None:
    """Keep `test` a word of its own."""


@app.command("test")
def sound(config: ConfigOption = None) -> None:
    """Sound the alarm as a test, by every way that is configured, and say what came back."""
    loaded = configuration(config, secrets=True)
    told = siren(loaded)
    ways = [ear for ear in told.ears if ear != LOG]
    if not ways:
        fail(Exit.CONFIG, f"{loaded.path}: there is no second way: set alarm.command or alarm.url_file")
    now = utc_now()
    word = report("test", SILENT, None, (told.name, told.address), told.host, now)
    failed = 0
    for way in ways:
        outcome = asyncio.run(tell(told, way, word))
        failed += not outcome.taken
        verdict = "ok  " if outcome.taken else "fail"
        # A program's or a server's words may drive a terminal.
        say(
            f"{verdict}  alarm.{'command' if way == 'command' else 'url_file'}: {shown(told, way)}: {clean(outcome.words, _LONGEST)}"
        )
    if failed:
        fail(Exit.UNAVAILABLE, f"{loaded.path}: {failed} of {len(ways)} failed")
