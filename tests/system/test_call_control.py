"""Consult, conference and transfer on a real PBX: who hears whom, judged by ear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.policies import Answer, Ring
from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState, Role
from routing.core.orders import Hold, Invite, Resume, SendDigits, Transfer
from tests.system.center import MUSIC_HZ, tone_of
from tests.system.trio import Trio, play

NUMBERS = ["1001", "1002", "1003"]
S = InteractionState


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS, ring_timeout_s=5), pbx=pbx) as running:
        yield running


@pytest.mark.req("HOLD-02", "HOLD-03", "HOLD-06", "HOLD-07", "HOLD-08", "CONSROLE-02", "CONSROLE-11")
def test_consult_and_toggle_as_everybody_hears_it(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.together(t.one, t.two)
        await t.alone(t.caller, music=True)
        await t.do(Resume)
        await t.reaches(S.CONSULT_HELD)
        await t.together(t.caller, t.one)
        await t.alone(t.two, music=True)
        await t.act("resume_consult")
        await t.reaches(S.CONSULTING)
        await t.together(t.one, t.two)
        await t.act("end_consult")
        await t.two.ended()
        await t.do(Resume)
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))
        await t.c.when_agent("1002", "available")

    play(site, scene)


@pytest.mark.req("CONF-02", "CONSROLE-08", "CONFROLE-02", "CONFROLE-12", "CONFROLE-13")
def test_a_conference_of_three_and_back_to_two(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.act("conference")
        await t.reaches(S.CONFERENCE)
        await t.together(t.caller, t.one, t.two)
        await t.act("exit_conference", "a1002")
        await t.two.ended()
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.one.hears(tone_of(t.caller))

    play(site, scene)


@pytest.mark.req("ACT-02")
def test_an_agent_sends_digits_and_the_customers_telephone_receives_them(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.do(SendDigits, digits="42#*A")
        await t.caller.has_digits("42#*A", within=4)
        await t.c.when(lambda s: not s.interactions[t.id].asked_digits)
        (sent,) = await t.c.events(EventType.DIGITS_SENT)
        assert (sent.agent_id, sent.values["digits"]) == ("a1001", "42#*A")
        await t.caller.hears(tone_of(t.one))

    play(site, scene)


@pytest.mark.req("CONF-07")
def test_an_invited_agent_joins_without_the_customer_being_held(site: Site) -> None:
    async def scene(t: Trio) -> None:
        t.c.set_policy("1002", Answer(after=0.7))
        await t.do(Invite, to_agent="a1002")
        await t.c.when(lambda _: "1002" in t.c.calls_of)
        await t.caller.hears(tone_of(t.one))
        await t.reaches(S.CONFERENCE)
        await t.together(t.caller, t.one, t.two)

    play(site, scene)


@pytest.mark.req("CONSROLE-07", "CONSROLE-15", "CONF-05", "CONFROLE-07", "CONFROLE-14")
@pytest.mark.parametrize("through", ["consult", "conference"])
def test_the_consulted_agent_takes_the_call_over(site: Site, through: str) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        if through == "conference":
            await t.act("conference")
            await t.reaches(S.CONFERENCE)
        await t.act("complete_transfer")
        await t.one.ended()
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.two))
        await t.two.hears(tone_of(t.caller))
        await t.caller.hears_not(MUSIC_HZ)
        state = await t.c.state()
        assert state.interactions[t.id].role_of("a1002") is Role.OWNER
        await t.caller.hangup()
        await t.two.ended()

    play(site, scene)


@pytest.mark.req("CONSROLE-10", "CONFROLE-09")
@pytest.mark.parametrize("state", [S.CONSULTING, S.CONFERENCE])
def test_agent_1_hangs_up_his_phone_and_everybody_is_released(site: Site, state: InteractionState) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        if state is S.CONFERENCE:
            await t.act("conference")
            await t.reaches(S.CONFERENCE)
        await t.one.hangup()
        await t.caller.ended()
        await t.two.ended()

    play(site, scene)


@pytest.mark.req("CONSROLE-03", "CONSROLE-14", "CONSROLE-17")
def test_agent_2_hangs_up_and_the_call_goes_on_then_the_customer_leaves_and_it_is_over(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.two.hangup()
        await t.reaches(S.HELD)
        await t.alone(t.caller, music=True)
        await t.alone(t.one, music=False)
        await t.do(Resume)
        await t.reaches(S.CONNECTED)
        await t.caller.hears(tone_of(t.one))
        await t.caller.hangup()
        await t.one.ended()

    play(site, scene)


@pytest.mark.req("XFER-01", "XFER-08")
@pytest.mark.parametrize("accepted", [True, False])
def test_a_blind_transfer_to_an_agent(site: Site, accepted: bool) -> None:
    async def scene(t: Trio) -> None:
        if not accepted:
            t.c.set_policy("1002", Ring())
        await t.do(Transfer, to_agent="a1002")
        await t.one.ended()
        if accepted:
            await t.reaches(S.CONNECTED)
            await t.caller.hears(tone_of(t.two))
            await t.two.hears(tone_of(t.caller))
        else:
            await t.caller.hears(MUSIC_HZ)
            await t.caller.ended(within=8)
            await t.c.when_agent("1002", "rona")

    play(site, scene)


@pytest.mark.req("XFER-02")
def test_a_transfer_to_a_queue_waits_there_with_music_and_is_answered(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.do(Transfer, to_queue="help")
        await t.one.ended()
        await t.caller.hears(MUSIC_HZ)
        await t.c.agent("1003")
        await (await t.c.pair(t.caller)).hear_each_other()
        assert t.c.calls_of["1003"].state == "answered"

    play(site, scene)


@pytest.mark.req("SAFE-01")
def test_a_conference_survives_the_death_of_engine_and_connector(site: Site) -> None:
    async def scene(t: Trio) -> None:
        await t.consult()
        await t.act("conference")
        await t.reaches(S.CONFERENCE)
        site.kill("connector")
        site.kill("engine")
        await t.together(t.caller, t.one, t.two)
        site.start_process("connector")
        site.start_process("engine")
        await t.c.when(lambda s: s.links.get(site.node.id))
        await t.together(t.caller, t.one, t.two)
        await t.act("exit_conference", "a1002")
        await t.two.ended()
        await t.do(Hold)
        await t.reaches(S.HELD)
        await t.alone(t.caller, music=True)

    play(site, scene)
