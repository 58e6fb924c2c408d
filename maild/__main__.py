"""`python -m maild` is the command `maild`."""

from maild.cli.app import main

main()
