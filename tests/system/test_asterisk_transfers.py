"""What docs/asterisk.md tells about the transfer keys of telephones (CONS-14)."""

from __future__ import annotations

import pytest

from deploy.lab.site import Site, center
from routing.core.interaction import InteractionState
from tests.system.center import tone_of
from tests.system.trio import Trio, play

NUMBERS = ["1001", "1002", "1003"]
S = InteractionState


@pytest.mark.req("CONS-14")
def test_with_allow_transfer_off_as_the_guide_says_an_attended_one_is_refused_too() -> None:
    async def scene(t: Trio) -> None:
        await t.c.agent("1003", sign_in=False)
        own = await (await t.c.agents["1001"].dial("1003")).answered()
        assert (await t.one.refer("1003", replaces=own)).status >= 400
        await t.caller.hears(tone_of(t.one))
        await own.hangup()
        await t.one.hears(tone_of(t.caller))
        assert (await t.c.state()).interactions[t.id].state is S.CONNECTED

    strict = Site(NUMBERS, center(NUMBERS, ring_timeout_s=5))
    pjsip = strict.pbx.directory / "etc" / "pjsip.conf"
    busy = "device_state_busy_at = 1\n"
    pjsip.write_text(pjsip.read_text().replace(busy, f"{busy}allow_transfer = no\n"))
    with strict as site:
        play(site, scene)
