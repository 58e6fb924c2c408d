"""`maild spam` on a ledger with two mails that a filter called so."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.mail import Envelope
from maild.store import Ledger, Record

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
SAID = "X-Spam-Flag: YES, says a trusted hop"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(
        '[desk]\naddress = "csm@desk.example"\ndata_dir = "data"\n'
        '[[agent]]\nid = "ann"\naddress = "ann@staff.example"\n[[mailbox]]\naddress = "csm@desk.example"\n',
        "utf-8",
    )
    (tmp_path / "data").mkdir()
    return path


def on_ledger(config, work):
    async def opened():
        ledger = await Ledger.open(f"sqlite://{config.parent}/data/maild.db")
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(opened())


@pytest.fixture
def ids(config):
    async def fill(ledger):
        env = Envelope("x@odd.example", ("csm@desk.example",), "smtp", "127.0.0.1", NOW)
        ids = [found[0] for found in await ledger.accept([(env, b"one"), (env, b"two"), (env, b"three")])]
        await ledger.take(9, now=NOW)
        settled = [Record(at=NOW, received_id=one, settled="spam", because=SAID) for one in ids[:2]]
        await ledger.record([*settled, Record(at=NOW, received_id=ids[2], because="done")])
        return ids

    return on_ledger(config, fill)


def run(config, *words, code=0):
    result = CliRunner().invoke(joined(), ["spam", *words, "-c", str(config)])
    assert result.exit_code == code, result.output
    return result


def states(config):
    async def read(ledger):
        return [(line.state, line.because) for line in reversed(await ledger.received())]

    return on_ledger(config, read)


def test_the_list_tells_the_verdict(config, ids):
    lines = [json.loads(line) for line in run(config, "list", "--json").stdout.splitlines()]
    assert [(line["id"], line["state"], line["because"]) for line in lines] == [
        (ids[1], "spam", SAID),
        (ids[0], "spam", SAID),
    ]
    assert "X-Spam-Fl" in run(config, "list").stdout


def test_one_is_looked_at_and_written_to_a_file(config, ids, tmp_path):
    assert json.loads(run(config, "show", str(ids[0]), "--json").stdout)["head"] == "one"
    run(config, "export", str(ids[0]), str(tmp_path / "one.eml"))
    assert (tmp_path / "one.eml").read_bytes() == b"one"
    assert "is not on the list of spam" in run(config, "show", str(ids[2]), code=65).stderr


def test_one_is_released_and_one_given_up(config, ids):
    assert run(config, "release", str(ids[0])).stdout == f"{ids[0]} waits again\n"
    assert run(config, "drop", str(ids[1]), "--because", "spam indeed").stdout == f"{ids[1]} is dropped\n"
    assert states(config) == [("waiting", ""), ("dropped", "dropped by operator: spam indeed"), ("done", "done")]
    run(config, "release", str(ids[2]), code=65)


def test_all_are_released(config, ids):
    assert run(config, "release", "--all").stdout == f"{ids[0]} waits again\n{ids[1]} waits again\n"

    async def taken(ledger):
        return [received.no_spam for received in await ledger.take(9, now=NOW)]

    assert on_ledger(config, taken) == [True, True]
