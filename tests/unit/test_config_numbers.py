"""Trunk, rules and rights for dial numbers in the files: what they become, and what is a mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from routing.app.config import Severity, check, load
from routing.app.config.plan import make_plan
from routing.core.config import Numbers
from routing.core.dial_rights import DialRights
from routing.core.world import WorldState
from tests.unit.config_dir import write

PBX = '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\n'
TRUNK = PBX + 'dial = "PJSIP/{number}@trunk"\n'


@pytest.mark.req("SAFE-04", "A1")
def test_without_a_word_about_it_nothing_may_be_dialed(tmp_path: Path) -> None:
    config = load(write(tmp_path, more="[profiles.lead]\n")).config
    assert {profile.dial for profile in config.profiles.values()} == {DialRights()}
    assert DialRights().allowed == ()
    assert not DialRights().international
    assert not DialRights().premium
    assert config.pbxs["ast1"].dial == ""
    assert config.numbers == Numbers()
    assert config.numbers.max_digits == 14


@pytest.mark.req("SAFE-04", "A1", "A3", "A4")
def test_trunk_rules_and_rights_are_taken_over(tmp_path: Path) -> None:
    text = """
[profiles.default.dial]
allowed = ["+1", "*7"]
denied = ["+1900"]
min_digits = 4
max_digits = 12
international = true
premium = true
[numbers]
max_digits = 15
idd = ["810"]
country = "7"
premium = ["+7809"]
ring_timeout_s = 45
"""
    pbx = TRUNK + 'dial_colon = "*"\ndial_caller_id = "+12015550000"\n'
    config = load(write(tmp_path, more=text, pbx=pbx)).config
    assert config.profiles["default"].dial == DialRights(
        allowed=("+1", "*7"), denied=("+1900",), min_digits=4, max_digits=12, international=True, premium=True
    )
    assert config.numbers == Numbers(max_digits=15, idd=("810",), country="7", premium=("+7809",), ring_timeout_s=45)
    one = config.pbxs["ast1"]
    assert (one.dial, one.dial_colon, one.dial_caller_id) == ("PJSIP/{number}@trunk", "*", "+12015550000")


@pytest.mark.req("SAFE-03", "SAFE-04", "A1", "A4", "OPS-02")
@pytest.mark.parametrize(
    ("pbx", "more", "key"),
    [
        (PBX + 'dial = "PJSIP/trunk"', "", "pbx.ast1.dial"),
        (PBX + 'dial = "PJSIP/{number}@trunk&PJSIP/1"', "", "pbx.ast1.dial"),
        (PBX + 'dial = "PJSIP/{number}{number}@t"', "", "pbx.ast1.dial"),
        (PBX + 'dial = "PJSIP/{number}@t,30"', "", "pbx.ast1.dial"),
        (TRUNK + 'dial_colon = ":"', "", "pbx.ast1.dial_colon"),
        (TRUNK + 'dial_colon = "1"', "", "pbx.ast1.dial_colon"),
        (TRUNK + 'dial_caller_id = "Anna"', "", "pbx.ast1.dial_caller_id"),
        (TRUNK, "[numbers]\nmax_digits = 16", "numbers.max_digits"),
        (TRUNK, "[numbers]\nmax_digits = 13", "numbers.max_digits"),
        (TRUNK, '[numbers]\ncountry = "01"', "numbers.country"),
        (TRUNK, '[numbers]\nidd = ["+"]', "numbers.idd[0]"),
        (TRUNK, '[profiles.a.dial]\nallowed = ["1-2"]', "profiles.a.dial.allowed[0]"),
        (TRUNK, '[profiles.a.dial]\nallowed = [""]', "profiles.a.dial.allowed[0]"),
        (TRUNK, '[profiles.a.dial]\nallow = ["+1"]', "profiles.a.dial.allow"),
        (TRUNK, "[profiles.a.dial]\nmin_digits = 9\nmax_digits = 8", "profiles.a.dial"),
        (TRUNK, "[profiles.a.dial]\nmin_digits = 2", "profiles.a.dial.min_digits"),
    ],
)
def test_a_mistake_is_an_error_at_its_key(tmp_path: Path, pbx: str, more: str, key: str) -> None:
    (problem,) = check(write(tmp_path, pbx=pbx, more=more)).problems
    assert (problem.key, problem.severity) == (key, Severity.ERROR)


@pytest.mark.req("SAFE-04", "OPS-02")
@pytest.mark.parametrize(
    ("pbx", "rights", "reason"),
    [
        (PBX, 'allowed = ["+1"]', "no PBX has a trunk"),
        (TRUNK, 'denied = ["+1"]', "'allowed' has no prefix"),
        (TRUNK, "international = true", "'allowed' has no prefix"),
        (TRUNK, 'allowed = ["+1201"]\ndenied = ["+12"]', "it is denied as well"),
        (TRUNK, 'allowed = ["+44"]', "'international' is off"),
        (TRUNK, 'allowed = ["01144"]', "'international' is off"),
        (TRUNK, 'allowed = ["+1900"]', "'premium' is off"),
        (TRUNK, 'allowed = ["+1"]\nmin_digits = 15', "numbers have at most 14 digits"),
    ],
)
def test_rights_that_allow_nothing_are_a_warning(tmp_path: Path, pbx: str, rights: str, reason: str) -> None:
    more = f'[profiles.a.dial]\n{rights}\n[numbers]\ncountry = "1"\n'
    (problem,) = check(write(tmp_path, pbx=pbx, more=more)).problems
    assert problem.severity is Severity.WARNING
    assert reason in problem.reason


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("prefix", ["+", "+1", "+1201", "0", "01", "011", "0111", "5", "*"])
def test_rights_that_allow_something_are_none(tmp_path: Path, prefix: str) -> None:
    more = f'[profiles.a.dial]\nallowed = ["{prefix}"]\n[numbers]\ncountry = "1"\n'
    assert check(write(tmp_path, pbx=TRUNK, more=more)).problems == ()


@pytest.mark.req("OPS-02", "SAFE-04")
def test_a_plan_tells_a_change_of_rights_trunk_and_rules(tmp_path: Path) -> None:
    running = load(write(tmp_path)).config
    more = '[profiles.default.dial]\nallowed = ["+1"]\n[numbers]\ncountry = "1"\n'
    plan = make_plan(WorldState(config=running), replace(load(write(tmp_path, pbx=TRUNK, more=more)).config))
    told = {(c.kind, f.name, f.new) for c in plan.changes for f in c.fields}
    assert ("pbx", "dial", "PJSIP/{number}@trunk") in told
    assert ("numbers", "country", "1") in told
    assert any(kind == "profile" and name == "dial" and "allowed +1" in new for kind, name, new in told)
