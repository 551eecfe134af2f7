"""A supervisor in a live call on a real PBX, through kills of what runs it: who hears whom, judged by ear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.policies import Answer
from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.orders import ChangeSupervision, Hold, Order, Resume, StopSupervision, Supervise
from routing.core.supervision import SupervisionMode, SupervisionState
from tests.system.center import MUSIC_HZ, tone_of
from tests.system.trio import Trio, play

AGENTS, RITA = ["1001", "1002"], "1003"
M, S = SupervisionMode, InteractionState
pytestmark = pytest.mark.req("DESK-02")


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    files = center(AGENTS, ring_timeout_s=5)
    files["supervisors.toml"] = f'[supervisors.rita]\nname = "Rita"\nphone = "{RITA}"\nteams = ["floor"]\n'
    with Site([*AGENTS, RITA], files, pbx=pbx) as running:
        yield running


async def tell(t: Trio, kind: type[Order], **fields: Any) -> None:
    reply = await order(t.c.store, kind, interaction_id=t.id, **fields)
    assert reply.code == "ok", reply


async def is_active(t: Trio) -> None:
    def hears(world: object) -> bool:
        found = world.interactions[t.id].supervision  # type: ignore[attr-defined]
        return found is not None and found.state is SupervisionState.ACTIVE

    await t.c.when(hears)


async def listen(t: Trio, mode: SupervisionMode = M.MONITOR) -> Call:
    """Rita's telephone rings, and she hears."""
    await t.c.agent(RITA, Answer(), sign_in=False)
    await tell(t, Supervise, mode=mode, supervisor="rita")
    await is_active(t)
    return t.c.calls_of[RITA]


async def change(t: Trio, mode: SupervisionMode) -> None:
    await tell(t, ChangeSupervision, mode=mode)
    await is_active(t)


async def heard(t: Trio, rita: Call, mode: SupervisionMode) -> None:
    """Everybody hears whom he shall in that mode, and nobody else."""
    caller, one, her = tone_of(t.caller), tone_of(t.one), tone_of(rita)
    await rita.hears(caller, one)
    await t.one.hears(caller, *([] if mode is M.MONITOR else [her]))
    await t.caller.hears(one, *([her] if mode is M.BARGE else []))
    if mode is M.MONITOR:
        await t.one.hears_not(her, MUSIC_HZ)
    if mode is not M.BARGE:
        await t.caller.hears_not(her, MUSIC_HZ)


def test_she_monitors_whispers_and_barges_and_the_call_is_what_it_was(site: Site) -> None:
    async def scene(t: Trio) -> None:
        rita = await listen(t)
        await heard(t, rita, M.MONITOR)
        for mode in (M.WHISPER, M.BARGE, M.MONITOR):
            await change(t, mode)
            await heard(t, rita, mode)
        await t.do(Hold)
        await t.reaches(S.HELD)
        await rita.hears(tone_of(t.one))
        await rita.hears_not(tone_of(t.caller), MUSIC_HZ)
        await change(t, M.WHISPER)
        await t.one.hears(tone_of(rita))
        await t.caller.hears(MUSIC_HZ)
        await t.do(Resume)
        await t.reaches(S.CONNECTED)
        await heard(t, rita, M.WHISPER)
        await tell(t, StopSupervision)
        await rita.ended()
        await t.one.hears(tone_of(t.caller))
        await t.one.hears_not(tone_of(rita))
        assert len(await t.c.events(EventType.INTERACTION_BRIDGED)) == 1

    play(site, scene)


def test_she_goes_with_the_call_to_the_next_agent(site: Site) -> None:
    async def scene(t: Trio) -> None:
        rita = await listen(t, M.WHISPER)
        await t.consult()
        await rita.hears(tone_of(t.one), tone_of(t.two))
        await rita.hears_not(tone_of(t.caller), MUSIC_HZ)
        await t.act("complete_transfer")
        await t.one.ended()
        await is_active(t)
        await rita.hears(tone_of(t.caller), tone_of(t.two))
        await t.two.hears(tone_of(t.caller), tone_of(rita))
        await t.caller.hears(tone_of(t.two))
        await t.caller.hears_not(tone_of(rita), MUSIC_HZ)
        await t.caller.hangup()
        await rita.ended()

    play(site, scene)


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("mode", list(M))
@pytest.mark.parametrize("victim", ["connector", "engine"])
def test_whatever_is_killed_she_hears_on_and_is_obeyed_afterwards(
    site: Site, mode: SupervisionMode, victim: str
) -> None:
    async def scene(t: Trio) -> None:
        rita = await listen(t, mode)
        await heard(t, rita, mode)
        site.kill(victim)
        await heard(t, rita, mode)
        site.start_process(victim)
        await t.c.when(lambda s: all(s.links.values()), 15)
        await heard(t, rita, mode)
        await change(t, M.WHISPER if mode is M.BARGE else M.BARGE)
        await heard(t, rita, M.WHISPER if mode is M.BARGE else M.BARGE)
        await rita.hangup()
        await t.c.when(lambda s: s.interactions[t.id].supervision is None)
        await t.one.hears(tone_of(t.caller))
        await t.caller.hears(tone_of(t.one))

    play(site, scene)


@pytest.mark.req("SAFE-01")
def test_who_hangs_up_while_no_connector_runs_has_left_when_it_is_back(site: Site) -> None:
    async def scene(t: Trio) -> None:
        rita = await listen(t, M.BARGE)
        site.kill("connector")
        await rita.hangup()
        site.start_process("connector")
        await t.c.when(lambda s: s.interactions[t.id].supervision is None, 15)
        await t.one.hears(tone_of(t.caller))
        await t.reaches(S.CONNECTED)
        await t.do(Hold)
        await t.reaches(S.HELD)
        await t.caller.hears(MUSIC_HZ)

    play(site, scene)
