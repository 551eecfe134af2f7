"""The port of a FreeSWITCH: link, snapshot, sign of life, sweep (SAFE-01)."""

from __future__ import annotations

import asyncio
import json

import pytest

from routing.core.commands import (
    HangUpLeg,
    PlayDigits,
    ReturnLeg,
    Room,
    WatchPhones,
)
from routing.core.config import Result
from routing.core.facts import (
    CommandOutcome,
    DialFailed,
    EndedBy,
    LegArrived,
    LegEnded,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneChanged,
    PhoneState,
    RoomsReached,
    RoomsRefused,
    SnapshotLeg,
)
from telephony import housekeeping, node
from telephony.answers import Answer, Answered
from tests.unit.freeswitch_bench import AGENT, CALLER, CUSTOMER, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

MUSIC = Room(name="main", legs=(CUSTOMER,), music="moh")
REFUSED, SUCCEEDED, UNKNOWN = CommandOutcome.REFUSED, CommandOutcome.SUCCEEDED, CommandOutcome.UNKNOWN


def listed(*uids: str) -> Answer:
    return Answer(Answered.SUCCESS, json.dumps({"rows": [{"uuid": uid} for uid in uids]}))


def dumped(**headers: str) -> Answer:
    return Answer(Answered.SUCCESS, json.dumps({name.replace("__", "-"): value for name, value in headers.items()}))


WAITING = {
    "variable_SR_LEG": CUSTOMER,
    "variable_SR_ENTRY": "sales",
    "Caller__Context": "switchroom-call",
    "Answer__State": "answered",
    "Call__Direction": "inbound",
}


# ---------------------------------------------------------------------- link and snapshot


def there(bench: Bench, **dumps: dict[str, str]) -> None:
    """What the next link finds on the PBX; underscores in the name of a channel are hyphens."""
    found = {name.replace("_", "-") if name != AGENT else name: headers for name, headers in dumps.items()}
    bench.future.usual["show channels as json"] = listed(*found)
    bench.future.usual |= {f"uuid_dump {uid} json": dumped(**headers) for uid, headers in found.items()}


