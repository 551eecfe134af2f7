"""Agents who press the transfer key of their own telephone, on a real PBX (CONS-14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from tests.system.center import MUSIC_HZ, tone_of
from tests.system.trio import Trio, play

NUMBERS = ["1001", "1002", "1003"]
S = InteractionState


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS, ring_timeout_s=5), pbx=pbx) as running:
        yield running


@pytest.mark.req("CONS-14")
@pytest.mark.parametrize("to", ["1003", "7001", "*63"])
def test_a_blind_transfer_by_the_telephone_is_refused_and_the_call_goes_on(site: Site, to: str) -> None:
    async def scene(t: Trio) -> None:
        await t.c.agent("1003", sign_in=False)
        await t.one.refer(to)
        await t.caller.hears_not(MUSIC_HZ)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))
        assert t.c.rung["1003"] == 0
        assert (await t.c.state()).interactions[t.id].state is S.CONNECTED

    play(site, scene)


@pytest.mark.req("CONS-14")
def test_an_attended_transfer_by_the_telephone_is_told_and_the_customer_stays_with_the_colleague(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.c.agent("1003", sign_in=False)
        own = await (await t.c.agents["1001"].dial("1003")).answered()
        before = len(await t.c.events(EventType.PBX_MISMATCH))
        await t.one.refer("1003", replaces=own)
        third = t.c.calls_of["1003"]
        await t.caller.hears(tone_of(third))
        await third.hears(tone_of(t.caller))
        await t.c.when(lambda s: t.id not in s.interactions)
        (told,) = (await t.c.events(EventType.PBX_MISMATCH))[before:]
        assert (told.agent_id, told.values["what"]) == ("a1001", "transferred by a telephone")
        await t.c.when_agent("1001", "available")
        await t.caller.hears(tone_of(third))
        await third.hangup()
        await t.caller.ended()

    play(site, scene)


@pytest.mark.req("CONS-14")
def test_a_customer_whom_a_telephone_puts_through_while_no_connector_runs_stays_with_the_colleague(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.c.agent("1003", sign_in=False)
        own = await (await t.c.agents["1001"].dial("1003")).answered()
        site.kill("connector")
        await t.one.refer("1003", replaces=own)
        third = t.c.calls_of["1003"]
        await t.caller.hears(tone_of(third))
        site.start_process("connector")
        await t.c.when(lambda s: t.id not in s.interactions)
        await t.c.when_agent("1001", "available")
        assert (t.caller.state, third.state) == ("answered", "answered")
        await t.caller.hears(tone_of(third))
        await third.hears(tone_of(t.caller))
        await third.hangup()
        await t.caller.ended()

    play(site, scene)
