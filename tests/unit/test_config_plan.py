"""What a plan says of a new configuration and of its effects on what lives (OPS-02)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from routing.app.config import load
from routing.app.config.plan import Action, make_plan
from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.config import Config
from routing.core.interaction import Interaction, InteractionState
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from routing.core.world import WorldState
from tests.unit.config_dir import GOOD, replaced, write

pytestmark = pytest.mark.req("OPS-02")


def config(directory: Path, **changes: str) -> Config:
    return replace(load(write(directory, **changes)).config, revision=4)


def call(number: int, state: InteractionState = InteractionState.QUEUED) -> Interaction:
    return Interaction(
        id=f"int_{number}",
        pbx="ast1",
        state=state,
        customer_leg=f"leg_{number}",
        entry_point="main",
        queue="sales",
        ani="1",
        ani_name="",
        dnis="100",
        entered_at_ms=number,
    )


def engaged(state: EngagementState) -> Agent:
    engagement = Engagement(interaction_id="int_1", queue="sales", state=state, since_ms=0, leg_id="leg_9")
    return Agent(id="anna", state=AgentState.AVAILABLE, engagements={"int_1": engagement})


def test_the_same_files_change_nothing_whatever_the_revision(tmp_path: Path) -> None:
    running = config(tmp_path)
    plan = make_plan(WorldState(config=running), replace(running, revision=0))
    assert (plan.base_revision, plan.changes, plan.warnings) == (4, (), ())


def test_added_changed_and_removed_are_told_by_kind_and_field(tmp_path: Path) -> None:
    running = config(tmp_path)
    people = GOOD["people.toml"].replace("agents.ben", "agents.cy").replace("english = 8", "english = 9")
    queues = replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 15")
    plan = make_plan(WorldState(config=running), config(tmp_path, people=people, queues=queues))
    told = [(c.kind, c.id, c.action, [(f.name, f.old, f.new) for f in c.fields]) for c in plan.changes]
    assert told == [
        ("queue", "sales", Action.CHANGED, [("ring_timeout_s", "20", "15")]),
        ("agent", "anna", Action.CHANGED, [("skills", "english 8", "english 9")]),
        ("agent", "ben", Action.REMOVED, []),
        ("agent", "cy", Action.ADDED, []),
    ]


def test_another_label_of_a_team_is_a_change(tmp_path: Path) -> None:
    running = config(tmp_path)
    (team,) = running.teams.values()
    plan = make_plan(WorldState(config=running), replace(running, teams={team.id: replace(team, label="Front desk")}))
    assert [(c.kind, c.id, c.action) for c in plan.changes] == [("team", team.id, Action.CHANGED)]
    assert [f.name for f in plan.changes[0].fields] == ["label"]


def test_a_changed_pin_is_told_without_the_pin(tmp_path: Path) -> None:
    running = config(tmp_path, people=replaced("people", 'name = "Anna"', 'name = "Anna"\npin = "471147"'))
    new = config(tmp_path, people=replaced("people", 'name = "Anna"', 'name = "Anna"\npin = "081508"'))
    plan = make_plan(WorldState(config=running), new)
    assert [f.name for c in plan.changes for f in c.fields] == ["pin"]
    assert "471147" not in repr(plan)
    assert "081508" not in repr(plan)


def test_removing_a_queue_with_waiting_calls_warns(tmp_path: Path) -> None:
    running = config(tmp_path)
    state = WorldState(config=running, interactions={f"int_{n}": call(n) for n in (1, 2)})
    plan = make_plan(state, replace(running, queues={}))
    assert "queue sales is removed: 2 waiting calls, each of which goes back to the dialplan with" in plan.warnings[0]


def test_removing_a_queue_without_calls_does_not_warn(tmp_path: Path) -> None:
    running = config(tmp_path)
    plan = make_plan(WorldState(config=running), replace(running, queues={}))
    assert plan.warnings == ()
    assert [(c.kind, c.action) for c in plan.changes] == [("queue", Action.REMOVED)]


def test_other_skills_of_a_queue_with_waiting_calls_warn(tmp_path: Path) -> None:
    running = config(tmp_path)
    state = WorldState(config=running, interactions={"int_1": call(1)})
    plan = make_plan(state, config(tmp_path, queues=replaced("queues", "english = 5", "english = 6")))
    assert plan.warnings == (
        "queue sales asks for other skills: 1 waiting call takes them on at once and keeps its place",
    )


@pytest.mark.parametrize(
    ("agent", "warning"),
    [
        (Agent(id="anna"), None),
        (Agent(id="anna", state=AgentState.AVAILABLE), "removed while available: he is signed out and gets no call"),
        (engaged(EngagementState.CONNECTED), "removed while connected: his call goes on, he gets no further one"),
        (engaged(EngagementState.WRAP_UP), "removed while wrap_up: he finishes his wrap-up and gets no call"),
    ],
)
def test_removing_an_agent_warns_of_what_he_is_doing(tmp_path: Path, agent: Agent, warning: str | None) -> None:
    running = config(tmp_path)
    rest = {id_: other for id_, other in running.agents.items() if id_ != "anna"}
    plan = make_plan(WorldState(config=running, agents={"anna": agent}), replace(running, agents=rest))
    assert plan.warnings == ((f"agent anna is {warning}",) if warning else ())


def test_another_phone_for_a_signed_in_agent_warns(tmp_path: Path) -> None:
    running = config(tmp_path)
    state = WorldState(config=running, agents={"anna": Agent(id="anna", state=AgentState.AVAILABLE)})
    plan = make_plan(state, config(tmp_path, people=replaced("people", "PJSIP/1001", "PJSIP/1009")))
    assert plan.warnings == ("agent anna gets another phone while available: offers ring there from now on",)


def test_removing_a_pbx_with_calls_warns(tmp_path: Path) -> None:
    running = config(tmp_path)
    state = WorldState(config=running, interactions={"int_1": call(1, InteractionState.CONNECTED)})
    plan = make_plan(state, replace(running, pbxs={}))
    assert plan.warnings == ("PBX ast1 is removed: 1 live call on it is no longer steered",)


@pytest.mark.req("REC-01", "REC-02", "REC-04")
def test_recording_is_set_per_profile_and_its_pause_for_all(tmp_path: Path) -> None:
    running = config(tmp_path)
    assert not running.profiles["default"].record
    assert running.recording_pause_s is None
    more = "[profiles.default]\nrecord = true\n[calls]\nrecording_pause_s = 90\n"
    new = load(write(tmp_path, recording=more)).config
    assert (new.profiles["default"].record, new.recording_pause_s) == (True, 90)
    told = [(c.kind, c.id, f.name, f.new) for c in make_plan(WorldState(config=running), new).changes for f in c.fields]
    assert told == [("profile", "default", "record", "yes"), ("calls", "recording_pause_s", "recording_pause_s", "90")]


@pytest.mark.req("OPS-02")
def test_a_table_in_a_plan_names_what_is_given_and_nothing_else(tmp_path: Path) -> None:
    running = config(tmp_path)
    queue = next(iter(running.queues.values()))
    overflow = {OverflowCause.FULL: Overflow(to=OverflowTo.CALLBACK)}
    new = replace(running, queues={**running.queues, queue.id: replace(queue, overflow=overflow)})
    (change,) = make_plan(WorldState(config=running), new).changes
    assert [(f.name, f.new) for f in change.fields] == [("overflow", "full: (to callback)")]
