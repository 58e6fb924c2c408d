"""`maild ticket requester`: an operator says whose a ticket is."""

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
[[customer]]
domain = "gold.example"
name = "Gold"
csm = "ann"
policy = "gold"
[policy.gold.normal]
calendar = "always"
first_response = ["5m", "10m"]
resolution = ["20m", "30m"]
"""


@pytest.fixture
def maild(tmp_path, monkeypatch, make_ticket):
    """Run a command on a ledger with one ticket, 1042, of Carol's."""
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.delenv("SUDO_USER", raising=False)
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    ticket = make_ticket(participants=("carol@acme.example",))
    born = Event(ticket.opened_at, "ann", "opened", "ann forwarded it", {"severity": "normal"})

    async def write():
        ledger = await Ledger.open(configuration(path).database_url)
        await ledger.record([Record(at=ticket.opened_at, ticket=ticket, events=(born,))])
        await ledger.close()

    asyncio.run(write())

    def run(*words):
        done = CliRunner().invoke(joined(), [*words, "-c", str(path)])
        return done.exit_code, " ".join(done.output.split())

    return run


def shown(maild):
    return json.loads(maild("show", "1042", "--json")[1])


def test_a_ticket_goes_to_another_customer_and_back(maild):
    code, said = maild("ticket", "requester", "1042", "Dora@gold.example")
    assert code == 0
    assert "root made dora@gold.example the requester; it was carol@acme.example" in said
    assert "judged by the policy gold from its start" in said
    after = shown(maild)
    assert (after["requester"], after["participants"]) == ("Dora@gold.example", ["dora@gold.example"])
    assert after["assignee"] == "ann"
    first = next(clock for clock in after["clocks"] if clock["metric"] == "first_response")
    assert (first["calendar"], first["limit_at"][14:16]) == ("always", "10")

    assert maild("ticket", "undo", "1042")[0] == 0
    before = shown(maild)
    assert (before["requester"], before["participants"], before["assignee"]) == (
        "carol@acme.example",
        ["carol@acme.example"],
        None,
    )


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("carol@acme.example", "is the requester of ticket 1042 already"),
        ("csm@desk.example", "is an address of the desk itself"),
        ("carol", "'carol' is no address: write it as name@domain"),
        ("Carol <carol>", "is no address: write it as name@domain"),
        ("<a@x.example> <b@x.example>", "holds several addresses: give one"),
    ],
)
def test_what_cannot_be_is_refused(maild, address, why):
    code, said = maild("ticket", "requester", "1042", address)
    assert (code, why in said) == (65, True), said
    assert shown(maild)["requester"] == "carol@acme.example"


def test_a_name_may_stand_before_the_address(maild):
    code, said = maild("ticket", "requester", "1042", "Zed Zorn <zed@zed.example>")
    assert (code, "made zed@zed.example the requester" in said) == (0, True), said
