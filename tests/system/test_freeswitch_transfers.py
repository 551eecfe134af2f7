"""What docs/freeswitch.md tells about the transfer keys of telephones (CONS-14)."""

from __future__ import annotations

import pytest

from deploy.lab.site import Site, center
from routing.core.interaction import InteractionState
from tests.system.center import tone_of
from tests.system.trio import Trio, play

NUMBERS = ["1001", "1002", "1003"]
S = InteractionState


@pytest.mark.req("CONS-14")
def test_with_transfers_disabled_in_the_profile_as_the_guide_says_each_of_them_is_refused() -> None:
    async def scene(t: Trio) -> None:
        await t.c.agent("1003", sign_in=False)
        own = await (await t.c.agents["1001"].dial("1003")).answered()
        assert (await t.one.refer("1003", replaces=own)).status == 405
        assert (await t.one.refer("1003")).status == 405
        await t.caller.hears(tone_of(t.one))
        await own.hangup()
        await t.one.hears(tone_of(t.caller))
        assert (await t.c.state()).interactions[t.id].state is S.CONNECTED

    strict = Site(NUMBERS, center(NUMBERS, ring_timeout_s=5), pbx="freeswitch")
    sofia = strict.pbx.directory / "conf" / "sofia.conf.xml"
    settings = "<settings>\n"
    sofia.write_text(sofia.read_text().replace(settings, f'{settings}<param name="disable-transfer" value="true"/>\n'))
    with strict as site:
        play(site, scene)
