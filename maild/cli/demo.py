"""`maild demo`: the whole story, on a temporary ledger, with every mail over a real socket and a clock that is moved on."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from maild.cli.demo_stage import PATIENCE, Sink, StageClock, body, send, written
from maild.cli.ending import Exit, fail
from maild.cli.ticket import decide
from maild.config import Config, load
from maild.daemon import Daemon, running
from maild.desk import Step
from maild.outbound.wording import promised, span
from maild.sla.clock import Clock, ClockState
from maild.ticket import Ticket

START = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
"""A Wednesday morning, so that the desk is open."""

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
reference = "CSM"
time_zone = "Europe/Berlin"
data_dir = "."
[[mailbox]]
address = "csm@desk.example"
team = ["ann", "bob"]
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
[[agent]]
id = "bob"
name = "Bob Lead"
address = "bob@staff.example"
role = "lead"
[[customer]]
domain = "acme.example"
name = "Acme"
[smtp]
listen = "127.0.0.1:0"
[relay]
host = "127.0.0.1"
port = {port}
[auth]
authserv_id = "mx.demo.example"
[[escalation]]
clock = "first_response"
at = "target"
notify = ["assignee"]
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["assignee", "lead"]
"""

OUTAGE = """Hello,

since ten minutes nobody can pay: the checkout is down for all our customers.
Every order fails with error 500. Please help!

Carol Jones, Acme
"""

QUESTION = """Hi,

could you tell me where I find last month's invoice as a PDF?

Thanks, Dave
"""

ANSWER = """Hello Carol,

we have found the cause: an expired certificate. It is renewed, and payments work again.
Please tell me if you still see errors.

Ann
"""


