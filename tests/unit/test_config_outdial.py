"""Outdials and limits in the files: what they become, and what cannot have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import Severity, check, load
from routing.app.config.plan import make_plan
from routing.core.config import Profile
from routing.core.limits import CallLimits
from routing.core.outdial import OutdialRules
from routing.core.world import WorldState
from tests.unit.config_dir import write

WORKING = """
[outdial]
entry_point = "main"
default_ani = "+12015550100"
agent_ring_timeout_s = 12
customer_ring_timeout_s = 45

[limits]
tenant_calls = 50
dials_per_minute = 6
tenant_dials_per_minute = 60

[profiles.default]
outdial = true
dial_pad = true
address_book = true
outdial_anis = { Support = "+12015550102", sales = "+12015550101", "Ärzte" = "+12015550103" }
outdial_to_queue = true
available_after_outdial = true
dial = { allowed = ["+1"], international = true }
"""
TRUNK = '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\ndial = "PJSIP/{number}@trunk"\n'


@pytest.mark.req("PERM-03", "PERM-04", "PERM-06", "OUT-02", "SAFE-04")
def test_without_a_word_about_it_nobody_places_calls_and_dialing_is_limited(tmp_path: Path) -> None:
    config = load(write(tmp_path, more="[profiles.lead]\n")).config
    for profile in config.profiles.values():
        assert profile == Profile(id=profile.id)
        switches = (profile.outdial, profile.dial_pad, profile.address_book)
        assert switches == (False, False, False)
        assert (profile.outdial_to_queue, profile.available_after_outdial, profile.record) == (False, False, False)
    assert config.outdial == OutdialRules()
    assert config.limits == CallLimits(dials_per_minute=30)


@pytest.mark.req("PERM-04", "PERM-06", "OUT-09", "OUT-12", "OPS-06")
def test_what_is_written_is_taken_over_and_the_numbers_to_show_are_sorted_by_label(tmp_path: Path) -> None:
    config = load(write(tmp_path, more=WORKING, pbx=TRUNK)).config
    profile = config.profiles["default"]
    assert (profile.outdial, profile.dial_pad, profile.address_book) == (True, True, True)
    assert (profile.outdial_to_queue, profile.available_after_outdial) == (True, True)
    assert list(profile.outdial_anis) == ["sales", "Support", "Ärzte"]
    assert config.outdial == OutdialRules(
        entry_point="main", default_ani="+12015550100", agent_ring_timeout_s=12, customer_ring_timeout_s=45
    )
    assert config.limits == CallLimits(tenant_calls=50, dials_per_minute=6, tenant_dials_per_minute=60)
    assert not check(tmp_path).problems


def test_the_limit_of_the_data_centre_is_a_setting_of_the_server(tmp_path: Path) -> None:
    assert load(write(tmp_path)).server.data_centre_calls is None
    loaded = load(write(tmp_path, server="[server]\ndata_centre_calls = 400\n"))
    assert loaded.server.data_centre_calls == 400


@pytest.mark.req("SAFE-03", "OPS-02", "OUT-10")
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[profiles.default]\noutdial_anis = { Sales = "+1201555;x" }', "profiles.default.outdial_anis.Sales"),
        ('[profiles.default]\noutdial_anis = { "a\\nb" = "+12015550100" }', "profiles.default.outdial_anis"),
        ('[outdial]\ndefault_ani = "anna@home"', "outdial.default_ani"),
        ('[outdial]\nentry_point = "mian"', "outdial.entry_point"),
        ("[outdial]\nagent_ring_timeout_s = 0", "outdial.agent_ring_timeout_s"),
        ("[limits]\ntenant_calls = 0", "limits.tenant_calls"),
        ("[limits]\ndials_per_minute = 0", "limits.dials_per_minute"),
        ("[server]\ndata_centre_calls = 0", "server.data_centre_calls"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, text: str, key: str) -> None:
    problems = [p for p in check(write(tmp_path, more=text + "\n")).problems if p.severity is Severity.ERROR]
    assert [p.key.startswith(key) for p in problems] == [True], problems


@pytest.mark.req("PERM-03", "OPS-02")
@pytest.mark.parametrize(
    ("written", "changed", "key"),
    [
        ("\noutdial = true", "\noutdial = false", "dial_pad"),
        ("dial_pad = true\naddress_book = true", "", "outdial"),
        ('allowed = ["+1"], international = true', "", "outdial"),
        ('entry_point = "main"', "", "outdial"),
    ],
)
def test_an_outdial_that_cannot_work_is_warned_of(tmp_path: Path, written: str, changed: str, key: str) -> None:
    assert WORKING.count(written) == 1
    problems = check(write(tmp_path, more=WORKING.replace(written, changed), pbx=TRUNK)).problems
    assert f"profiles.default.{key}" in [p.key for p in problems]
    assert {p.severity for p in problems} == {Severity.WARNING}


@pytest.mark.req("OPS-02")
def test_a_plan_shows_changed_outdials_limits_and_permissions(tmp_path: Path) -> None:
    old = load(write(tmp_path)).config
    new = load(write(tmp_path, more=WORKING, pbx=TRUNK)).config
    changes = {
        (c.kind, c.id): {f.name: f.new for f in c.fields} for c in make_plan(WorldState(config=old), new).changes
    }
    assert changes["outdial", "outdial"]["entry_point"] == "main"
    assert changes["limits", "limits"]["tenant_calls"] == "50"
    assert changes["profile", "default"]["outdial_anis"].startswith("sales: +12015550101")
