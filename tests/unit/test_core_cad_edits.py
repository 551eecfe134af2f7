"""Saving CAD on a live call: two agents, a flow, an integration; who wins, and what the one who loses is told."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core import cad
from routing.core.cad import MASK
from routing.core.declarations import CadType, CadVariable
from routing.core.events import Event, EventType
from routing.core.guard import allowed_actions
from routing.core.interaction import InteractionState
from routing.core.orders import EditCad, Reply, Transfer
from routing.core.roles import Action
from tests.unit.core_driver import CAD, Driver, agent, config
from tests.unit.test_core_consult import ANNA, BEN, Talk, centre, entry_points

S = InteractionState
CRM = "key:crm"


def save(talk: Talk, values: dict[str, str], by: str = ANNA, expected: int | None = None) -> Reply:
    """As that agent, or as the integration when `by` is its actor."""
    agent_id = "" if by == CRM else by
    fields: dict[str, Any] = {"actor": CRM} if by == CRM else {}
    return talk.order(EditCad, agent_id, values=values, expected_version=expected, **fields)


def changes(talk: Talk) -> list[Event]:
    return talk.d.told(EventType.CAD_CHANGED)


@pytest.mark.req("CAD-09")
def test_a_value_can_be_overwritten_and_read_back() -> None:
    talk = Talk()
    assert save(talk, {"case": "8"}).code == "ok"
    assert save(talk, {"case": "9"}).code == "ok"
    assert talk.d.interaction(talk.id).cad["case"] == "9"


@pytest.mark.req("CAD-12", "A19")
def test_the_loser_is_told_who_won_with_which_values_and_what_he_had_entered() -> None:
    talk = Talk().to(S.CONSULTING)
    seen = talk.d.interaction(talk.id).cad_version
    assert save(talk, {"case": "8", "card": "5500"}, BEN, seen).code == "ok"
    late = save(talk, {"case": "9", "card": "6011", "due": "2026-11-21"}, ANNA, seen)
    assert late.code == "cad-conflict"
    assert late.values == {
        "current_version": seen + 1,
        "expected_version": seen,
        "author": BEN,
        "current": {"case": "8", "card": MASK, "due": ""},
        "yours": {"case": "9", "card": MASK, "due": "2026-11-21"},
    }
    assert talk.d.interaction(talk.id).cad == {"case": "8", "tier": "gold", "card": "5500"}
    assert "6011" not in repr(late)


@pytest.mark.req("CAD-14", "CAD-06")
def test_nothing_is_changed_until_a_save_succeeds() -> None:
    talk = Talk()
    before = talk.d.interaction(talk.id)
    cad.form(cad.shown(talk.d.world.config.cad_of("sales")), before.cad)
    for refused in ({"case": "8", "due": "tomorrow"}, {"case": "8", "unknown": "1"}, {"case": "x"}):
        assert save(talk, refused).code == "cad-refused"
    assert talk.d.interaction(talk.id) == before
    assert changes(talk) == []


@pytest.mark.req("CAD-16")
def test_each_change_names_the_previously_saved_value_so_that_it_can_be_reverted() -> None:
    talk = Talk()
    save(talk, {"case": "8"})
    (told,) = changes(talk)
    assert (told.values["previous"], told.values["cad"]) == ({"case": "7"}, {"case": "8"})
    save(talk, told.values["previous"])  # type: ignore[arg-type]
    assert talk.d.interaction(talk.id).cad["case"] == "7"


def test_a_change_tells_version_and_author_and_masks_secure_values_old_and_new() -> None:
    talk = Talk()
    version = talk.d.interaction(talk.id).cad_version
    save(talk, {"card": "5500", "due": "2026-11-21"})
    (told,) = changes(talk)
    assert told.values == {
        "cad": {"card": MASK, "due": "2026-11-21"},
        "previous": {"card": MASK, "due": ""},
        "cad_version": version + 1,
        "author": ANNA,
    }


@pytest.mark.req("CAD-17")
@pytest.mark.parametrize("state", [S.QUEUED, S.OFFERED, S.CONNECTED, S.HELD, S.CONFERENCE])
def test_an_integration_writes_in_any_live_state_also_what_agents_may_not_edit(state: S) -> None:
    if state in (S.QUEUED, S.OFFERED):
        d = Driver(config([agent("anna")]), ready=("anna",) if state is S.OFFERED else ())
        call = d.call()
        reply = d.order(EditCad, agent_id="", actor=CRM, interaction_id=call, values={"tier": "silver"})
        written = d.interaction(call)
    else:
        talk = Talk().to(state)
        reply, written = save(talk, {"tier": "silver"}, CRM), talk.d.interaction(talk.id)
        assert save(talk, {"tier": "bronze"}).code == "cad-refused"
    assert (reply.code, written.state) == ("ok", state)
    assert (written.cad["tier"], written.cad_author) == ("silver", CRM)
    assert reply.values["cad_version"] == written.cad_version


@pytest.mark.req("CAD-17", "CAD-08", "CAD-11")
def test_types_lengths_and_versions_bind_an_integration_like_an_agent() -> None:
    talk = Talk()
    seen = talk.d.interaction(talk.id).cad_version
    for wrong in ({"case": "x"}, {"tier": "x" * 257}, {"due": "21.11.2026"}, {"unknown": "1"}):
        assert save(talk, wrong, CRM).code == "cad-refused"
    assert save(talk, {"case": "8"}, ANNA, seen).code == "ok"
    late = save(talk, {"case": "9"}, CRM, seen)
    assert (late.code, late.values["author"]) == ("cad-conflict", ANNA)
    assert talk.order(EditCad, "", values={"case": "5"}).code == "ok"
    assert talk.d.interaction(talk.id).cad_author == "integration"


def test_an_integration_cannot_write_to_a_call_that_is_over() -> None:
    talk = Talk()
    talk.d.hang_up("leg_c1")
    assert save(talk, {"case": "8"}, CRM).code == "interaction-unknown"


@pytest.mark.req("EP-06")
def test_what_the_new_flow_sets_stands_over_the_value_that_was_carried() -> None:
    talk = Talk(centre(entry_points=entry_points()))
    seen = talk.d.interaction(talk.id).cad_version
    assert talk.order(Transfer, to_entry_point="second").code == "ok"
    assert talk.d.interaction(talk.id).cad["case"] == "7"
    assert save(talk, {"case": "700"}, CRM).code == "ok"
    assert talk.d.interaction(talk.id).cad["case"] == "700"
    assert save(talk, {"case": "7"}, CRM, seen).code == "cad-conflict"
    assert talk.d.interaction(talk.id).cad["case"] == "700"


@pytest.mark.req("EP-05", "CAD-11", "A19")
def test_an_edit_from_before_an_entry_point_transfer_loses_to_it() -> None:
    talk = Talk(centre(entry_points=entry_points()))
    save(talk, {"case": "8"}, CRM)
    seen = talk.d.interaction(talk.id).cad_version
    talk.order(Transfer, to_entry_point="second")
    late = save(talk, {"case": "9"}, CRM, seen)
    assert (late.code, late.values["current_version"]) == ("cad-conflict", seen + 1)
    assert (late.values["author"], late.values["current"]) == (ANNA, {"case": "8"})


@pytest.mark.req("A17")
def test_what_does_not_fit_on_the_form_stays_on_the_call() -> None:
    many = tuple(CadVariable(name=f"v{n:02}", label="", order=n) for n in range(35))
    talk = Talk(centre(cad=(*CAD, *many)))
    assert save(talk, {"v34": "kept"}).code == "ok"
    declared = talk.d.world.config.cad_of("sales")
    shown = [v.name for v in cad.shown(declared)]
    assert len(shown) == 30
    assert shown == [v.name for v in sorted(declared.values(), key=lambda v: (v.order, v.name))][:30]
    assert "v34" not in shown
    assert talk.d.interaction(talk.id).cad["v34"] == "kept"


@pytest.mark.req("A18")
def test_a_value_of_256_characters_may_be_longer_before_it_is_normalized() -> None:
    decomposed = "e\N{COMBINING ACUTE ACCENT}" * 256
    talk = Talk(centre(cad=(CadVariable(name="note", label="", type=CadType.STRING),)))
    assert save(talk, {"note": decomposed}).code == "ok"
    assert talk.d.interaction(talk.id).cad["note"] == "é" * 256
    assert save(talk, {"note": decomposed + "x"}).code == "cad-refused"


def test_the_action_is_the_one_that_is_enforced() -> None:
    talk = Talk()
    anna = talk.d.world.agent(ANNA)
    allowed = allowed_actions(talk.d.world.config, talk.d.interaction(talk.id), anna, anna.engagements[talk.id])
    assert {Action.EDIT_CAD, Action.ADD_NOTE} <= allowed
