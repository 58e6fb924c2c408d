"""Coverage-guided fuzzing of reading mail: docs/parsing.md says how to run it. pytest does not collect this file.

Seeds are the octets of a mail; a crash is an exception, which `parse` never raises itself: the faults that it catches
and turns into a defect count as crashes here. Slow inputs are written to the folder that SLOW names.
"""

import logging
import os
import sys
import time
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["maild"]):
    from maild.ingest.parse import parse

SLOW_SECONDS = 0.5
SLOW = Path(os.environ.get("SLOW", "slow"))


def one(octets: bytes) -> None:
    """Read one mail; raise where a fault was caught on the way, keep the octets where it took long."""
    begun = time.process_time()
    mail = parse(octets)
    seconds = time.process_time() - begun
    if seconds > SLOW_SECONDS:
        SLOW.mkdir(exist_ok=True)
        (SLOW / f"{seconds:.1f}-{sha256(octets).hexdigest()[:16]}").write_bytes(octets)
    faults = [one for one in mail.defects if "could not be parsed" in one]
    if faults:
        raise AssertionError(faults)
    if any("/" in file.name or not file.name for file in mail.attachments):
        raise AssertionError([file.name for file in mail.attachments])
    repr(mail).encode("utf-8")


logging.disable(logging.CRITICAL)
atheris.Setup(sys.argv, one)
atheris.Fuzz()
