"""Who listens, in the plan and in the convergence: whatever becomes of an ear, the rooms hold (DESK-02)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from routing.core.commands import Ear, HeardBy, Room, SetRooms
from routing.core.facts import EarsReached, EarsRefused, Fact, RoomsReached, RoomsRefused
from telephony.answers import Answer, Answered, OnAnswer
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.wire import AmiWire
from telephony.convergence import Convergence
from telephony.ears import Listen, hearing, prepared, seated
from telephony.legs import Leg, LegKind
from telephony.rooms import CONTEXT_EAR, CONTEXT_IDLE, HEARD, Move, Spot
from tests.waiting import run, until

CALLER, AGENT, RITA = "leg_a-1.1", "leg_x", "leg_r"
TALK = Room(name="main", legs=(CALLER, AGENT))
HELD = (Room(name="main", legs=(CALLER,), music="default"), Room(name="agent", legs=(AGENT,)))
AT_AGENT = Spot(context=CONTEXT_EAR, exten=f"hear_{AGENT}")


def ear(heard_by: HeardBy = HeardBy.NOBODY, hears: str = AGENT) -> Ear:
    return Ear(leg=RITA, hears=hears, heard_by=heard_by)


# ------------------------------------------------------------------ the plan


def test_who_is_heard_by_a_room_is_in_it_and_no_ear() -> None:
    rooms, left = seated((TALK,), [ear(HeardBy.ROOM)])
    assert ([room.legs for room in rooms], left) == ([(CALLER, AGENT, RITA)], ())


@pytest.mark.parametrize("heard_by", [HeardBy.NOBODY, HeardBy.LEG])
def test_other_ears_are_in_no_room(heard_by: HeardBy) -> None:
    assert seated((TALK,), [ear(heard_by)]) == ((TALK,), (ear(heard_by),))


def test_beside_one_who_is_alone_a_room_is_as_a_whisper() -> None:
    rooms, left = seated(HELD, [ear(HeardBy.ROOM)])
    assert (rooms, left) == (HELD, (ear(HeardBy.ROOM),))
    (step,) = hearing(left, {RITA: Spot(context=CONTEXT_IDLE, exten="s")}, (), str).steps
    assert step == Listen((RITA,), CONTEXT_EAR, f"whisper_{AGENT}", AGENT)


def test_an_ear_that_stands_right_has_nothing_to_do() -> None:
    assert hearing([ear()], {RITA: AT_AGENT}, (), str).is_reached
    assert not hearing([ear(HeardBy.LEG)], {RITA: AT_AGENT}, (), str).is_reached
    assert not hearing([ear()], {RITA: AT_AGENT}, (RITA,), str).is_reached


def test_an_ear_with_nobody_to_hear_stands_in_silence() -> None:
    assert hearing([ear(hears="")], {RITA: Spot(context=CONTEXT_IDLE, exten="s")}, (), str).is_reached
    assert hearing([ear(hears="")], {RITA: AT_AGENT}, (), str).steps == (Move((RITA,), CONTEXT_IDLE, "s"),)


def test_who_is_alone_and_whispered_to_goes_where_silence_is_sent() -> None:
    held, heard = Spot(context=CONTEXT_IDLE, exten="s"), Spot(context=CONTEXT_IDLE, exten=HEARD)
    whisper = [ear(HeardBy.LEG)]
    assert prepared(HELD, whisper, {AGENT: held}, ()).steps == (Move((AGENT,), CONTEXT_IDLE, HEARD),)
    assert prepared(HELD, whisper, {AGENT: heard}, ()).is_reached
    assert prepared(HELD, [ear()], {AGENT: held}, ()).is_reached, "nobody speaks to him"
    assert prepared((TALK,), whisper, {AGENT: held, CALLER: held}, ()).is_reached, "he is on his way to the caller"
    assert not prepared(HELD, whisper, {AGENT: held}, (AGENT,)).steps


# ------------------------------------------------------------------ the convergence


class Pbx:
    """Keeps what is sent; events are fed by hand. Caller and agent are together already."""

    def __init__(self, **settings: Any) -> None:
        self.sent: list[tuple[dict[str, Any], OnAnswer]] = []
        self.facts: list[Fact] = []
        self.legs = Legs("p")
        self.wire = AmiWire(lambda fields, answer: self.sent.append((fields, answer)))
        settings = {"step_timeout_s": 5, **settings}
        self.settings = AsteriskSettings(pbx="p", username="u", secret="s", **settings)
        self.convergence = Convergence(self.settings, self.legs, self.wire, self.facts.append)
        for leg_id, uid, kind in (
            (CALLER, "a-1.1", LegKind.ARRIVED),
            (AGENT, AGENT, LegKind.DIALED),
            (RITA, RITA, LegKind.DIALED),
        ):
            leg = Leg(leg_id=leg_id, uid=uid, kind=kind, is_up=True, channel=f"PJSIP/{uid}", interaction_id="int_1")
            leg.context, leg.exten = "switchroom-agent", "s"
            self.legs.add(leg)
        for uid in ("a-1.1", AGENT):
            self.feed("BridgeEnter", uid, bridgeuniqueid="b", context="switchroom-agent", exten="s")

    def want(self, heard_by: HeardBy, *rooms: Room, version: int = 1) -> None:
        ears = (ear(heard_by),)
        order = SetRooms(
            id="c", pbx="p", interaction_id="int_1", version=version, rooms=rooms or (TALK,), ears=ears, ears_version=1
        )
        self.convergence.want(order)

    def feed(self, name: str, uid: str, **headers: str) -> None:
        self.legs.apply(AmiMessage({"event": name, "uniqueid": uid, **headers}))
        leg = self.legs.by_uid(uid)
        if leg is not None and headers.get("userevent"):
            leg.settled += 1
            self.legs.changed.add(leg.leg_id)
        changed, self.legs.changed = self.legs.changed, set()
        self.convergence.changed(changed)

    def at(self, uid: str, context: str, exten: str) -> None:
        self.feed("UserEvent", uid, userevent="SwitchroomAt", context=context, exten=exten)

    def redirects(self) -> list[tuple[dict[str, Any], OnAnswer]]:
        return [(fields, answer) for fields, answer in self.sent if fields["Action"] == "Redirect"]

    def moves(self) -> list[tuple[dict[str, Any], OnAnswer]]:
        return [(fields, answer) for fields, answer in self.sent if fields["Action"] in ("Redirect", "Bridge")]

    async def refuse_all(self, *, until_: Callable[[], object]) -> None:
        """Every step fails."""
        answered: list[OnAnswer] = []
        while not until_():
            await until(lambda: len(self.moves()) > len(answered) or until_())
            for _, answer in self.moves()[len(answered) :]:
                answered.append(answer)
                answer(Answer(Answered.ERROR, "Redirect failed"))

    def told(self, kind: type[Fact]) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def play(scenario: Callable[[Pbx], Awaitable[None]]) -> None:
    async def inner() -> None:
        pbx = Pbx()
        await scenario(pbx)
        pbx.convergence.clear()

    run(inner())


REACHED = RoomsReached(pbx="p", interaction_id="int_1", version=1)


def test_rooms_that_hold_are_told_before_somebody_listens() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.LEG)
        await until(lambda: pbx.redirects())
        assert pbx.facts == [REACHED]
        assert pbx.sent[0][0]["Variable"] == "SR_EAR"
        assert pbx.sent[0][0]["Value"] == f"PJSIP/{AGENT}"
        assert pbx.sent[1][0] | {} == pbx.redirects()[0][0]
        assert (pbx.sent[1][0]["Context"], pbx.sent[1][0]["Exten"]) == (CONTEXT_EAR, f"whisper_{AGENT}")
        pbx.at(RITA, CONTEXT_EAR, f"whisper_{AGENT}")
        assert pbx.facts == [REACHED, EarsReached(pbx="p", interaction_id="int_1", version=1)]
        assert pbx.convergence.is_idle

    play(scenario)


@pytest.mark.req("DESK-02")
def test_an_ear_that_cannot_be_reached_is_given_up_and_the_rooms_are_not() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.NOBODY)
        await pbx.refuse_all(until_=lambda: pbx.told(EarsRefused))
        assert len(pbx.redirects()) == pbx.settings.step_attempts
        assert pbx.facts == [
            REACHED,
            EarsRefused(pbx="p", interaction_id="int_1", version=1, reason="Redirect failed"),
        ]

    play(scenario)


@pytest.mark.req("DESK-02")
def test_where_a_conference_cannot_be_made_caller_and_agent_talk_on() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.ROOM)
        await pbx.refuse_all(until_=lambda: pbx.told(EarsRefused))
        assert pbx.facts == [
            REACHED,
            EarsRefused(pbx="p", interaction_id="int_1", version=1, reason="Redirect failed"),
        ]

    play(scenario)


@pytest.mark.req("DESK-02")
def test_that_two_talk_again_is_told_before_a_third_can_barge_in() -> None:
    """A hold is over when caller and agent hear each other, whatever keeps the supervisor."""

    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.ROOM)
        await until(lambda: pbx.redirects())
        assert pbx.facts == [REACHED], "they talk already"
        (to_room, _), *_ = pbx.redirects()
        for uid in ("a-1.1", AGENT):
            pbx.feed("BridgeLeave", uid, bridgeuniqueid="b", context="switchroom-agent", exten="s")
        room = {"bridgeuniqueid": "c", "bridgename": to_room["Exten"], "bridgetechnology": "softmix"}
        pbx.feed("BridgeCreate", "", **room, bridgetype="base", bridgecreator="ConfBridge")
        for uid in ("a-1.1", AGENT):
            pbx.feed("BridgeEnter", uid, bridgeuniqueid="c", context="switchroom-room", exten=to_room["Exten"])
        assert not pbx.told(EarsReached)
        pbx.feed("BridgeEnter", RITA, bridgeuniqueid="c", context="switchroom-room", exten=to_room["Exten"])
        assert pbx.facts == [REACHED, EarsReached(pbx="p", interaction_id="int_1", version=1)]

    play(scenario)


def test_rooms_that_are_lost_for_a_third_are_refused_although_they_held() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.ROOM)
        await until(lambda: pbx.redirects())
        for uid in ("a-1.1", AGENT):
            pbx.feed("BridgeLeave", uid, bridgeuniqueid="b", context="switchroom-agent", exten="s")
            pbx.at(uid, "switchroom-wait", "default")
        await pbx.refuse_all(until_=lambda: pbx.told(RoomsRefused))
        assert [type(fact) for fact in pbx.facts] == [RoomsReached, RoomsRefused]

    play(scenario)


def test_rooms_that_cannot_be_reached_are_refused_with_or_without_an_ear() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.NOBODY, *HELD)
        await pbx.refuse_all(until_=lambda: pbx.told(RoomsRefused))
        assert not pbx.told(RoomsReached)

    play(scenario)


def test_with_a_dialplan_of_an_older_version_nobody_listens() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.wire.missing = frozenset({CONTEXT_EAR})
        pbx.want(HeardBy.NOBODY)
        await until(lambda: pbx.told(EarsRefused))
        assert pbx.facts[0] == REACHED
        assert not pbx.redirects()

    play(scenario)


def test_an_ear_that_waits_for_its_answer_keeps_no_prompt_from_playing() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.NOBODY)
        await until(lambda: pbx.redirects())
        assert not pbx.convergence.is_moving(AGENT)

    play(scenario)


@pytest.mark.parametrize("heard_by", list(HeardBy))
def test_who_is_being_hung_up_is_nobody(heard_by: HeardBy) -> None:
    async def scenario(pbx: Pbx) -> None:
        rita = pbx.legs.get(RITA)
        assert rita is not None
        rita.hang_up_cause = 16
        pbx.want(heard_by)
        await until(lambda: pbx.told(EarsRefused))
        assert pbx.facts[0] == REACHED
        assert not pbx.redirects()

    play(scenario)


def test_an_ear_that_leaves_while_it_is_on_its_way_is_nobody() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(HeardBy.NOBODY)
        await until(lambda: pbx.redirects())
        pbx.feed("Hangup", RITA, cause="16")
        assert [type(fact) for fact in pbx.facts] == [RoomsReached, EarsRefused]
        assert pbx.convergence.is_idle

    play(scenario)
