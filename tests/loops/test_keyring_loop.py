"""Signing keys that an operator changes are taken over between two decisions."""

import asyncio
from dataclasses import replace

from maild.keyring import Keyring
from maild.threading.token import Purpose, mint


async def test_what_changed_is_taken_over_and_nothing_else(stage):
    async with stage() as on:
        worked_with = [on.shop]
        keyring = Keyring(on.ledger, lambda: worked_with[-1], worked_with.append)
        await keyring.look()
        assert len(worked_with) == 1
        await on.ledger.rotate("token", on.time[0])
        await keyring.look()
        await keyring.look()
        before, after = worked_with
        assert after.office.keys[1:] == before.office.keys
        assert replace(after, office=replace(after.office, keys=before.office.keys)) == before


async def test_it_waits_for_the_end_of_a_decision(stage):
    async with stage() as on:
        keyring = Keyring(on.ledger, lambda: on.shop, lambda shop: setattr(on, "shop", shop))
        await on.ledger.rotate("token", on.time[0])
        running = asyncio.create_task(keyring.run())
        async with on.shop.deciding():
            keyring.wake.set()
            await asyncio.sleep(0.2)
            assert len(on.shop.office.keys) == 1
        while len(on.shop.office.keys) == 1:  # noqa: ASYNC110 - the test has a time limit
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_mail_to_a_retired_token_still_finds_its_ticket(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", "Export of invoices", msgid="first@acme.example")
        await on.intake.step()
        token = mint(on.shop.office.keys[0], 1001, "carol@acme.example", Purpose.CUSTOMER)
        await on.ledger.rotate("token", on.time[0])
        await on.ledger.retire("token", 1, on.time[0])
        keyring = Keyring(on.ledger, lambda: on.intake.shop, on.intake.refit)
        await keyring.look()
        to = (f"csm+{token}@desk.example",)
        await on.arrive("carol@acme.example", "Re: Export of invoices", to=to, In_Reply_To="<first@acme.example>")
        await on.arrive("eve@elsewhere.example", "Tell me", to=to)
        await on.intake.step()
        second = (await on.ledger.messages(1001))[1]
        assert "<first@acme.example>, which is in the ticket" in second.placed_because
        assert [event.data for event in await on.ledger.events(1002) if event.what == "linked"] == [{"to": 1001}]
