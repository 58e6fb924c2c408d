"""`maild ticket cc`: an operator lets somebody in, and `maild show` says who gets what."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.cli.terms import configuration
from maild.store import Ledger, Record
from maild.ticket import Event

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
data_dir = "."
[[mailbox]]
address = "csm@desk.example"
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
"""


@pytest.fixture
def maild(tmp_path, monkeypatch, make_ticket):
    """Run a command on a ledger with one ticket, 1042, of Carol's, in which Dora takes part."""
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.delenv("SUDO_USER", raising=False)
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    ticket = make_ticket(participants=("carol@acme.example", "dora@acme.example"))
    born = Event(ticket.opened_at, "carol@acme.example", "opened", "a new mail", {"severity": "normal"})

    async def write():
        ledger = await Ledger.open(configuration(path).database_url)
        await ledger.record([Record(at=ticket.opened_at, ticket=ticket, events=(born,))])
        await ledger.close()

    asyncio.run(write())

    def run(*words):
        done = CliRunner().invoke(joined(), [*words, "-c", str(path)])
        return done.exit_code, done.output

    return run


def shown(maild):
    return json.loads(maild("show", "1042", "--json")[1])


def test_somebody_gets_copies_until_he_is_taken_out(maild):
    assert shown(maild)["copied"] == []
    code, said = maild("ticket", "cc", "1042", "Fred@partner.example")
    assert code == 0
    assert "CSM #1042: root let fred@partner.example take part: he gets a copy of every answer" in said
    value = shown(maild)
    assert value["participants"] == ["carol@acme.example", "dora@acme.example", "fred@partner.example"]
    assert value["copied"] == ["fred@partner.example"]
    page = maild("show", "1042")[1]
    assert "  with      dora@acme.example\n" in page
    assert "  with      fred@partner.example, gets a copy of every answer\n" in page
    assert "with      carol" not in page
    code, said = maild("ticket", "cc", "1042", "fred@partner.example", "--remove")
    assert (code, "root took fred@partner.example out" in said) == (0, True)
    assert shown(maild)["copied"] == []
    assert value["outbox"] == []


def test_a_name_may_stand_before_the_address(maild):
    assert maild("ticket", "cc", "1042", "Fred <fred@partner.example>")[0] == 0
    assert shown(maild)["copied"] == ["fred@partner.example"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("carol@acme.example",), "is the customer of ticket 1042"),
        (("csm+x@desk.example",), "of the desk or of an agent"),
        (("ann@staff.example",), "of the desk or of an agent"),
        (("fred",), "'fred' is no address: write it as name@domain"),
        (("fred@partner.example", "--remove"), "takes no part in ticket 1042; those who do: dora@acme.example"),
    ],
)
def test_what_cannot_be_is_refused(maild, words, why):
    code, said = maild("ticket", "cc", "1042", *words)
    assert (code, why in " ".join(said.split())) == (65, True)
