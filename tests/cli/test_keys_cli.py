import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.cli.terms import configuration
from maild.mail import Outgoing
from maild.store import Ledger, Record
from maild.ticket import State

CONFIG = """
[desk]
address = "csm@desk.example"
data_dir = "."
"""


@pytest.fixture
def desk(tmp_path, monkeypatch, make_ticket):
    """A ledger with one key and one open ticket that was written of under it."""
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    then = datetime.now(UTC) - timedelta(days=1)

    async def write():
        ledger = await Ledger.open(configuration(path).database_url)
        (key,) = await ledger.secrets("token", now=then)
        owed = Outgoing("ack:1042", "ack", 1042, "", "c@x.example", "1@x", b"x", then)
        await ledger.record([Record(at=then, ticket=make_ticket(state=State.OPEN), outgoing=(owed,))])
        await ledger.close()
        return key

    return path, asyncio.run(write())


def run(desk, *words, code=0):
    result = CliRunner().invoke(joined(), ["keys", *words, "-c", str(desk[0])])
    assert result.exit_code == code, (result.output, result.exception)
    assert desk[1].hex() not in result.output
    assert str(desk[1]) not in result.output
    return result.output


def states(desk):
    return [(line["id"], line["state"]) for line in map(json.loads, run(desk, "list", "--json").splitlines())]


def test_a_life_of_keys(desk):
    assert states(desk) == [(1, "signs")]
    assert "2 signs from now on" in run(desk, "rotate")
    assert states(desk) == [(2, "signs"), (1, "good")]
    said = run(desk, "retire", "1", code=65)
    assert "written of while it signed: 1" in said
    assert "--yes" in said
    assert states(desk) == [(2, "signs"), (1, "good")]
    assert "1 is retired" in run(desk, "retire", "1", "--yes")
    assert states(desk) == [(2, "signs"), (1, "retired")]
    assert "retired already" in run(desk, "retire", "1", code=65)
    shown = run(desk, "list").splitlines()
    assert shown[0].split()[:2] == ["id", "state"]
    assert len(shown) == 3


def test_a_key_under_which_nothing_was_written_goes_without_a_word(desk):
    run(desk, "rotate")
    run(desk, "rotate")
    assert "while it signed: 0" in run(desk, "retire", "2")


def test_the_one_that_signs_stays(desk):
    assert "make a new one first" in run(desk, "retire", "1", "--yes", code=65)
    assert "there is no key 7" in run(desk, "retire", "7", code=65)
    assert states(desk) == [(1, "signs")]


@pytest.mark.parametrize("number", ["abc", "1.5", "9" * 19])
def test_what_is_no_number_is_said_in_words(desk, number):
    assert f"'{number}' is no number: write the one that is shown for it" in run(desk, "retire", number, code=64)


def test_a_line_for_scripts(desk):
    line = json.loads(run(desk, "list", "--json"))
    assert set(line) == {"id", "created_at", "retired_at", "state"}
    assert line["created_at"].endswith("Z")


def test_without_a_ledger(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG.replace('"."', '"nowhere"'), "utf-8")
    result = CliRunner().invoke(joined(), ["keys", "rotate", "-c", str(path)])
    assert result.exit_code == 69