@pytest.mark.req("SAFE-01")
def test_the_snapshot_is_told_first_then_calls_that_wait_then_what_happened_meanwhile(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        there(bench, u={**WAITING, "variable_SR_LEG": "leg_u"}, x={})
        bench.future.meanwhile.append(lambda line: bench.tell_arrival("late") if "show channels" in line else None)
        await bench.up()
        restored, waiting, late = bench.facts
        assert restored == LinkRestored(
            pbx="p", legs=(SnapshotLeg(leg_id="leg_u", interaction_id="", state=LegState.UP),), phones={}
        )
        assert isinstance(waiting, LegArrived)
        assert (waiting.leg_id, waiting.entry_point) == ("leg_u", "sales")
        assert isinstance(late, LegArrived)
        assert late.leg_id == "leg_late"

    play(scenario, is_up=False)


def test_a_call_that_somebody_has_taken_is_not_handed_over_again(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        taken = {**WAITING, "variable_SR_LEG": "leg_u", "variable_SR_IID": "int_1"}
        there(bench, u=taken, v={**WAITING, "variable_SR_LEG": "leg_v", "Caller__Context": "switchroom-wait"})
        await bench.up()
        assert bench.told(LegArrived) == []
        assert len(bench.told(LinkRestored)[0].legs) == 2

    play(scenario, is_up=False)


def test_more_events_than_can_be_held_while_the_snapshot_is_read_make_it_be_read_anew(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "MAX_HELD_EVENTS", 3)

    async def scenario(bench: Bench) -> None:
        def flood(line: str) -> None:
            for number in range(4 if "show channels" in line and len(bench.links) == 1 else 0):
                bench.tell_arrival(f"u{number}")

        bench.future.meanwhile.append(flood)
        await bench.up()
        assert len(bench.links) == 2
        assert bench.told(LinkLost)[0].reason == "too many events while the snapshot was read"
        assert bench.told(LegArrived) == []

    play(scenario, is_up=False)


@pytest.mark.req("ROUTE-15")
def test_who_talks_when_the_connector_starts_is_busy_for_the_core_that_asks_afterwards(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        private = {"variable_user_name": "1001", "variable_domain_name": "a", "Call__Direction": "inbound"}
        there(bench, u={**private, "Answer__State": "answered"})
        bench.future.usual["show registrations as json"] = Answer(
            Answered.SUCCESS, '{"rows":[{"reg_user":"1001","realm":"a"}]}'
        )
        await bench.up()
        bench.port.submit(WatchPhones(id="w", pbx="p", phones=("user/1001",)))
        assert [fact.state for fact in bench.told(PhoneChanged)] == [PhoneState.BUSY]
        bench.hung_up("u")
        assert bench.told(PhoneChanged)[-1].state is PhoneState.FREE

    play(scenario, is_up=False)


@pytest.mark.req("SAFE-02", "SAFE-05")
def test_a_lost_link_is_told_once_ends_what_is_under_way_as_unknown_and_refuses_what_comes(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.link.answers |= {"uuid_transfer": None, "uuid_send_dtmf": None}
        bench.port.submit(ReturnLeg(id="r", pbx="p", leg_id=CUSTOMER, result=Result.TIMEOUT))
        bench.dial()
        bench.answer()
        bench.port.submit(PlayDigits(id="d", pbx="p", leg_id=AGENT, digits="12"))
        bench.want(1, Room(name="main", legs=(AGENT,), music="moh"))
        await until(lambda: ("v1", SUCCEEDED) in bench.ends())
        bench.facts.clear()
        bench.future.login = Answer(Answered.OVERDUE)
        first = bench.link
        first.listener.on_closed("the cable was cut")
        assert bench.told(LinkLost) == [LinkLost(pbx="p", reason="the cable was cut")]
        assert first.is_abandoned
        assert sorted(bench.ends()) == [("d", UNKNOWN), ("r", UNKNOWN)]
        bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=CUSTOMER))
        bench.want(2, MUSIC)
        bench.dial("leg_y", id="dial2")
        await until(lambda: len(bench.told(RoomsRefused)) == 1 and bench.told(DialFailed))
        assert {("h", REFUSED), ("v2", REFUSED), ("dial2", REFUSED)} <= set(bench.ends())
        first.listener.on_closed("once more")
        assert len(bench.told(LinkLost)) == 1

    play(scenario)


def test_a_password_that_is_refused_is_told_once_and_tried_again(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.future.login = Answer(Answered.ERROR, "-ERR invalid")
        await bench.port.start(bench.facts.append)
        await until(lambda: len(bench.links) >= 3)
        assert bench.told(LinkLost) == [LinkLost(pbx="p", reason="login refused: -ERR invalid")]
        bench.future.login = Answer(Answered.SUCCESS)
        await until(lambda: bench.port.is_up)
        assert len(bench.told(LinkRestored)) == 1

    play(scenario, is_up=False)


def test_a_snapshot_that_cannot_be_read_is_read_anew(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.future.usual["show registrations as json"] = Answer(Answered.SUCCESS, "{")
        await bench.port.start(bench.facts.append)
        await until(lambda: len(bench.links) >= 2)
        assert not bench.port.is_up
        bench.future.usual["show registrations as json"] = Answer(Answered.SUCCESS, "{}")
        await until(lambda: bench.port.is_up)
        assert bench.told(LinkLost)[0].reason.startswith("the PBX sent a list that is none")
        assert len(bench.told(LinkRestored)) == 1

    play(scenario, is_up=False)


def test_a_peer_that_answers_no_ping_is_given_up(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await until(lambda: bench.link.pongs)
        await until(lambda: bench.told(LinkLost))
        assert bench.told(LinkLost)[0].reason == "no answer in time while probing"

    play(scenario, ping_interval_s=0.02, ping_deadline_s=0.05)


def test_what_was_under_way_is_waited_for_when_the_connector_ends(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.want(1, MUSIC)
        asyncio.get_running_loop().call_later(0.02, bench.at, CALLER, "switchroom-wait", "moh")
        await bench.port.stop(drain_s=2.0)
        assert len(bench.told(RoomsReached)) == 1
        assert bench.link.is_abandoned
        assert not bench.port.is_up

    play(scenario, step_timeout_s=3.0)


def test_an_answer_that_is_still_to_come_is_waited_for_but_not_for_ever(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        loop, first = asyncio.get_running_loop(), bench.link
        first.outstanding = 1
        loop.call_later(0.05, setattr, first, "outstanding", 0)
        begin = loop.time()
        await bench.port.stop(drain_s=5.0)
        assert 0.04 <= loop.time() - begin < 3.0
        await bench.up_again()
        bench.link.outstanding = 1
        await bench.port.stop(drain_s=0.05)
        assert bench.link.is_abandoned

    play(scenario)


# ---------------------------------------------------------------------- sign of life


@pytest.mark.req("FLOW-04")
def test_the_dialplan_gets_a_sign_of_life_at_once_and_then_by_the_clock_of_the_pbx(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.up()
        assert bench.link.matching("SR_BEAT") == ["global_setvar SR_BEAT=1000"]
        assert bench.link.sent.index("global_setvar SR_BEAT=1000") < bench.link.sent.index("show channels as json")

        async def pong(epoch_s: int | None) -> None:
            await until(lambda: bench.link.pongs)
            bench.link.pongs.pop()(epoch_s)

        for epoch_s in (1004, None, 1005):
            await pong(epoch_s)
        assert bench.link.matching("SR_BEAT") == ["global_setvar SR_BEAT=1000", "global_setvar SR_BEAT=1005"]
        bench.is_serving = False
        await pong(1020)
        assert len(bench.link.matching("SR_BEAT")) == 2
        bench.is_serving = True
        await pong(1021)
        assert bench.link.matching("SR_BEAT")[-1] == "global_setvar SR_BEAT=1021"

    play(scenario, is_up=False, ping_interval_s=0.01)


@pytest.mark.req("FLOW-04")
def test_a_server_that_does_not_serve_gives_no_sign_of_life(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.is_serving = False
        await bench.up()
        assert bench.link.matching("SR_BEAT") == []

    play(scenario, is_up=False)


@pytest.mark.req("FLOW-04")
def test_a_clock_that_the_pbx_does_not_tell_gives_no_false_sign(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.future.usual["strepoch"] = Answer(Answered.SUCCESS, "soon")
        await bench.up()
        assert bench.link.matching("SR_BEAT") == []

    play(scenario, is_up=False)


# ---------------------------------------------------------------------- the sweep


@pytest.fixture
def _quick_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "GRACE_S", 0.01)
    monkeypatch.setattr(housekeeping, "YOUNG_S", 0.0)


@pytest.mark.usefixtures("_quick_sweep")
def test_a_leg_that_the_pbx_has_no_more_ends_without_an_event_and_one_that_it_has_does_not(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["show channels as json"] = listed("kept")
        bench.arrive("kept")
        bench.arrive("lost")
        bench.dial()
        await until(lambda: bench.told(LegEnded) and bench.told(DialFailed))
        assert bench.told(LegEnded) == [LegEnded(pbx="p", leg_id="leg_lost", ended_by=EndedBy.UNKNOWN)]
        assert [leg.leg_id for leg in bench.port.legs.all()] == ["leg_kept"]

    play(scenario, sweep_interval_s=0.02)


@pytest.mark.usefixtures("_quick_sweep")
@pytest.mark.parametrize(
    "answer", [Answer(Answered.OVERDUE), Answer(Answered.ERROR, "-ERR"), Answer(Answered.SUCCESS, "{")]
)
def test_a_list_that_the_pbx_does_not_give_ends_no_leg(play: Play, answer: Answer) -> None:
    async def scenario(bench: Bench) -> None:
        bench.link.answers["show channels as json"] = answer
        bench.arrive()
        bench.forget()
        await until(lambda: len(bench.link.matching("show channels")) >= 3)
        assert bench.told(LegEnded) == []

    play(scenario, sweep_interval_s=0.02)


def test_a_leg_that_is_young_may_be_missing_in_the_list(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "GRACE_S", 0.0)

    async def scenario(bench: Bench) -> None:
        bench.arrive()
        await until(lambda: len(bench.link.matching("show channels")) >= 3)
        assert bench.told(LegEnded) == []

    play(scenario, sweep_interval_s=0.02)
