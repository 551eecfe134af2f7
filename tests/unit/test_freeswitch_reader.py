"""What events of FreeSWITCH mean, and what they make the connector do."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from routing.core.commands import ReturnLeg, WatchPhones
from routing.core.config import Result
from routing.core.facts import (
    CommandOutcome,
    EndedBy,
    FeatureDialed,
    LegEnded,
    LegTransferred,
    PhoneChanged,
    PhoneState,
)
from tests.unit.freeswitch_bench import AGENT, CALLER, CUSTOMER, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

OUTBOUND = {"Call_Direction": "outbound", "variable_dialed_user": "1001", "variable_dialed_domain": "a.example"}
INBOUND = {"Call_Direction": "inbound", "variable_user_name": "1001", "variable_domain_name": "a.example"}
WATCH = WatchPhones(id="w", pbx="p", phones=("user/1001",), cad_names=("customer",))


# ---------------------------------------------------------------------- arrivals and their end


@pytest.mark.req("FLOW-03")
def test_a_call_is_handed_over_with_declared_data_and_goes_back(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.submit(WATCH)
        arrived = bench.arrive(SR_ENTRY="sales", SR_CAD_Customer="42", SR_CAD_other="x")
        assert (arrived.leg_id, arrived.entry_point, arrived.cad) == (CUSTOMER, "sales", {"customer": "42"})
        bench.port.submit(ReturnLeg(id="r", pbx="p", leg_id=CUSTOMER, result=Result.TIMEOUT, variables={"SR_A": "b c"}))
        await until(lambda: bench.link.matching("switchroom-return"))
        assert [line for line in bench.link.sent if CALLER in line] == [
            f"uuid_setvar {CALLER} SR_A b\\sc",
            f"uuid_setvar {CALLER} SR_RESULT timeout",
            f"uuid_transfer {CALLER} s XML switchroom-return",
        ]
        bench.say("switchroom::left", CALLER)
        assert bench.told(LegEnded) == [LegEnded(pbx="p", leg_id=CUSTOMER, ended_by=EndedBy.DIALPLAN)]
        assert ("r", CommandOutcome.SUCCEEDED) in bench.ends()
        bench.say("switchroom::left", CALLER)
        bench.hung_up(CALLER)
        assert len(bench.told(LegEnded)) == 1

    play(scenario)


def test_a_call_that_is_told_twice_is_one_leg(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.arrive()
        assert [leg.leg_id for leg in bench.port.legs.all()] == [CUSTOMER]
        bench.hung_up(CALLER, variable_sip_hangup_disposition="recv_bye")
        assert bench.told(LegEnded) == [LegEnded(pbx="p", leg_id=CUSTOMER, ended_by=EndedBy.REMOTE, cause=16)]

    play(scenario)


def test_feature_codes_are_told_and_unknown_ones_are_not_and_neither_is_their_end(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.say("switchroom::feature", "u1", variable_SR_CODE="self_destruct")
        assert bench.facts == []
        code = {"variable_SR_CODE": "sign_in", "variable_SR_PHONE": "user/1001", "variable_SR_DIGITS": "77"}
        bench.say("switchroom::feature", "u2", **code)
        wanted = FeatureDialed(pbx="p", leg_id="leg_u2", phone="user/1001", code="sign_in", argument="77")
        assert bench.facts == [wanted]
        bench.hung_up("u2")
        assert bench.facts == [wanted]

    play(scenario)


@pytest.mark.parametrize(
    ("watched", "domain", "named"),
    [
        ("user/1001", "a.example", "user/1001"),
        ("user/1001@a.example", "a.example", "user/1001@a.example"),
        ("user/1001@a.example", "b.example", "user/1001"),
        ("user/1002", "a.example", "user/1001"),
    ],
)
def test_a_feature_code_comes_from_the_telephone_by_its_name_in_the_configuration(
    play: Play, watched: str, domain: str, named: str
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.submit(WatchPhones(id="w", pbx="p", phones=(watched, "sofia/gateway/x/1")))
        code = {"variable_SR_CODE": "available", "variable_SR_PHONE": "user/1001", "variable_domain_name": domain}
        bench.say("switchroom::feature", "u", **code)
        assert [fact.phone for fact in bench.told(FeatureDialed)] == [named]

    play(scenario)


def test_events_of_strangers_and_of_unknown_names_mean_nothing(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.forget()
        for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_PROGRESS", "CHANNEL_HANGUP_COMPLETE", "SHUTDOWN"):
            bench.say(name, "stranger", Channel_Name="x")
        bench.at("stranger", "switchroom-wait")
        bench.bridged("stranger", "another")
        bench.unbridged("stranger", "another")
        bench.member("add-member", "r", "stranger")
        bench.member("start-talking", "r", CALLER)
        bench.say("BACKGROUND_JOB", body="-ERR NO_ANSWER\n", Job_UUID="stranger")
        bench.say("switchroom::tried", "stranger", Tried_Leg="leg_unknown")
        bench.say("somebody::else", CALLER)
        bench.say("", CALLER)
        assert (bench.facts, bench.link.sent) == ([], [])
        assert bench.port.legs.spots([CUSTOMER])[CUSTOMER].conference == ""

    play(scenario)


def test_an_event_that_cannot_be_read_costs_neither_the_link_nor_the_next_event(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.on_event(None)
        assert bench.port.counters["events_failed"] == 1
        assert bench.port.is_up
        bench.arrive()

    play(scenario)


# ---------------------------------------------------------------------- transfers by telephones


@pytest.mark.req("CONS-14")
@pytest.mark.parametrize("is_first", [True, False])
def test_a_customer_whom_a_telephone_joined_with_a_stranger_is_told_and_let_go(play: Play, is_first: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.dial()
        bench.answer()
        bench.bridged(CALLER, AGENT)
        bench.forget()
        bench.bridged(*((CALLER, "stranger") if is_first else ("stranger", CALLER)))
        assert bench.facts == [LegTransferred(pbx="p", leg_id=CUSTOMER, by_leg_id=AGENT, how="attended")]
        cleared = {line.split()[2] for line in bench.link.matching(f"uuid_setvar {CALLER}")}
        assert {"SR_LEG", "SR_IID"} <= cleared
        assert bench.port.legs.get(CUSTOMER) is None
        bench.hung_up(CALLER)
        assert len(bench.facts) == 1

    play(scenario)


@pytest.mark.req("SAFE-02")
@pytest.mark.parametrize("is_first", [True, False])
def test_a_bridge_that_is_told_after_the_end_of_the_agents_leg_takes_nobody_away(play: Play, is_first: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.dial()
        bench.answer()
        bench.hung_up(AGENT)
        bench.forget()
        bench.bridged(*((CALLER, AGENT) if is_first else (AGENT, CALLER)))
        assert bench.facts == []
        assert bench.port.legs.spots([CUSTOMER])[CUSTOMER].is_falling
        bench.unbridged(CALLER, AGENT)
        bench.at(CALLER, "switchroom-idle")
        assert not bench.port.legs.spots([CUSTOMER])[CUSTOMER].bridge
        assert bench.port.legs.bridges.of(AGENT) is None

    play(scenario)


@pytest.mark.req("CONS-14")
def test_a_blind_transfer_by_a_telephone_leaves_the_leg_with_us_and_is_logged(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.forget()
        with capture_logs() as logs:
            bench.at(CALLER, "switchroom-none", "1003")
        assert [entry["event"] for entry in logs] == ["telephone_transfer_refused"]
        assert bench.port.legs.get(CUSTOMER) is not None
        assert bench.facts == []

    play(scenario)


def test_a_customer_who_waited_and_was_never_joined_was_transferred_by_nobody(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.arrive()
        bench.bridged(CALLER, "stranger")
        assert bench.told(LegTransferred) == [LegTransferred(pbx="p", leg_id=CUSTOMER, by_leg_id="", how="attended")]

    play(scenario)


# ---------------------------------------------------------------------- telephones


@pytest.mark.req("ROUTE-15")
def test_registrations_and_calls_of_watched_telephones_are_told(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.submit(WATCH)

        def last() -> PhoneState:
            return bench.told(PhoneChanged)[-1].state

        assert last() is PhoneState.UNREACHABLE
        assert bench.ends() == [("w", CommandOutcome.SUCCEEDED)]
        bench.say("SHUTDOWN")
        assert len(bench.told(PhoneChanged)) == 1
        bench.say("sofia::register", from_user="1001", from_host="a.example")
        assert last() is PhoneState.FREE
        bench.say("CHANNEL_CREATE", "u", **INBOUND)
        assert last() is PhoneState.BUSY
        bench.say("CHANNEL_HANGUP_COMPLETE", "u", **INBOUND)
        assert last() is PhoneState.FREE
        bench.say("CHANNEL_CREATE", "v", **OUTBOUND)
        assert last() is PhoneState.FREE
        bench.say("CHANNEL_PROGRESS", "v", **OUTBOUND)
        assert last() is PhoneState.RINGING
        bench.say("CHANNEL_ANSWER", "v", **OUTBOUND)
        assert last() is PhoneState.BUSY
        bench.say("CHANNEL_HANGUP_COMPLETE", "v", **OUTBOUND)
        bench.say("sofia::unregister", from_user="1001", from_host="a.example")
        assert last() is PhoneState.UNREACHABLE
        bench.say("sofia::register", from_user="1001", from_host="a.example")
        bench.say("sofia::expire", user="1001", host="a.example")
        assert last() is PhoneState.UNREACHABLE
        assert len(bench.told(PhoneChanged)) == 10

    play(scenario)


@pytest.mark.req("ROUTE-15")
def test_a_callers_channel_that_proves_no_user_makes_nobody_busy(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.port.submit(WATCH)
        bench.say("sofia::register", from_user="1001", from_host="a.example")
        count = len(bench.told(PhoneChanged))
        bench.say("CHANNEL_CREATE", "u", Call_Direction="inbound", variable_sip_from_user="1001")
        bench.say("CHANNEL_CREATE", "v", Call_Direction="inbound", variable_dialed_user="1001")
        assert len(bench.told(PhoneChanged)) == count

    play(scenario)
