"""`python -m maild` is the command `maild`, and so is the script of an installation."""

import contextlib
import gc
import os
import sys

import maild.cli.giver  # noqa: F401 - first of all


def _deliver() -> None:
    """Run `deliver`. Whatever goes wrong, an upgrade under way or no memory, the mail server is to try again."""
    gc.disable()  # it ends within the second
    try:
        from maild.cli import deliver  # noqa: PLC0415 - here and nowhere else

        deliver.main()
    except SystemExit:
        raise
    except BaseException as fault:  # noqa: BLE001 - the edge: a mail server bounces on what Python ends with
        with contextlib.suppress(OSError):
            os.write(2, f"4.3.0 {type(fault).__name__}: {fault}\n".encode("utf-8", "replace"))
        os._exit(75)


def main() -> None:
    """Run a command. A mail server starts `deliver` for each mail, so that one imports no other command."""
    if sys.argv[1:2] == ["deliver"]:
        _deliver()
    # What is imported stays: to search it for garbage meanwhile is a sixth of the start.
    gc.disable()
    from maild.cli import app  # noqa: PLC0415 - likewise

    gc.enable()
    app.main()


if __name__ == "__main__":  # a worker process imports this module again
    main()
