"""Outdials through a real PBX: which telephone rings when and shows whom, who hears whom, and how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy, Reject, Ring
from deploy.lab.sip import uri_of
from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState, OfferState
from routing.core.orders import (
    CancelOutdial,
    EndInteraction,
    FinishWrapUp,
    GoIdle,
    Hold,
    OnConsult,
    Reply,
    Resume,
    SignOut,
    StartConsult,
    StartOutdial,
    Transfer,
)
from tests.system.center import MUSIC_HZ, Center, tone_of

NUMBERS = ["1001", "1002"]
CUSTOMER_HZ = 2500
TYPED, DIALED = "+1 (201) 555-0123", "+12015550123"
SALES, DEFAULT = "+12015550101", "+12015550100"
RULES = f"""[profiles.default]
dial = {{ allowed = ["+1"] }}
outdial = true
dial_pad = true
outdial_anis = {{ Sales = "{SALES}" }}
outdial_to_queue = true
[numbers]
country = "1"
[outdial]
entry_point = "main"
default_ani = "{DEFAULT}"
agent_ring_timeout_s = 5
customer_ring_timeout_s = 4
"""
S = InteractionState


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    files = center(NUMBERS, ring_timeout_s=5, wrap_up='{ timeout_s = 30, default_reason = "Done" }')
    files["floor.toml"] = files["floor.toml"].replace("[profiles.default]\n", RULES)
    with Site(NUMBERS, files, pbx=pbx) as running:
        yield running


class Scene:
    """Agent 1001, and the customer's telephone behind the trunk."""

    def __init__(self, c: Center, customer: Phone) -> None:
        self.c, self.phone = c, customer
        self.customers: list[Call] = []
        self.mine: list[Call] = []
        self.id = ""

    def customer_does(self, policy: Policy) -> None:
        self.phone.on_invite = noting(self.customers, policy)

    def agent_does(self, policy: Policy) -> None:
        self.c.agents["1001"].on_invite = noting(self.mine, policy)

    async def start(self, **fields: Any) -> None:
        reply = await order(self.c.store, StartOutdial, agent_id="a1001", **({"number": TYPED} | fields))
        assert reply.code == "ok", reply
        self.id = str(reply.values["interaction_id"])

    async def do(self, kind: type, **fields: Any) -> Reply:
        reply = await order(self.c.store, kind, agent_id="a1001", interaction_id=self.id, **fields)
        assert reply.code == "ok", reply
        return reply

    async def reaches(self, state: InteractionState) -> None:
        def is_there(world: Any) -> bool:
            found = world.interactions.get(self.id)
            return bool(found and found.state is state and found.rooms_reached == found.rooms_version)

        await self.c.when(is_there)

    async def talk(self) -> tuple[Call, Call]:
        """Agent and customer, who hear each other."""
        await self.reaches(S.CONNECTED)
        mine, customer = self.mine[-1], self.customers[-1]
        await mine.hears(tone_of(customer))
        await customer.hears(tone_of(mine))
        return mine, customer

    async def failed(self) -> dict[str, object]:
        """What is told of the failure, once every telephone is quiet again."""
        await self.c.when(lambda s: self.id not in s.interactions)
        (told,) = [e for e in await self.c.events(EventType.OUTDIAL_FAILED) if e.interaction_id == self.id]
        (end,) = [e for e in await self.c.events(EventType.INTERACTION_ENDED) if e.interaction_id == self.id]
        assert end.values["failure"] == told.values["failure"]
        for call in (*self.mine, *self.customers):
            await call.ended()
        return told.values


def noting(calls: list[Call], policy: Policy) -> Policy:
    async def invited(call: Call) -> None:
        calls.append(call)
        await policy(call)

    return invited


@contextmanager
def patient(site: Site) -> Iterator[None]:
    """An agent's telephone rings longer than it takes to start a process on a busy machine."""
    usual = site.files["floor.toml"]
    apply(site, usual.replace("agent_ring_timeout_s = 5", "agent_ring_timeout_s = 30"))
    try:
        yield
    finally:
        apply(site, usual)


def apply(site: Site, floor: str) -> None:
    site.files["floor.toml"] = floor
    site.write_config()
    site.switchroom("apply", "--yes")


def shown_to(call: Call) -> str:
    """The caller's number in the INVITE that this telephone received."""
    assert call.invite is not None
    return unquote(uri_of(call.invite.get("From")).removeprefix("sip:").split("@")[0])


