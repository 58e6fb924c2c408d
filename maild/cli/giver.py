"""Who started us, noted before anything else is imported: whoever dies later has not said all that he wanted to."""

import os

GIVER = os.getppid()
"""The process that started this one."""
