"""How a command speaks and ends: what it prints, and its exit codes (sysexits.h)."""

import contextlib
import sys
from enum import IntEnum
from typing import NoReturn

import typer


class Exit(IntEnum):
    """The codes that scripts may rely on."""

    OK = 0
    USAGE = 64
    DATA = 65
    NO_INPUT = 66
    NO_USER = 67
    UNAVAILABLE = 69
    TRY_AGAIN = 75
    CONFIG = 78


def fail(code: Exit, *lines: str) -> NoReturn:
    """Say what is wrong on stderr and end."""
    remark(*lines)
    raise typer.Exit(code)


def remark(*lines: str) -> None:
    """Print lines for people beside what scripts read; where nobody can hear them, the exit code says enough."""
    with contextlib.suppress(OSError):
        for line in lines:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command's voice


def say(line: str = "") -> None:
    """Print a line for people or scripts."""
    print(line, flush=True)  # noqa: T201 - the command's voice
