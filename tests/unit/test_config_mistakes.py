"""Every mistake is reported with file, line, key and reason (OPS-02)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from routing.app.config import ConfigRefused, Severity, check, load
from tests.unit.config_dir import GOOD, replaced, write


@dataclass(frozen=True, kw_only=True)
class Mistake:
    name: str
    file: str
    old: str
    new: str
    line: int
    key: str
    reason: str
    severity: Severity = Severity.ERROR


W = Severity.WARNING
STEP_30 = "after_s = 30\nrequires = { english = 2 }\n"
STEP_60 = "\n[[queues.sales.relaxation]]\nafter_s = 60\n"

MISTAKES = [
    Mistake(
        name="unknown key",
        file="queues",
        old="after_s = 30",
        new="after_s = 30\nafters = 1",
        line=7,
        key="queues.sales.relaxation[0].afters",
        reason="unknown key; did you mean 'after_s'?",
    ),
    Mistake(
        name="unknown key in an inline table",
        file="queues",
        old="timeout_s = 20",
        new="timeout = 20",
        line=3,
        key="queues.sales.wrap_up.timeout",
        reason="unknown key; did you mean 'timeout_s'?",
    ),
    Mistake(
        name="unknown section",
        file="queues",
        old="[reasons]",
        new="[reason]",
        line=16,
        key="reason",
        reason="unknown section; did you mean 'reasons'?",
    ),
    Mistake(
        name="wrong type",
        file="queues",
        old="after_s = 30",
        new='after_s = "30"',
        line=6,
        key="queues.sales.relaxation[0].after_s",
        reason="must be a valid integer, not '30'",
    ),
    Mistake(
        name="boolean for a number",
        file="people",
        old="english = 8",
        new="english = true",
        line=12,
        key="agents.anna.skills.english",
        reason="must be a valid integer, not True",
    ),
    Mistake(
        name="level above 10",
        file="people",
        old="english = 8",
        new="english = 11",
        line=12,
        key="agents.anna.skills.english",
        reason="must be less than or equal to 10, not 11",
    ),
    Mistake(
        name="level 0",
        file="queues",
        old="english = 5",
        new="english = 0",
        line=2,
        key="queues.sales.requires.english",
        reason="must be greater than or equal to 1, not 0",
    ),
    Mistake(
        name="priority above 10",
        file="queues",
        old="[queues.sales]",
        new="[queues.sales]\npriority = 11",
        line=2,
        key="queues.sales.priority",
        reason="must be less than or equal to 10, not 11",
    ),
    Mistake(
        name="unknown strategy",
        file="queues",
        old="[queues.sales]",
        new='[queues.sales]\nstrategy = "longest-idle"',
        line=2,
        key="queues.sales.strategy",
        reason="'longest-idle' is none of longest_idle, most_skilled, least_occupied, round_robin, ring_all, linear;"
        " did you mean 'longest_idle'?",
    ),
    Mistake(
        name="missing key",
        file="people",
        old='name = "Ben"\n',
        new="",
        line=14,
        key="agents.ben.name",
        reason="'name' is required",
    ),
    Mistake(
        name="phone that could break out of a dial string",
        file="people",
        old="PJSIP/1001",
        new="PJSIP/1001&PJSIP/1002",
        line=11,
        key="agents.anna.phone",
        reason="is not of the form",
    ),
    Mistake(
        name="unusable id",
        file="people",
        old="[agents.anna]",
        new="[agents.Anna]",
        line=8,
        key="agents.Anna",
        reason="not a usable name: lower-case letters",
    ),
    Mistake(
        name="entry that is no table",
        file="queues",
        old="[cad.customer]\nlabel",
        new='[cad]\ncustomer = "x"\n[cad.other]\nlabel',
        line=14,
        key="cad.customer",
        reason="must be a table, not 'x'",
    ),
    Mistake(
        name="unknown queue of a team",
        file="people",
        old="sales = 1",
        new="sale = 1",
        line=6,
        key="teams.front.queues.sale",
        reason="there is no queue 'sale'; did you mean 'sales'?",
    ),
    Mistake(
        name="unknown queue of an entry point",
        file="queues",
        old='queue = "sales"',
        new='queue = "help"',
        line=10,
        key="entry_points.main.queue",
        reason="there is no queue 'help'",
    ),
    Mistake(
        name="unknown team",
        file="people",
        old='name = "Ben"\nteam = "front"',
        new='name = "Ben"\nteam = "fornt"',
        line=16,
        key="agents.ben.team",
        reason="there is no team 'fornt'; did you mean 'front'?",
    ),
    Mistake(
        name="skill of an agent that is not declared",
        file="people",
        old="skills = { english = 8 }",
        new="skills = { englich = 8 }",
        line=12,
        key="agents.anna.skills.englich",
        reason="there is no skill 'englich'; did you mean 'english'?",
    ),
    Mistake(
        name="skill of a queue that is not declared",
        file="queues",
        old="requires = { english = 2 }",
        new="requires = { swedish = 2 }",
        line=7,
        key="queues.sales.relaxation[0].requires.swedish",
        reason="there is no skill 'swedish'",
    ),
    Mistake(
        name="unknown profile",
        file="people",
        old='phone = "PJSIP/1001"',
        new='phone = "PJSIP/1001"\nprofile = "lead"',
        line=12,
        key="agents.anna.profile",
        reason="there is no profile 'lead'",
    ),
    Mistake(
        name="unknown PBX",
        file="people",
        old='phone = "PJSIP/1001"',
        new='phone = "PJSIP/1001"\npbx = "ast2"',
        line=12,
        key="agents.anna.pbx",
        reason="there is no PBX 'ast2'; did you mean 'ast1'?",
    ),
    Mistake(
        name="wrap-up reason that is not declared",
        file="queues",
        old='default_reason = "Done"',
        new='default_reason = "Dome"',
        line=3,
        key="queues.sales.wrap_up.default_reason",
        reason="'Dome' is not in reasons.wrap_up; did you mean 'Done'?",
    ),
    Mistake(
        name="idle reason that is not declared",
        file="queues",
        old="[queues.sales]",
        new='[queues.sales]\non_miss.busy = { then = "idle", idle_reason = "Away" }',
        line=2,
        key="queues.sales.on_miss.busy.idle_reason",
        reason="'Away' is not in reasons.idle",
    ),
    Mistake(
        name="idle without a reason",
        file="queues",
        old="[queues.sales]",
        new='[queues.sales]\non_miss.busy = { then = "idle" }',
        line=2,
        key="queues.sales.on_miss.busy",
        reason='then = "idle" needs an idle_reason',
    ),
    Mistake(
        name="idle reason without idle",
        file="queues",
        old="[queues.sales]",
        new='[queues.sales]\non_miss.busy = { idle_reason = "Break" }',
        line=2,
        key="queues.sales.on_miss.busy.idle_reason",
        reason="has no meaning without",
    ),
    Mistake(
        name="unknown cause of a miss",
        file="queues",
        old="[queues.sales]",
        new="[queues.sales]\non_miss.bussy = {}",
        line=2,
        key="queues.sales.on_miss.bussy",
        reason="'bussy' is none of no_answer, rejected, busy, unreachable; did you mean 'busy'?",
    ),
    Mistake(
        name="offer variable that is not declared",
        file="queues",
        old="[queues.sales]",
        new='[queues.sales]\noffer_variables = [\n  "customer",\n  "costumer",\n]',
        line=4,
        key="queues.sales.offer_variables[1]",
        reason="no CAD variable 'costumer' is declared; did you mean 'customer'?",
    ),
    Mistake(
        name="shared phone",
        file="people",
        old="PJSIP/1002",
        new="PJSIP/1001",
        line=17,
        key="agents.ben.phone",
        reason="agent 'anna' has this phone too (people.toml, line 8)",
    ),
    Mistake(
        name="shared number",
        file="queues",
        old='numbers = ["100"]',
        new='numbers = ["100"]\n[entry_points.other]\nqueue = "sales"\nnumbers = ["101",\n"100"]',
        line=15,
        key="entry_points.other.numbers[1]",
        reason="100 leads to entry point 'main' already (queues.toml, line 9)",
    ),
    Mistake(
        name="screen pop with an unknown placeholder",
        file="queues",
        old='numbers = ["100"]',
        new='numbers = ["100"]\nscreen_pop = "https://crm.example/{caller}"',
        line=12,
        key="entry_points.main.screen_pop",
        reason="there is no placeholder {caller}; there are ani, dnis, queue, entry_point, interaction_id, agent_id "
        "and cad.NAME",
    ),
    Mistake(
        name="screen pop with a secure variable",
        file="queues",
        old='label = "Customer"',
        new='label = "Customer"\n[entry_points.main.cad.customer]\nsecure = true\n'
        '[entry_points.second]\nqueue = "sales"\nscreen_pop = "https://crm.example/{cad.customer}"\n'
        "cad = { customer = { secure = true } }",
        line=19,
        key="entry_points.second.screen_pop",
        reason="the CAD variable 'customer' is secure and must not get into a URL",
    ),
    Mistake(
        name="screen pop that is no web page",
        file="queues",
        old='numbers = ["100"]',
        new='numbers = ["100"]\nscreen_pop = "file:///etc/{ani}"',
        line=12,
        key="entry_points.main.screen_pop",
        reason="must begin with http:// or https:// and a host name without placeholders",
    ),
    Mistake(
        name="number listed twice",
        file="queues",
        old='numbers = ["100"]',
        new='numbers = ["100", "100"]',
        line=11,
        key="entry_points.main.numbers[1]",
        reason="100 is listed twice",
    ),
    Mistake(
        name="reason listed twice",
        file="queues",
        old='idle = ["Break"]',
        new='idle = ["Break",\n"Break"]',
        line=18,
        key="reasons.idle[1]",
        reason="'Break' is listed twice",
    ),
    Mistake(
        name="step that is not later",
        file="queues",
        old=STEP_30,
        new=STEP_30 + "\n[[queues.sales.relaxation]]\nafter_s = 30\nrequires = {}\n",
        line=10,
        key="queues.sales.relaxation[1].after_s",
        reason="never reached: 30 is not later than the step before (30)",
    ),
    Mistake(
        name="step after the longest wait",
        file="queues",
        old="[queues.sales]",
        new="[queues.sales]\nmax_wait_s = 30",
        line=7,
        key="queues.sales.relaxation[0].after_s",
        reason="never reached: callers leave the queue after 30 s",
        severity=W,
    ),
    Mistake(
        name="step that never widens",
        file="queues",
        old=STEP_30,
        new=STEP_30 + STEP_60 + "requires = { english = 6, billing = 1 }\n",
        line=9,
        key="queues.sales.relaxation[1]",
        reason="never widens",
        severity=W,
    ),
    Mistake(
        name="step that adds nobody",
        file="queues",
        old=STEP_30,
        new=STEP_30 + STEP_60 + "requires = {}\n",
        line=9,
        key="queues.sales.relaxation[1]",
        reason="adds nobody: all 2 agents who meet it were eligible before 60 s",
        severity=W,
    ),
    Mistake(
        name="queue whose skills nobody has",
        file="queues",
        old=STEP_30,
        new="after_s = 30\nrequires = { english = 10 }\n[queues.expert]\nrequires = { billing = 6 }\n",
        line=8,
        key="queues.expert",
        reason="nobody can serve it: no agent",
        severity=W,
    ),
    Mistake(
        name="queue with members of too low a level",
        file="queues",
        old="requires = { english = 5 }",
        new="requires = { billing = 6 }",
        line=2,
        key="queues.sales.requires",
        reason="nobody can serve it before 30 s of waiting: none of its 2 agents has billing at level 6 (best: 5)",
        severity=W,
    ),
    Mistake(
        name="queue nobody can serve at any step",
        file="queues",
        old='requires = { english = 5 }\nwrap_up = { timeout_s = 20, default_reason = "Done" }\n\n'
        "[[queues.sales.relaxation]]\nafter_s = 30\nrequires = { english = 2 }\n",
        new="requires = { english = 5, billing = 5 }\n",
        line=1,
        key="queues.sales",
        reason="nobody can serve it: none of its 2 agents has all of billing, english",
        severity=W,
    ),
    Mistake(
        name="ring time too short",
        file="queues",
        old="[queues.sales]",
        new="[queues.sales]\nring_timeout_s = 3",
        line=2,
        key="queues.sales.ring_timeout_s",
        reason="3 s is too short to take a call",
        severity=W,
    ),
    Mistake(
        name="agent without a queue",
        file="people",
        old='phone = "PJSIP/1001"',
        new='phone = "PJSIP/1001"\nqueues = []',
        line=8,
        key="agents.anna",
        reason="has no queue",
        severity=W,
    ),
    Mistake(
        name="more than 30 shown variables",
        file="queues",
        old='[cad.customer]\nlabel = "Customer"\n',
        new="[cad.customer]\n" + "".join(f"[cad.v{n}]\norder = {n}\n" for n in range(1, 31)),
        line=72,
        key="cad.v30",
        reason="31 variables are shown, agents see the first 30",
        severity=W,
    ),
    Mistake(
        name="two secrets",
        file="pbx",
        old="[pbx.ast1]",
        new='[pbx.ast1]\nsecret = "s3cret"',
        line=1,
        key="pbx.ast1",
        reason="give exactly one of secret, secret_env, secret_file",
    ),
    Mistake(
        name="no secret",
        file="pbx",
        old='secret_env = "NOBODY_SETS_THIS"',
        new="",
        line=1,
        key="pbx.ast1",
        reason="give exactly one of secret, secret_env, secret_file",
    ),
    Mistake(
        name="limit and no limit of wrap-up",
        file="queues",
        old="timeout_s = 20",
        new="timeout_s = 20, until_reason = true",
        line=3,
        key="queues.sales.wrap_up",
        reason="until_reason has no time limit",
    ),
    Mistake(
        name="syntax",
        file="people",
        old='name = "Ben"',
        new="name = Ben",
        line=15,
        key="",
        reason="Invalid value",
    ),
    Mistake(
        name="syntax at the end",
        file="queues",
        old='wrap_up = ["Done"]\n',
        new='wrap_up = ["Done"\n',
        line=18,
        key="",
        reason="Unclosed array",
    ),
    Mistake(
        name="table declared twice in a file",
        file="people",
        old="[agents.ben]",
        new="[agents.anna]",
        line=14,
        key="",
        reason="Cannot declare ('agents', 'anna') twice",
    ),
]


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name.replace(" ", "-"))
def test_a_mistake_is_reported_where_it_stands(mistake: Mistake, tmp_path: Path) -> None:
    text = replaced(mistake.file, mistake.old, mistake.new)
    checked = check(write(tmp_path, **{mistake.file: text}))
    found = [p for p in checked.problems if p.key == mistake.key and mistake.reason in p.reason]
    assert found, "\n".join(map(str, checked.problems))
    assert [(p.file.name, p.line, p.severity) for p in found] == [
        (f"{mistake.file}.toml", mistake.line, mistake.severity)
    ]
    assert (checked.loaded is None) == any(p.severity is Severity.ERROR for p in checked.problems)


def test_the_good_configuration_has_no_mistake(tmp_path: Path) -> None:
    assert check(write(tmp_path)).problems == ()


def test_all_mistakes_are_reported_at_once_and_in_order(tmp_path: Path) -> None:
    people = replaced("people", "english = 8", "english = 11").replace("PJSIP/1002", "no phone").replace("Ben", "")
    queues = replaced("queues", 'queue = "sales"', 'queue = "help"')
    problems = check(write(tmp_path, people=people, queues=queues)).problems
    assert [(p.file.name, p.line) for p in problems] == [
        ("people.toml", 12),
        ("people.toml", 15),
        ("people.toml", 17),
        ("queues.toml", 10),
    ]


def test_a_wrong_entry_still_exists_for_those_who_name_it(tmp_path: Path) -> None:
    checked = check(write(tmp_path, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nnonsense = 1")))
    assert [p.key for p in checked.problems] == ["queues.sales.nonsense"]


def test_an_entry_in_two_files_is_a_mistake_naming_the_other(tmp_path: Path) -> None:
    problems = check(write(tmp_path, zebra='[agents.anna]\nname = "Other"\n')).problems
    assert [(p.file.name, p.line, p.key, p.reason) for p in problems] == [
        ("zebra.toml", 1, "agents.anna", "already in people.toml, line 8")
    ]


def test_sections_may_be_spread_over_files(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, more='[agents.cy]\nname = "Cy"\nteam = "front"\nphone = "PJSIP/3"\n[queues.idle]\n'))
    assert set(loaded.config.agents) == {"anna", "ben", "cy"}
    assert [(p.file.name, p.line, p.key) for p in loaded.warnings] == [("more.toml", 5, "queues.idle")]


def test_a_second_pbx_makes_the_agents_say_theirs(tmp_path: Path) -> None:
    checked = check(write(tmp_path, more='[pbx.ast2]\nsecret_env = "X"\n'))
    assert [(p.key, p.reason) for p in checked.problems] == [
        ("agents.anna", "'pbx' is required, since there are several"),
        ("agents.ben", "'pbx' is required, since there are several"),
    ]


def test_the_same_phone_on_two_pbxs_is_two_phones(tmp_path: Path) -> None:
    people = GOOD["people.toml"].replace(
        'team = "front"\nphone = "PJSIP/1001"', 'team = "front"\nphone = "P/1"\npbx="ast1"'
    )
    people = people.replace('phone = "PJSIP/1002"', 'phone = "P/1"\npbx="ast2"')
    problems = check(write(tmp_path, people=people, more='[pbx.ast2]\nsecret_env = "X"\n')).problems
    assert {(p.key, p.severity) for p in problems} == {
        ("pbx.ast1.trunks", Severity.WARNING),
        ("pbx.ast2.trunks", Severity.WARNING),
    }


def test_bytes_that_are_no_text_are_reported_by_line(tmp_path: Path) -> None:
    (write(tmp_path) / "bad.toml").write_bytes(b"# fine\n# not \xff fine\n")
    assert [(p.file.name, p.line, p.reason) for p in check(tmp_path).problems] == [("bad.toml", 2, "not UTF-8 text")]


def test_a_directory_without_files_or_none_at_all_is_reported(tmp_path: Path) -> None:
    assert [p.reason for p in check(tmp_path).problems] == ["holds no *.toml file"]
    assert "cannot be read" in check(tmp_path / "missing").problems[0].reason


def test_load_refuses_errors_with_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, queues=replaced("queues", "english = 5", "english = 50").replace('"Customer"', "5"))
    with pytest.raises(ConfigRefused) as caught:
        load(tmp_path)
    assert [p.key for p in caught.value.problems] == ["queues.sales.requires.english", "cad.customer.label"]
    assert "2 mistakes" in str(caught.value)
