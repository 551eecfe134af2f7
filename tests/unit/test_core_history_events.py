"""What the history needs to know: who came and left, spans of hold, which offer, and who ordered what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.config import WrapUp
from routing.core.events import Event, EventType
from routing.core.orders import (
    ApplyConfig,
    EditCad,
    EndInteraction,
    FinishWrapUp,
    Hold,
    Resume,
    SendDigits,
    StartConsult,
)
from routing.core.roles import Action
from tests.unit.core_driver import config, queue
from tests.unit.test_core_consult import ANNA, BEN, Talk, centre

PARTIES = (EventType.PARTY_JOINED, EventType.PARTY_ROLE_CHANGED, EventType.PARTY_LEFT)


def parties(events: list[Event]) -> list[tuple[str, str, object]]:
    return [(event.type.value.removeprefix("party."), event.agent_id, event.values["role"]) for event in events]


def test_every_party_joins_once_and_leaves_once() -> None:
    talk = Talk()
    talk.consult()
    talk.act(Action.COMPLETE_TRANSFER)
    talk.d.hang_up("leg_c1")
    assert parties(talk.d.told(*PARTIES)) == [
        ("joined", ANNA, "owner"),
        ("joined", BEN, "consulted"),
        ("role_changed", BEN, "owner"),
        ("left", ANNA, "owner"),
        ("left", BEN, "owner"),
    ]
    joined = talk.d.told(EventType.PARTY_JOINED)
    left = talk.d.told(EventType.PARTY_LEFT)
    assert {e.values["leg_id"] for e in joined} == {e.values["leg_id"] for e in left}
    assert {e.values["leg_id"]: e.at_ms for e in joined} == {e.values["leg_id"]: e.values["joined_at_ms"] for e in left}


def test_a_consulted_agent_who_leaves_is_told_to_have_left() -> None:
    talk = Talk()
    talk.consult()
    talk.act(Action.EXIT_CONSULT, BEN)
    assert parties(talk.d.told(EventType.PARTY_LEFT)) == [("left", BEN, "consulted")]


def test_spans_of_hold_are_those_of_the_hold_clock_consults_included() -> None:
    talk = Talk()
    talk.d.advance(1)
    talk.order(Hold)
    talk.d.advance(5)
    talk.order(StartConsult, to_agent=BEN)  # on hold before and after: one span
    talk.d.answer(talk.id, BEN)
    talk.d.advance(2)
    talk.act(Action.EXIT_CONSULT, BEN)
    talk.order(Resume)
    talk.d.advance(1)
    talk.order(Hold)
    talk.d.advance(3)
    talk.d.hang_up("leg_c1")
    spans = [(int(str(e.values["held_at_ms"])), e.at_ms) for e in talk.d.told(EventType.HOLD_ENDED)]
    assert [start for start, _ in spans] == [e.at_ms for e in talk.d.told(EventType.HOLD_STARTED)]
    assert [end - start for start, end in spans] == [7000, 3000]
    assert sum(end - start for start, end in spans) == talk.d.ended[talk.id].held_ms


def test_events_of_one_offer_name_it() -> None:
    talk = Talk()
    told = talk.d.told(EventType.OFFER_RESERVED, EventType.OFFER_RINGING, EventType.OFFER_ENDED)
    assert len({(e.values["offer_id"], e.values["leg_id"], e.values["purpose"]) for e in told}) == 1
    assert len(told) == 3


def test_a_wrap_up_names_the_leg_that_it_belongs_to() -> None:
    talk = Talk()
    leg = talk.d.told(EventType.PARTY_JOINED)[0].values["leg_id"]
    talk.order(EndInteraction)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    told = talk.d.told(EventType.WRAP_UP_STARTED, EventType.WRAP_UP_ENDED)
    assert [e.values["leg_id"] for e in told] == [leg, leg]


@pytest.mark.req("HIST-02")
def test_a_queue_without_wrap_up_applies_its_default_reason_at_once() -> None:
    rules = centre()
    none = queue(wrap_up=WrapUp(timeout_s=0, default_reason="done"))
    talk = Talk(replace(rules, queues=rules.queues | {"sales": none}))
    talk.order(EndInteraction)
    (told,) = talk.d.told(EventType.WRAP_UP_ENDED)
    assert (told.agent_id, told.values["reason"], told.values["by"]) == (ANNA, "done", "queue")
    assert talk.d.state_of(ANNA) == "available"


@pytest.mark.req("OPS-07")
def test_orders_that_say_who_gives_them_are_told_with_their_outcome_and_without_what_was_said() -> None:
    talk = Talk()
    talk.order(EditCad, actor="agent:anna", values={"case": "31337"})
    talk.order(EditCad, actor="key:crm", values={"nonsense": "31337"})
    talk.order(SendDigits, actor="agent:anna", digits="4111")
    talk.order(Hold)
    told = talk.d.told(EventType.ORDER_OBEYED, EventType.ORDER_REFUSED)
    assert [(e.values["actor"], e.values["order"], e.values["code"], e.type.value) for e in told] == [
        ("agent:anna", "EditCad", "ok", "order.obeyed"),
        ("key:crm", "EditCad", "cad-refused", "order.refused"),
        ("agent:anna", "SendDigits", "ok", "order.obeyed"),
    ]
    assert told[0].values["names"] == ["case"]
    assert all((e.agent_id, e.interaction_id) == (ANNA, talk.id) for e in told)
    assert "31337" not in str(told)
    assert "4111" not in str(told)


def test_the_configuration_of_an_order_is_not_told() -> None:
    talk = Talk()
    talk.d.order(ApplyConfig, actor="cli:root", config=config([]))
    (told,) = talk.d.told(EventType.ORDER_OBEYED)
    assert set(told.values) == {"actor", "order", "code", "order_id"}
