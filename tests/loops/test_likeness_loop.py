"""A reply without any threading header finds its ticket; a new mail of the same subject does not."""

SAID = "The export of our invoices stops after the first page since the update of last night."


async def test_a_reply_without_headers_joins(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", "Export of invoices", text=SAID)
        await on.intake.step()
        on.move(days=2)
        await on.arrive("dave@acme.example", "AW: [EXTERN] Export of invoices", text=f"Same here.\r\n\r\n> {SAID}")
        await on.intake.step()
        assert await on.tickets() == [1001]
        second = (await on.ledger.messages(1001))[1]
        assert "with the subject of ticket 1001 that quotes" in second.placed_because
        await on.arrive("carol@acme.example", "Export of invoices", text="Another question.")
        await on.arrive("carol@acme.example", "Fwd: Export of invoices", text=f"> {SAID}")
        await on.intake.step()
        assert await on.tickets() == [1001, 1002, 1003]


async def test_a_stranger_who_quotes_well_opens_a_ticket_of_his_own(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", "Export of invoices", text=SAID)
        await on.intake.step()
        await on.arrive("eve@elsewhere.example", "Re: Export of invoices", text=f"Tell me all.\r\n\r\n> {SAID}")
        await on.intake.step()
        assert await on.tickets() == [1001, 1002]
        assert "nearly joined" in [event.because for event in await on.ledger.events(1002)]
