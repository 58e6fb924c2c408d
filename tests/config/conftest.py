"""Configurations on disk."""

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