def demo(
    keep: Annotated[Path | None, typer.Option(help="Leave the ledger and all mails in this folder")] = None,
) -> None:
    """Show the main job end to end: two mails come in, one is answered and resolved in time, the other is breached and escalated."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began = time.monotonic()
    try:
        if keep is None:
            with tempfile.TemporaryDirectory(prefix="maild-demo-") as folder:
                asyncio.run(_story(Path(folder)))
        else:
            keep.mkdir(parents=True, exist_ok=True)
            if (keep / "maild.db").exists():
                fail(Exit.USAGE, f"{keep} holds a ledger already: name an empty folder")
            asyncio.run(_story(keep.resolve()))
    except (TimeoutError, OSError) as error:
        fail(Exit.UNAVAILABLE, f"the demo could not go on: {error}")
    console = Console()
    console.print(Text(f"\nThe whole story took {time.monotonic() - began:.1f} s.", style="dim"))
    if keep is not None:
        console.print(Text(f"Ledger and mails are in {keep}; look with: maild show 1001 -c {keep / 'maild.toml'}"))


async def _story(folder: Path) -> None:
    mails = folder / "mails"
    mails.mkdir(exist_ok=True)
    sink = Sink(mails)
    path = folder / "maild.toml"
    path.write_text(CONFIG.format(port=await sink.start()), "utf-8")
    clock = StageClock(START)
    try:
        config = load(path)
        async with running(config, clock.now) as daemon:
            await _Story(daemon, config, clock, sink).tell()
    finally:
        sink.stop()


class _Story:
    def __init__(self, daemon: Daemon, config: Config, clock: StageClock, sink: Sink) -> None:
        self._daemon = daemon
        self._config = config
        self._clock = clock
        self._sink = sink
        self._port = daemon.addresses[0][1]
        self._console = Console()

    async def tell(self) -> None:
        outage = await self._customers_write()
        await self._agent_answers(outage)
        await self._operator_resolves()
        await self._nobody_answers()
        await self._table()

    async def _customers_write(self) -> EmailMessage:
        self._says("Carol of Acme mails csm@desk.example over SMTP: the checkout is down.")
        carol = "Carol Jones <carol@acme.example>"
        await self._send(
            written(carol, "csm@desk.example", "URGENT: checkout down for everybody", OUTAGE, self._clock.now()),
            "carol@acme.example",
        )
        ack = await self._sink.wait("the acknowledgement", lambda rcpt, _: rcpt == "carol@acme.example")
        self._mail("The acknowledgement, as Carol sees it", ack)
        notice = await self._sink.wait(
            "Ann's notification", lambda rcpt, mail: rcpt == "ann@staff.example" and "checkout" in str(mail["Subject"])
        )
        self._mail("The notification in Ann's ordinary mail client", notice)
        dave = "Dave Miller <dave@globex.example>"
        await self._moves(timedelta(seconds=30))
        self._says("Dave mails a question, half a minute later.")
        await self._send(
            written(dave, "csm@desk.example", "Where is my invoice?", QUESTION, self._clock.now()),
            "dave@globex.example",
        )
        await self._sink.wait("the acknowledgement", lambda rcpt, _: rcpt == "dave@globex.example")
        return notice

    async def _agent_answers(self, notice: EmailMessage) -> None:
        await self._moves(timedelta(minutes=6))
        self._says(
            "Six minutes later Ann hits reply in her mail client, which quotes everything and names her address."
        )
        quoted = "\n".join(f"> {line}" for line in body(notice).splitlines())
        text = f"{ANSWER}\nOn Wed, 11 Mar 2026 at 10:06, Ann Agent <ann@staff.example> wrote:\n{quoted}\n"
        reply = written(
            "Ann Agent <ann@staff.example>",
            str(notice["Reply-To"]),
            f"Re: {notice['Subject']}",
            text,
            self._clock.now(),
        )
        reply["In-Reply-To"] = str(notice["Message-ID"])
        reply["References"] = f"{notice['References']} {notice['Message-ID']}"
        await self._send(reply, "ann@staff.example", str(notice["Reply-To"]))
        relayed = await self._sink.wait(
            "the relayed reply", lambda rcpt, mail: rcpt == "carol@acme.example" and "certificate" in body(mail)
        )
        self._mail("The relayed reply, as Carol sees it: from the desk, without Ann's address", relayed)
        ticket = await self._ticket(1001)
        if ticket.first_response_at is None:
            raise TimeoutError("the first response was not recorded")
        taken = ticket.first_response_at - ticket.opened_at
        self._says(
            f"The first response is recorded after {span(int(taken.total_seconds()))} (limit 30m): {ticket.first_response_evidence}"
        )

    async def _operator_resolves(self) -> None:
        await self._moves(timedelta(minutes=14))
        self._says("Payments go through, so Ann resolves the ticket: maild ticket resolve 1001")
        decision = await decide(self._daemon.ledger, self._config, 1001, Step.RESOLVE, "ann", self._clock.now)
        self._says(f"CSM #1001: {decision.because}")

    async def _nobody_answers(self) -> None:
        await self._moves(timedelta(minutes=41))
        self._says("Nobody answers Dave. One hour is over: the target is missed, and the team is warned.")
        warning = await self._sink.wait(
            "the warning",
            lambda _, mail: "invoice" in str(mail["Subject"]) and "target" in str(mail["Subject"]).lower(),
        )
        self._says(f"Warning: {warning['Subject']}")
        await self._moves(timedelta(hours=3))
        self._says("Four hours are over: the limit is passed. That is a breach.")
        breach = await self._sink.wait(
            "the breach",
            lambda rcpt, mail: (
                rcpt == "bob@staff.example" and "BREACH" in str(mail["Subject"]) and "#1002" in str(mail["Subject"])
            ),
        )
        self._mail("The escalation, as Bob (the lead) sees it", breach)

    async def _table(self) -> None:
        table = Table(
            "ticket", "severity", "clock", "promised", "taken", "verdict", title="What was promised, met and missed"
        )
        for number in (1001, 1002):
            ticket = await self._ticket(number)
            for clock in await self._daemon.ledger.clocks(number):
                taken = span(clock.elapsed_seconds) if clock.elapsed_seconds is not None else "-"
                promises = " - ".join(dict.fromkeys(map(promised, (clock.target_seconds, clock.limit_seconds))))
                table.add_row(
                    f"#{number} {ticket.subject}",
                    ticket.severity,
                    clock.metric.replace("_", " "),
                    promises,
                    taken,
                    _verdict(clock),
                )
        self._console.print(table)

    async def _ticket(self, number: int) -> Ticket:
        await self._daemon.intake.caught_up()
        ticket = await self._daemon.ledger.ticket(number)
        if ticket is None:
            raise TimeoutError(f"there is no ticket {number}")
        return ticket

    async def _send(self, mail: EmailMessage, sender: str, rcpt: str = "csm@desk.example") -> None:
        await send(self._port, sender, rcpt, mail)

    async def _moves(self, by: timedelta) -> None:
        # What is on its way is first written down as sent, at the time at which it was.
        async with asyncio.timeout(PATIENCE):
            while any(line.state == "waiting" for line in await self._daemon.ledger.outbox()):  # noqa: ASYNC110 - the outbox tells nobody
                await asyncio.sleep(0.01)
        self._clock.move(by)
        self._daemon.watch.wake.set()
        self._daemon.outbox.wake.set()

    def _says(self, line: str) -> None:
        at = self._clock.now().strftime("%H:%M UTC")
        self._console.print(Text.assemble((f"{at}  ", "cyan"), line))

    def _mail(self, title: str, mail: EmailMessage) -> None:
        head = "\n".join(f"{name}: {mail[name]}" for name in ("From", "To", "Reply-To", "Subject") if mail[name])
        self._console.print(Panel(Text(f"{head}\n\n{body(mail)}"), title=title, title_align="left"))


def _verdict(clock: Clock) -> Text:
    if clock.state is ClockState.BREACHED:
        return Text("MISSED", style="bold red")
    if clock.state is ClockState.MET:
        return Text("met", style="green")
    return Text(str(clock.state), style="yellow")
