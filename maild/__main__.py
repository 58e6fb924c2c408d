"""`python -m maild` is the command `maild`, and so is the script of an installation."""

import gc
import sys

import maild.cli.giver  # noqa: F401 - first of all


def main() -> None:
    """Run a command. A mail server starts `deliver` for each mail, so that one imports no other command."""
    if sys.argv[1:2] == ["deliver"]:
        gc.disable()  # it ends within the second
        from maild.cli import deliver  # noqa: PLC0415 - here and nowhere else

        deliver.main()
    from maild.cli import app  # noqa: PLC0415 - likewise

    app.main()


if __name__ == "__main__":  # a worker process imports this module again
    main()