def play(site: Site, scene: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        c = Center(site)
        customer = await Phone.create("carrier", site.pbx.sip, "", CUSTOMER_HZ, site.pbx.carrier_port)
        try:
            await c.agent("1001")
            await c.when_free(["1001"])
            stage = Scene(c, customer)
            stage.agent_does(Answer(after=0.2))
            stage.customer_does(Answer(after=0.5))
            await asyncio.wait_for(scene(stage), 40)
        finally:
            await asyncio.gather(*(p.close() for p in (*c.callers, customer)), return_exceptions=True)
            await c.when(lambda s: not s.interactions, 15)
            for number in c.agents:
                await order(c.store, FinishWrapUp, agent_id=f"a{number}", reason="Done")
                await order(c.store, SignOut, agent_id=f"a{number}")
            await c.close()

    asyncio.run(evening())


RINGING_HZ = (440, 480)  # ITU-T E.180, North America


@pytest.mark.req("OUT-13", "OUT-08", "OUT-21", "STATE-14")
@pytest.mark.timeout(90)
def test_the_agent_is_rung_first_the_customer_sees_the_chosen_number_and_the_call_has_every_control(site: Site) -> None:
    async def scene(s: Scene) -> None:
        s.agent_does(Answer(after=1.0))
        await order(s.c.store, GoIdle, agent_id="a1001", reason="Lunch")
        await s.start(ani=SALES)
        await s.reaches(S.CALLING_CUSTOMER)
        await s.mine[0].hears(*RINGING_HZ)
        mine, customer = await s.talk()
        await mine.hears_not(*RINGING_HZ)
        assert customer.t["invite"] > mine.t["answered"]
        assert (shown_to(customer), shown_to(mine)) == (SALES, DIALED)
        await s.do(Hold)
        await s.reaches(S.HELD)
        await customer.hears(MUSIC_HZ)
        await s.do(Resume)
        await s.talk()
        await s.c.agent("1002")
        await s.c.when_free(["1002"])
        await s.do(StartConsult, to_agent="a1002")
        await s.reaches(S.CONSULTING)
        await mine.hears(tone_of(s.c.calls_of["1002"]))
        await s.do(OnConsult, action="end_consult")
        await s.do(Resume)
        await s.talk()
        await s.do(EndInteraction)
        await asyncio.gather(mine.ended(), customer.ended())
        await s.c.when_agent("1001", "wrap_up")
        await order(s.c.store, FinishWrapUp, agent_id="a1001", reason="Done")
        await s.c.when_agent("1001", "idle")
        assert (await s.c.state()).agents["a1001"].reason == "Lunch"

    play(site, scene)


@pytest.mark.req("OUT-12", "OUT-08", "SAFE-03")
def test_without_a_choice_the_default_number_is_shown_and_a_hostile_name_stays_a_name(site: Site) -> None:
    async def scene(s: Scene) -> None:
        await s.start(name='Eve" <sip:0@evil>\r\nAction: Originate\r\nx: {a}|b,c&d')
        mine, customer = await s.talk()
        assert (shown_to(customer), shown_to(mine)) == (DEFAULT, DIALED)
        assert len(s.mine) == len(s.customers) == 1
        await customer.hangup()
        await mine.ended()

    play(site, scene)


@pytest.mark.req("OUT-16", "OUT-17", "OUT-18", "OUT-19", "A24")
@pytest.mark.parametrize(
    ("agent", "customer", "failure", "outcome"),
    [
        (Reject(486), Answer(), "agent_declined", "busy"),
        (Reject(603), Answer(), "agent_declined", "rejected"),
        (Ring(), Answer(), "agent_declined", "no_answer"),
        (Answer(), Reject(404), "not_connected", "invalid"),
        (Answer(), Reject(503), "not_connected", "congestion"),
        (Answer(), Reject(486, after=0.3, ring=True), "customer_rejected", "busy"),
        (Answer(), Reject(603, after=0.3, ring=True), "customer_rejected", "rejected"),
        (Answer(), Ring(), "customer_no_answer", "no_answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_is_told_by_its_code_and_nobody_is_blamed(
    site: Site, agent: Policy, customer: Policy, failure: str, outcome: str
) -> None:
    async def scene(s: Scene) -> None:
        s.agent_does(agent)
        s.customer_does(customer)
        await s.start()
        told = await s.failed()
        assert (told["failure"], told["outcome"]) == (failure, outcome)
        assert bool(s.customers) == (failure != "agent_declined")
        await s.c.when_agent("1001", "available")

    play(site, scene)


@pytest.mark.req("OUT-15")
@pytest.mark.parametrize("state", [S.CALLING_AGENT, S.CALLING_CUSTOMER])
def test_a_canceled_outdial_stops_ringing_everywhere(site: Site, state: InteractionState) -> None:
    async def scene(s: Scene) -> None:
        s.customer_does(Ring())
        if state is S.CALLING_AGENT:
            s.agent_does(Ring())
        await s.start()
        await s.c.when(lambda _: s.customers if state is S.CALLING_CUSTOMER else s.mine)
        await s.do(CancelOutdial)
        for call in (*s.mine, *s.customers):
            await call.ended()
        assert bool(s.customers) == (state is S.CALLING_CUSTOMER)
        await s.c.when_agent("1001", "available")

    play(site, scene)


@pytest.mark.req("OUT-13", "OUT-15")
def test_the_command_line_places_an_outdial_and_gives_it_up(site: Site) -> None:
    async def scene(s: Scene) -> None:
        s.customer_does(Ring())
        await asyncio.to_thread(site.switchroom, "call", "outdial", "a1001", TYPED, "--ani", SALES, "--name", "Carla")
        await s.c.when(lambda _: s.customers)
        assert shown_to(s.customers[0]) == SALES
        await asyncio.to_thread(site.switchroom, "call", "cancel-outdial", "a1001")
        await asyncio.gather(s.mine[0].ended(), s.customers[0].ended())

    play(site, scene)


class SilentAtFirst:
    """A telephone that does not ring for its first call yet; the later ones are answered."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, call: Call) -> None:
        self.calls += 1
        if self.calls > 1:
            await Answer(after=0.2)(call)


@pytest.mark.req("OUT-20", "OUT-01", "A24")
def test_an_inbound_call_that_comes_before_the_telephone_rings_wins(site: Site) -> None:
    async def scene(s: Scene) -> None:
        s.agent_does(SilentAtFirst())
        await s.start()
        await s.c.when(lambda _: s.mine)
        caller = await s.c.caller()
        await s.c.when(lambda _: len(s.mine) == 2)
        await s.mine[0].ended()
        await caller.hears(tone_of(s.mine[1]))
        (told,) = [e for e in await s.c.events(EventType.OUTDIAL_FAILED) if e.interaction_id == s.id]
        assert told.values["failure"] == "lost_to_inbound"
        assert not s.customers
        await caller.hangup()

    play(site, scene)


@pytest.mark.req("XFER-13")
def test_an_outdial_goes_to_a_queue_where_the_profile_lets_it(site: Site) -> None:
    async def scene(s: Scene) -> None:
        await s.start()
        mine, customer = await s.talk()
        await s.do(Transfer, to_queue="general")
        await mine.ended()
        await customer.hears(MUSIC_HZ)
        await s.c.agent("1002")
        await s.c.when(lambda w: w.interactions[s.id].state is S.CONNECTED)
        await customer.hears(tone_of(s.c.calls_of["1002"]))
        await customer.hangup()
        await s.c.calls_of["1002"].ended()

    play(site, scene)


@pytest.mark.req("SAFE-01")
def test_an_outdial_survives_the_death_of_engine_and_connector_and_the_customer_is_dialed_once(site: Site) -> None:
    async def scene(s: Scene) -> None:
        are_dead = asyncio.Event()  # processes take their time on a busy machine, and he answers in between

        async def answer_then(call: Call) -> None:
            call.ringing()
            await are_dead.wait()
            call.answer()

        s.agent_does(answer_then)
        await s.start()
        # From here on the server knows that it rings; before, a dialing of unknown fate is given up as not connected.
        await s.c.when(lambda world: world.interactions[s.id].offers[0].state is OfferState.RINGING)
        site.kill("connector")
        site.kill("engine")
        are_dead.set()
        await s.mine[0].answered()
        site.start_process("connector")
        site.start_process("engine")
        await s.talk()
        assert len(s.mine) == len(s.customers) == 1
        await s.do(EndInteraction)
        await s.customers[0].ended()

    with patient(site):
        play(site, scene)
