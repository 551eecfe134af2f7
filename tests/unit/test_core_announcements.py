"""What a queue says to those who wait, when, and what their keys do (ROUTE-11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.announcement_plan import NEVER, next_of
from routing.core.callback import CallbackRules
from routing.core.commands import PlayPrompts, ReturnLeg
from routing.core.config import Config, EntryPoint, Pbx, Result
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import LegState, LinkLost, LinkRestored, PromptOutcome, PromptsEnded, SnapshotLeg
from routing.core.flow import Prompt, PromptPart
from routing.core.interaction import InteractionState
from routing.core.orders import SignIn
from routing.core.treatment import Announcement, Overflow, OverflowCause, OverflowTo
from tests.unit.core_driver import Driver, agent, config, queue

PROMPTS = {name: Prompt(id=name, files={"en": f"en/{name}"}) for name in ("you_are", "minutes", "thanks", "press_1")}
POSITION = Announcement(prompts=(PromptPart(prompt="you_are"), PromptPart(number="position")), after_s=10, every_s=30)
COMFORT = Announcement(prompts=(PromptPart(prompt="thanks"),), after_s=20)


def site(*announcements: Announcement, **changes: Any) -> Config:
    pbx = Pbx(id="a", kind="simulated", prompts="/p", dial="SIM/{number}")
    sales = queue(announcements=announcements, **changes)
    return config(
        [agent("anna")],
        [sales, queue("backup")],
        pbxs={"a": pbx},
        prompts=PROMPTS,
        callbacks=CallbackRules(dial=DialRights(allowed=("+1",), international=True)),
    )


def waiting(*announcements: Announcement, **changes: Any) -> tuple[Driver, str]:
    d = Driver(site(*announcements, **changes), ready=())
    return d, d.call("c1")


def played(d: Driver) -> list[tuple[str, ...]]:
    return [c.prompts for c in d.commands if isinstance(c, PlayPrompts)]


def heard(d: Driver, digits: str = "", outcome: PromptOutcome = PromptOutcome.FINISHED) -> None:
    """The newest announcement is over."""
    command = next(c for c in reversed(d.commands) if isinstance(c, PlayPrompts))
    d.give(PromptsEnded(pbx="a", leg_id=command.leg_id, command_id=command.id, outcome=outcome, digits=digits))


@pytest.mark.req("ROUTE-11")
def test_announcements_come_at_their_times_and_again() -> None:
    d, _ = waiting(POSITION, COMFORT)
    d.advance(9)
    assert played(d) == []
    d.advance(1)
    assert played(d) == [("/p/en/you_are", "digits/1")]
    heard(d)
    d.advance(10)
    assert played(d)[1:] == [("/p/en/thanks",)]
    heard(d)
    d.advance(20)
    assert played(d)[2:] == [("/p/en/you_are", "digits/1")]
    heard(d)
    d.advance(29)
    assert len(played(d)) == 3, "the comfort comes once"
    d.advance(2)
    assert len(played(d)) == 4


@pytest.mark.req("ROUTE-11", "ROUTE-10")
def test_each_caller_hears_his_own_position() -> None:
    d = Driver(site(POSITION), ready=())
    d.call("first")
    d.call("second")
    d.advance(10)
    assert played(d) == [("/p/en/you_are", "digits/1"), ("/p/en/you_are", "digits/2")]


@pytest.mark.req("ROUTE-11")
def test_the_next_one_is_not_lost_when_one_plays_for_long() -> None:
    d, _ = waiting(POSITION, COMFORT)
    d.advance(75)
    assert len(played(d)) == 1, "it still plays"
    heard(d)
    d.advance(2)
    assert played(d)[1:] == [("/p/en/thanks",)]
    heard(d)
    d.advance(2)
    assert len(played(d)) == 3, "of two that were missed, one"
    heard(d)
    d.advance(20)
    assert len(played(d)) == 3
    d.advance(5)
    assert len(played(d)) == 4, "and then at 100 s, in its old rhythm"


@pytest.mark.req("ROUTE-11")
def test_nothing_is_said_while_a_telephone_rings_for_the_call_and_nothing_after_the_answer() -> None:
    d, call = waiting(COMFORT)
    d.advance(15)
    d.order(SignIn, agent_id="anna")
    d.ring(call, "anna")
    d.advance(10)
    assert played(d) == []
    d.answer(call, "anna")
    d.advance(60)
    assert played(d) == []


@pytest.mark.req("ROUTE-11")
def test_an_answer_cuts_an_announcement_short() -> None:
    d, call = waiting(COMFORT)
    d.advance(20)
    d.order(SignIn, agent_id="anna")
    d.answer(call, "anna")
    assert d.interaction(call).state is InteractionState.CONNECTED
    heard(d, outcome=PromptOutcome.INTERRUPTED)
    assert d.interaction(call).asked_prompt is None
    assert len(played(d)) == 1


@pytest.mark.req("ROUTE-11")
@pytest.mark.parametrize("outcome", [PromptOutcome.FAILED, PromptOutcome.INTERRUPTED])
def test_one_that_could_not_be_heard_does_not_stop_those_after_it(outcome: PromptOutcome) -> None:
    d, _ = waiting(POSITION)
    d.advance(10)
    heard(d, outcome=outcome)
    d.advance(30)
    assert len(played(d)) == 2


@pytest.mark.req("ROUTE-11", "SAFE-01")
def test_announcements_go_on_after_the_link_was_lost() -> None:
    d, call = waiting(POSITION)
    d.advance(10)
    heard(d)
    d.give(LinkLost(pbx="a"))
    d.advance(31)
    assert len(played(d)) == 1
    leg = SnapshotLeg(leg_id="leg_c1", interaction_id=call, state=LegState.UP)
    d.give(LinkRestored(pbx="a", legs=(leg,)))
    d.advance(3)
    assert len(played(d)) == 2


def test_another_queue_has_announcements_of_its_own_from_its_own_beginning() -> None:
    to_backup = {OverflowCause.TIMEOUT: Overflow(to=OverflowTo.QUEUE, target="backup")}
    base = site(POSITION, max_wait_s=15, overflow=to_backup)
    backup = queue("backup", announcements=(replace(COMFORT, after_s=5),))
    d = Driver(replace(base, queues=base.queues | {"backup": backup}), ready=())
    d.call("c1")
    d.advance(10)
    heard(d)
    d.advance(9)
    assert len(played(d)) == 1
    d.advance(1)
    assert played(d)[1:] == [("/p/en/thanks",)]


def test_a_new_configuration_says_nothing_of_what_would_have_been_due_before() -> None:
    d, _ = waiting()
    d.advance(25)
    d.apply(site(COMFORT, POSITION))
    d.advance(10)
    assert played(d) == []
    d.advance(5)
    assert played(d) == [("/p/en/you_are", "digits/1")], "at 40 s"


# ------------------------------------------------------------------ keys

OFFER = replace(COMFORT, prompts=(PromptPart(prompt="press_1"),), keys={"1": Overflow(to=OverflowTo.CALLBACK)})


@pytest.mark.req("ROUTE-11", "CBQ-01", "CBQ-02", "CBQ-09")
def test_a_key_asks_for_a_callback_which_takes_the_callers_place() -> None:
    d, call = waiting(OFFER)
    d.advance(20)
    command = next(c for c in d.commands if isinstance(c, PlayPrompts))
    assert command.keys is not None
    assert (command.keys.max_digits, command.keys.timeout_ms) == (1, 3000)
    heard(d, "1")
    assert [c.result for c in d.commands if isinstance(c, ReturnLeg)] == [Result.CALLBACK]
    (made,) = d.world.state.interactions.values()
    assert (made.kind, made.entered_at_ms) == ("callback", d.ended[call].entered_at_ms)


@pytest.mark.req("ROUTE-11")
def test_a_key_that_means_nothing_and_a_callback_that_is_not_possible_let_him_wait_on() -> None:
    d, call = waiting(replace(OFFER, every_s=20))
    d.advance(20)
    heard(d, "7")
    assert d.interaction(call).state is InteractionState.QUEUED
    d.apply(replace(d.world.config, callbacks=CallbackRules()))
    d.advance(20)
    heard(d, "1")
    assert d.interaction(call).state is InteractionState.QUEUED
    d.advance(20)
    assert len(played(d)) == 3, "and he is asked again"


@pytest.mark.req("ROUTE-11", "ROUTE-12")
def test_who_asks_by_key_for_a_queue_that_is_full_waits_on_where_he_is() -> None:
    base = site(replace(OFFER, keys={"1": Overflow(to=OverflowTo.QUEUE, target="backup")}, every_s=20))
    d = Driver(replace(base, queues=base.queues | {"backup": queue("backup", max_waiting=0)}), ready=())
    call = d.call("c1")
    d.advance(20)
    heard(d, "1")
    found = d.interaction(call)
    assert (found.state, found.queue, found.waiting_since_ms) == (InteractionState.QUEUED, "sales", found.entered_at_ms)
    d.advance(20)
    assert len(played(d)) == 2, "and he is asked again"


@pytest.mark.req("ROUTE-11", "ROUTE-12")
def test_a_key_means_what_was_said_though_the_call_waits_in_another_queue_by_now() -> None:
    base = site(OFFER, max_wait_s=22, overflow={OverflowCause.TIMEOUT: Overflow(to=OverflowTo.QUEUE, target="backup")})
    other = replace(OFFER, keys={"1": Overflow()})
    queues = base.queues | {"backup": replace(base.queues["backup"], announcements=(other,))}
    d = Driver(replace(base, queues=queues), ready=())
    call = d.call("c1")
    d.advance(22)
    assert d.interaction(call).queue == "backup"
    heard(d, "1")
    assert d.ended[call].result is Result.CALLBACK, "as the first queue had offered"


@pytest.mark.req("ROUTE-11")
def test_a_key_goes_before_a_telephone_that_rings_already() -> None:
    d, call = waiting(OFFER)
    d.advance(20)
    d.order(SignIn, agent_id="anna")
    assert d.offered(call) == ("anna",)
    leg = d.leg_of(call, "anna")
    heard(d, "1")
    assert leg in d.hung_up()
    assert call in d.ended
    assert d.state_of("anna") in ("available", "offered")


@pytest.mark.req("ROUTE-11")
def test_a_key_may_lead_into_another_queue_or_entry_point() -> None:
    keys = {
        "1": Overflow(to=OverflowTo.QUEUE, target="backup"),
        "2": Overflow(to=OverflowTo.ENTRY_POINT, target="night"),
        "0": Overflow(),
    }
    night = EntryPoint(id="night", queue="backup", priority=9)
    for digit, expected in (("1", ("backup", "sales", 5)), ("2", ("backup", "night", 9))):
        base = site(replace(OFFER, keys=keys))
        d = Driver(replace(base, entry_points=base.entry_points | {"night": night}), ready=())
        call = d.call("c1")
        d.advance(20)
        heard(d, digit)
        found = d.interaction(call)
        assert (found.queue, found.entry_point, found.priority) == expected
        (told,) = d.told(EventType.QUEUE_OVERFLOWED)
        assert told.values["cause"] == "key"
    d, call = waiting(replace(OFFER, keys=keys))
    d.advance(20)
    heard(d, "0")
    assert [c.result for c in d.commands if isinstance(c, ReturnLeg)] == [Result.FLOW_ENDED]


@pytest.mark.req("ROUTE-11", "CBQ-09")
def test_a_voicemail_by_key_has_its_greeting_first() -> None:
    greeting = (PromptPart(prompt="thanks"),)
    d, call = waiting(replace(OFFER, keys={"2": Overflow(to=OverflowTo.VOICEMAIL, prompts=greeting)}))
    d.advance(20)
    heard(d, "2")
    assert d.interaction(call).state is InteractionState.IN_FLOW
    assert played(d)[-1] == ("/p/en/thanks",)
    heard(d)
    assert type(d.commands[-1]).__name__ == "RecordMessage"


# ------------------------------------------------------------------ the plan

TIMES = st.builds(
    Announcement,
    prompts=st.just(()),
    after_s=st.integers(0, 60),
    every_s=st.none() | st.integers(1, 60),
)


@pytest.mark.req("ROUTE-11")
@given(announcements=st.lists(TIMES, max_size=4), until_s=st.integers(1, 400))
def test_every_announcement_comes_at_each_of_its_times_once_and_in_order(
    announcements: list[Announcement], until_s: int
) -> None:
    expected = sorted(
        (at * 1000, index)
        for index, a in enumerate(announcements)
        for at in (range(a.after_s, until_s + 1, a.every_s) if a.every_s else [a.after_s])
        if at <= until_s
    )
    found, at = [], NEVER
    sales = queue(announcements=tuple(announcements))
    while (following := next_of(sales, at)) and following[0] <= until_s * 1000:
        found.append(following)
        at = following
    assert found == expected
