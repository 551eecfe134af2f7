"""The PBX contract: who listens hears what he shall, and is heard by nobody else (DESK-02)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from routing.core.commands import Ear, HeardBy, Room, SetRooms
from routing.core.facts import EarsReached, EarsRefused, EndedBy, LegAnswered, LegEnded, RoomsReached, RoomsRefused
from tests.contract.pbx_lab import IncomingCall, LabCaller, PartyState, PbxLab
from tests.contract.pbx_suite import connect, dial, ended, hang_up, in_lab_with, new_id, of, reach, room

AGENT, SUPERVISOR, SECOND = "1001", "1002", "1003"
# His own way to where he listens, where a PBX counts it; to part and join caller and agent would take two at least.
HIS_OWN = 1
NOBODY, LEG, ROOM = HeardBy.NOBODY, HeardBy.LEG, HeardBy.ROOM


@dataclass(slots=True)
class Call:
    """A caller and an agent who talk, and a supervisor whose telephone is up."""

    lab: PbxLab
    id: str
    caller: LabCaller
    agent: str
    supervisor: str
    version: int = 1
    ears_version: int = 0

    @property
    def talk(self) -> Room:
        return room("main", self.caller.leg_id, self.agent)

    @property
    def held(self) -> tuple[Room, ...]:
        return room("main", self.caller.leg_id, music="default"), room("agent", self.agent)

    def order(self, wanted: tuple[Room, ...], ears: tuple[Ear, ...]) -> SetRooms:
        order = SetRooms(
            id=new_id("cmd"),
            pbx=self.lab.pbx,
            interaction_id=self.id,
            version=self.version,
            rooms=wanted,
            ears=ears,
            ears_version=self.ears_version,
        )
        self.lab.port.submit(order)
        return order

    async def listen(self, heard_by: HeardBy, *wanted: Room, at: str | None = None) -> None:
        """The same rooms, and the supervisor at the agent, or at whom `at` says; both confirmed."""
        since = len(self.lab.facts)
        self.ears_version += 1
        ear = Ear(leg=self.supervisor, hears=self.agent if at is None else at, heard_by=heard_by)
        self.order(wanted or (self.talk,), (ear,))
        await self.lab.wait_fact(RoomsReached, since=since, interaction_id=self.id, version=self.version)
        await self.lab.wait_fact(EarsReached, since=since, interaction_id=self.id, version=self.ears_version)

    async def hear(self, *, caller: str = "", agent: str = "", supervisor: str = "") -> None:
        """Whom each of them hears: letters of caller, agent, supervisor; m is music."""
        people = {"c": self.caller, "a": self.lab.phone(AGENT), "s": self.lab.phone(SUPERVISOR)}
        for name, heard in (("c", caller), ("a", agent), ("s", supervisor)):
            if heard == "m":
                await self.lab.hears_music(people[name])
            else:
                await self.lab.hears(people[name], *(people[one] for one in heard))


async def supervised(lab: PbxLab, **of_agent: str) -> Call:
    caller = await lab.call_in(IncomingCall())
    interaction_id = new_id("int")
    agent = await connect(lab, lab.phone(AGENT), interaction_id=interaction_id, **of_agent)
    await reach(lab, interaction_id, 1, room("main", caller.leg_id, agent))
    supervisor = await connect(lab, lab.phone(SUPERVISOR), interaction_id=interaction_id)
    return Call(lab, interaction_id, caller, agent, supervisor)


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_who_monitors_hears_both_and_nobody_hears_him(lab: PbxLab) -> None:
    call = await supervised(lab)
    await lab.settle()
    moves = lab.moves
    await call.listen(NOBODY)
    await call.hear(caller="a", agent="c", supervisor="ca")
    assert lab.moves - moves <= HIS_OWN
    assert not of(lab, RoomsRefused, EarsRefused)


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_the_agent_alone_hears_who_whispers(lab: PbxLab) -> None:
    call = await supervised(lab)
    await lab.settle()
    moves = lab.moves
    await call.listen(LEG)
    await call.hear(caller="a", agent="cs", supervisor="ca")
    assert lab.moves - moves <= HIS_OWN


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_all_hear_who_barges_in(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(ROOM)
    await call.hear(caller="as", agent="cs", supervisor="ca")


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_a_supervisor_goes_from_each_mode_into_each_other(lab: PbxLab) -> None:
    call = await supervised(lab)
    heard = {
        NOBODY: {"caller": "a", "agent": "c", "supervisor": "ca"},
        LEG: {"caller": "a", "agent": "cs", "supervisor": "ca"},
        ROOM: {"caller": "as", "agent": "cs", "supervisor": "ca"},
    }
    for mode in (NOBODY, LEG, ROOM, NOBODY, ROOM, LEG, NOBODY):
        await call.listen(mode)
        await call.hear(**heard[mode])
    assert call.caller.state is PartyState.UP


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_on_hold_he_hears_the_agent_and_after_it_both(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(NOBODY)
    call.version = 2
    await call.listen(NOBODY, *call.held)
    await call.hear(caller="m", agent="", supervisor="a")
    call.version = 3
    await call.listen(NOBODY)
    await call.hear(caller="a", agent="c", supervisor="ca")


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize("mode", [LEG, ROOM])
def test_on_hold_the_agent_goes_on_to_hear_who_speaks_to_him(in_lab: object, mode: HeardBy) -> None:
    async def scenario(lab: PbxLab) -> None:
        call = await supervised(lab)
        await call.listen(mode)
        call.version = 2
        await call.listen(mode, *call.held)
        await call.hear(caller="m", agent="s", supervisor="a")
        call.version = 3
        await call.listen(mode)
        await call.hear(caller="a" if mode is LEG else "as", agent="cs", supervisor="ca")

    in_lab(scenario, (AGENT, SUPERVISOR))  # type: ignore[operator]


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_who_is_on_hold_already_hears_who_begins_to_whisper(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(NOBODY)
    call.version = 2
    await call.listen(NOBODY, *call.held)
    await call.hear(caller="m", agent="", supervisor="a")
    await call.listen(LEG, *call.held)
    await call.hear(caller="m", agent="s", supervisor="a")
    call.version = 3
    await call.listen(NOBODY)
    await call.hear(caller="a", agent="c", supervisor="ca")


@in_lab_with(AGENT, SUPERVISOR, SECOND)
async def test_he_hears_the_consult_and_the_conference_of_the_agent(lab: PbxLab) -> None:
    call = await supervised(lab)
    second = await connect(lab, lab.phone(SECOND), interaction_id=call.id)
    await call.listen(NOBODY)
    call.version = 2
    waiting = room("main", call.caller.leg_id, music="default")
    await call.listen(NOBODY, waiting, room("agent", call.agent, second))
    await lab.hears_music(call.caller)
    await lab.hears(lab.phone(SUPERVISOR), lab.phone(AGENT), lab.phone(SECOND))
    await lab.hears(lab.phone(SECOND), lab.phone(AGENT))
    call.version = 3
    await call.listen(LEG, room("main", call.caller.leg_id, call.agent, second))
    await lab.hears(lab.phone(SUPERVISOR), lab.phone(AGENT), lab.phone(SECOND), call.caller)
    await lab.hears(lab.phone(AGENT), call.caller, lab.phone(SECOND), lab.phone(SUPERVISOR))
    await lab.hears(call.caller, lab.phone(AGENT), lab.phone(SECOND))
    await lab.hears(lab.phone(SECOND), call.caller, lab.phone(AGENT))


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR, SECOND)
async def test_he_follows_the_call_to_another_agent(lab: PbxLab) -> None:
    call = await supervised(lab)
    second = await connect(lab, lab.phone(SECOND), interaction_id=call.id)
    await call.listen(LEG)
    call.version = 2
    await call.listen(LEG, room("main", call.caller.leg_id, second), at=second)
    await ended(lab, hang_up(lab, call.agent))
    await lab.hears(call.caller, lab.phone(SECOND))
    await lab.hears(lab.phone(SECOND), call.caller, lab.phone(SUPERVISOR))
    await lab.hears(lab.phone(SUPERVISOR), call.caller, lab.phone(SECOND))


@in_lab_with(AGENT, SUPERVISOR)
async def test_while_nobody_has_the_call_he_is_in_silence(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(ROOM)
    call.version = 2
    await call.listen(ROOM, room("main", call.caller.leg_id, music="default"), at="")
    await ended(lab, hang_up(lab, call.agent))
    await call.hear(caller="m", supervisor="")


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize("mode", [NOBODY, LEG, ROOM])
def test_the_call_goes_on_when_he_hangs_up(in_lab: object, mode: HeardBy) -> None:
    async def scenario(lab: PbxLab) -> None:
        call = await supervised(lab)
        await call.listen(mode)
        await lab.phone(SUPERVISOR).hang_up()
        await lab.wait_fact(LegEnded, leg_id=call.supervisor, ended_by=EndedBy.REMOTE)
        call.ears_version += 1
        since = len(lab.facts)
        call.order((call.talk,), ())
        await lab.wait_fact(RoomsReached, since=since, interaction_id=call.id, version=1)
        await lab.hears(call.caller, lab.phone(AGENT))
        await lab.hears(lab.phone(AGENT), call.caller)
        assert not of(lab, RoomsRefused, EarsRefused)

    in_lab(scenario, (AGENT, SUPERVISOR))  # type: ignore[operator]


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize("mode", [NOBODY, LEG, ROOM])
def test_who_is_hung_up_leaves_the_call_alone(in_lab: object, mode: HeardBy) -> None:
    async def scenario(lab: PbxLab) -> None:
        call = await supervised(lab)
        await call.listen(mode)
        order = hang_up(lab, call.supervisor)
        call.ears_version += 1
        call.order((call.talk,), ())
        await ended(lab, order)
        await lab.wait_fact(LegEnded, leg_id=call.supervisor)
        await lab.hears(call.caller, lab.phone(AGENT))
        await lab.hears(lab.phone(AGENT), call.caller)

    in_lab(scenario, (AGENT, SUPERVISOR))  # type: ignore[operator]


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_the_customer_leaves_and_the_supervisor_stays_with_the_agent(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(NOBODY)
    await call.hear(caller="a", agent="c", supervisor="ca")
    await call.caller.hang_up()
    await lab.wait_fact(LegEnded, leg_id=call.caller.leg_id)
    await lab.hears(lab.phone(AGENT))
    await lab.hears(lab.phone(SUPERVISOR), lab.phone(AGENT))
    await ended(lab, hang_up(lab, call.agent))
    await ended(lab, hang_up(lab, call.supervisor))
    await lab.wait_fact(LegEnded, leg_id=call.supervisor)


@in_lab_with(AGENT, SUPERVISOR)
async def test_an_ear_that_is_gone_keeps_no_rooms_from_being_reached(lab: PbxLab) -> None:
    call = await supervised(lab)
    await ended(lab, hang_up(lab, call.supervisor))
    await lab.wait_fact(LegEnded, leg_id=call.supervisor)
    call.version, call.ears_version = 2, 1
    call.order(call.held, (Ear(leg=call.supervisor, hears=call.agent, heard_by=ROOM),))
    await lab.wait_fact(RoomsReached, interaction_id=call.id, version=2)
    await lab.wait_fact(EarsRefused, interaction_id=call.id, version=1)
    await lab.hears_music(call.caller)
    assert not of(lab, RoomsRefused, EarsReached)


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize("mode", [NOBODY, LEG, ROOM])
def test_a_new_connector_finds_him_where_he_listens(in_lab: object, mode: HeardBy) -> None:
    heard = {
        NOBODY: {"caller": "a", "agent": "c", "supervisor": "ca"},
        LEG: {"caller": "a", "agent": "cs", "supervisor": "ca"},
        ROOM: {"caller": "as", "agent": "cs", "supervisor": "ca"},
    }

    async def scenario(lab: PbxLab) -> None:
        call = await supervised(lab)
        await call.listen(mode)
        await call.hear(**heard[mode])
        await lab.restart_connector()
        await call.hear(**heard[mode])
        await lab.settle()
        moves = lab.moves
        call.version = 2
        await call.listen(mode)
        assert lab.moves == moves
        await call.hear(**heard[mode])
        await call.listen(NOBODY)
        await call.hear(**heard[NOBODY])

    in_lab(scenario, (AGENT, SUPERVISOR))  # type: ignore[operator]


@in_lab_with(AGENT, SUPERVISOR)
async def test_the_newest_order_for_ears_wins(lab: PbxLab) -> None:
    call = await supervised(lab)
    for mode in (NOBODY, ROOM, LEG):
        call.ears_version += 1
        call.order((call.talk,), (Ear(leg=call.supervisor, hears=call.agent, heard_by=mode),))
    await lab.wait_fact(EarsReached, interaction_id=call.id, version=3)
    await call.hear(caller="a", agent="cs", supervisor="ca")
    call.ears_version = 2
    late = call.order((call.talk,), (Ear(leg=call.supervisor, hears=call.agent, heard_by=ROOM),))
    await ended(lab, late)
    await call.hear(caller="a", agent="cs", supervisor="ca")


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_what_is_whispered_is_in_no_recording(lab: PbxLab) -> None:
    file = new_id("rec")
    call = await supervised(lab, recording=file)
    await call.listen(LEG)
    await call.hear(caller="a", agent="cs", supervisor="ca")
    await lab.pass_time(1.0)
    await ended(lab, hang_up(lab, call.agent))
    passages = await lab.recorded(file)
    voices = frozenset().union(*(passage.voices for passage in passages))
    assert lab.phone(AGENT).name in voices
    assert len(voices) == 2, passages
    assert lab.phone(SUPERVISOR).name not in voices


@pytest.mark.req("DESK-02")
@in_lab_with(AGENT, SUPERVISOR)
async def test_his_keys_change_nothing_of_what_he_hears(lab: PbxLab) -> None:
    call = await supervised(lab)
    await call.listen(NOBODY)
    await lab.phone(SUPERVISOR).press("1230")
    await lab.settle()
    await call.hear(caller="a", agent="c", supervisor="ca")


@in_lab_with(AGENT, SUPERVISOR)
async def test_an_ear_joins_while_the_rooms_change(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = new_id("int")
    agent = await connect(lab, lab.phone(AGENT), interaction_id=interaction_id)
    supervisor = dial(lab, lab.phone(SUPERVISOR), interaction_id=interaction_id).leg_id
    await lab.wait_fact(LegAnswered, leg_id=supervisor)
    call = Call(lab, interaction_id, caller, agent, supervisor)
    await call.listen(ROOM)
    await call.hear(caller="as", agent="cs", supervisor="ca")
