"""Configurations on disk."""

import os
import shutil
import subprocess
from datetime import datetime

import pytest

from maild.config import ConfigError, load

SMALLEST = """
[desk]
address = "csm@example.com"
"""


@pytest.fixture
def write(tmp_path):
    def put(text=SMALLEST, name="maild.toml"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return put


@pytest.fixture
def read(write):
    """Load a file of that text, in an environment of our own."""

    def loaded(text=SMALLEST, **environment):
        return load(write(text), environment)

    return loaded


@pytest.fixture
def faults_of(write):
    """Give the faults of a file of that text."""

    def told(text, **environment):
        with pytest.raises(ConfigError) as caught:
            load(write(text), environment)
        return caught.value.faults

    return told


@pytest.fixture
def instant():
    return datetime.fromisoformat


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate that nobody signed, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(
            "openssl is missing: apt install openssl"
        )
    folder = tmp_path_factory.mktemp("pair")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=mx.example.com", "-out", folder / "cert.pem", "-keyout", folder / "key.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder / "cert.pem", folder / "key.pem"
