"""Supervisors in the files: what they become, and every mistake in them (DESK-02)."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import ConfigRefused, load
from routing.app.config.plan import make_plan
from routing.core.supervision import ShowSupervision, SupervisionMode, SupervisorConfig
from routing.core.world import WorldState
from tests.unit.config_dir import write

RITA = '[supervisors.rita]\nname = "Rita"\nphone = "1090"\nteams = ["front"]\n'


@pytest.mark.req("DESK-02")
def test_a_supervisor_has_a_telephone_and_teams(tmp_path: Path) -> None:
    config = load(write(tmp_path, supervisors=RITA)).config
    assert config.supervisors == {
        "rita": SupervisorConfig(id="rita", name="Rita", pbx="ast1", phone="PJSIP/1090", teams=("front",))
    }
    assert config.show_supervision is ShowSupervision.HEARD


@pytest.mark.parametrize("show", list(ShowSupervision))
def test_what_agents_see_is_a_word(tmp_path: Path, show: ShowSupervision) -> None:
    config = load(write(tmp_path, calls=f'[calls]\nshow_supervision = "{show.value}"\n')).config
    assert config.show_supervision is show
    assert show.shows(SupervisionMode.BARGE) is (show is not ShowSupervision.NEVER)


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        (
            RITA.replace("front", "frond"),
            "supervisors.rita.teams[0]",
            "there is no team 'frond'",
        ),
        (RITA + 'pbx = "ast2"\n', "supervisors.rita.pbx", "there is no PBX 'ast2'"),
        (RITA.replace("1090", "user/1090"), "supervisors.rita.phone", ""),
        (RITA.replace("name", "nam"), "supervisors.rita.nam", "unknown key"),
        (RITA + '[calls]\nshow_supervision = "sometimes"\n', "calls.show_supervision", ""),
    ],
)
def test_every_mistake_is_reported_where_it_is(tmp_path: Path, text: str, key: str, reason: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        load(write(tmp_path, supervisors=text))
    found = [problem for problem in refused.value.problems if problem.key == key]
    assert found, [problem.key for problem in refused.value.problems]
    assert found[0].reason.startswith(reason)


def test_with_several_pbxs_his_own_is_named(tmp_path: Path) -> None:
    pbx = '[pbx.ast1]\nsecret_env = "A"\n[pbx.ast2]\nsecret_env = "B"\n'
    with pytest.raises(ConfigRefused) as refused:
        load(write(tmp_path, supervisors=RITA, pbx=pbx))
    assert "supervisors.rita" in [problem.key for problem in refused.value.problems]


def test_a_plan_tells_who_came_and_what_agents_will_see(tmp_path: Path) -> None:
    old = load(write(tmp_path)).config
    new = load(write(tmp_path, supervisors=RITA, calls='[calls]\nshow_supervision = "always"\n')).config
    changes = make_plan(WorldState(config=old), new).changes
    assert [(c.kind, c.id, c.action.value) for c in changes] == [
        ("supervisor", "rita", "added"),
        ("calls", "show_supervision", "changed"),
    ]
