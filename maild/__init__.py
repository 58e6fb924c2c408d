"""maild: the help desk that lives in the mail server."""

__version__ = "0.1.0"
