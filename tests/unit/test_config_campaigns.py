"""Campaigns in the files: what they become, what is refused, and what cannot have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import Severity, check, load
from routing.app.config.plan import make_plan
from routing.app.settings import RetentionSettings
from routing.core.campaign_rules import (
    DEFAULT_RETRIES,
    Answer,
    AttemptResult,
    Blend,
    DialMode,
    Disposition,
    Guarantee,
    OnMachine,
    Question,
    RecordField,
    Response,
    RetryRule,
)
from routing.core.world import WorldState
from tests.unit.config_dir import write

TRUNK = '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\ndial = "PJSIP/{number}@trunk"\n'
NO_TRUNK = '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\n'
LEAST = """
[campaigns.spring]
mode = "{mode}"
queue = "sales"
teams = ["front"]
ani = "+12015550100"
dial.allowed = ["+1201"]
pacing.message = "sorry"

[prompts.sorry]
sound = "vm-goodbye"
"""
FULL = """
[campaigns.spring]
label = "Spring offer"
mode = "preview"
queue = "sales"
teams = ["front"]
ani = "+12015550100"
entry_point = "main"
pbx = "ast1"
dial.allowed = ["+1201"]
ring_timeout_s = 20
hours = "calling"
time_zone = "America/New_York"
hopper = 50
limits = { record = 4, number_per_day = 1 }
retries.busy = { after_s = [60, 120], most = 2, next_number = true }
preview = { dial_on_accept = false, dial_after_s = 10 }
machines = { detect = true, on_machine = "leave_message", message = "sorry", false_positives = 0.1 }
pacing = { cap = 0.01, window_days = 1, guarantee = "worst_case", lines = 30, message = "sorry" }
blend = "service_level"
case_fields = { label = "Campaign", number = "Number" }
record_fields = { car = "His car" }
require_disposition = true
dispositions.sold = { label = "Sold" }
dispositions.later = { label = "Not now", closes = false, retry_s = 86400 }
dispositions.never = { label = "Never again", do_not_call = true }
guide = [
  { id = "interest", text = "Interested?", answers = [
    { id = "yes", label = "Yes" }, { id = "no", label = "No", next = "end" } ] },
  { id = "when", text = "When?", optional = true },
]
responses.price = { title = "Price", text = "Ten a month." }

[responses.bye]
title = "Farewell"
text = "Thank you."

[hours.calling]
mon = ["10:00-20:00"]

[prompts.sorry]
sound = "vm-goodbye"

[profiles.default]
reschedule = true
reschedule_before_dial = true
"""


def _problems(directory: Path, text: str, pbx: str = TRUNK) -> list[str]:
    found = check(write(directory, more=text, pbx=pbx)).problems
    return [f"{p.severity.value}: {p.reason}" for p in found]


@pytest.mark.req("CAMP-02", "CAMP-07", "DIALER-01", "PREV-04", "PREV-05", "DISP-01", "GUIDE-01", "ACT-05", "PERM-07")
def test_what_is_written_is_taken_over(tmp_path: Path) -> None:
    config = load(write(tmp_path, more=FULL, pbx=TRUNK)).config
    campaign = config.campaigns["spring"]
    assert (campaign.label, campaign.mode, campaign.teams) == ("Spring offer", DialMode.PREVIEW, ("front",))
    assert (campaign.entry_point, campaign.hours, campaign.default_zone) == ("main", "calling", "America/New_York")
    assert (campaign.limits.record, campaign.limits.record_per_day, campaign.limits.number_per_day) == (4, 3, 1)
    assert campaign.retries[AttemptResult.BUSY] == RetryRule(after_s=(60, 120), most=2, next_number=True)
    assert campaign.retries[AttemptResult.NO_ANSWER] == DEFAULT_RETRIES[AttemptResult.NO_ANSWER]
    assert (campaign.preview.dial_on_accept, campaign.preview.dial_after_s) == (False, 10)
    assert (campaign.machines.is_on, campaign.machines.on_machine) == (True, OnMachine.LEAVE_MESSAGE)
    assert (campaign.machines.message, campaign.machines.false_positives) == ("sorry", 0.1)
    assert (campaign.pacing.cap, campaign.pacing.window_days) == (0.01, 1)
    assert (campaign.pacing.guarantee, campaign.pacing.lines) == (Guarantee.WORST_CASE, 30)
    assert campaign.blend is Blend.SERVICE_LEVEL
    assert campaign.case_fields == (
        RecordField(name="label", label="Campaign"),
        RecordField(name="number", label="Number"),
    )
    assert campaign.record_fields == (RecordField(name="car", label="His car"),)
    assert campaign.require_disposition
    assert campaign.dispositions == (
        Disposition(code="sold", label="Sold"),
        Disposition(code="later", label="Not now", closes=False, retry_s=86_400),
        Disposition(code="never", label="Never again", do_not_call=True),
    )
    assert campaign.guide[0].answers[1] == Answer(id="no", label="No", next="end")
    assert campaign.guide[1] == Question(id="when", text="When?", is_optional=True)
    assert campaign.responses == (Response(id="price", title="Price", text="Ten a month."),)
    assert config.responses == (Response(id="bye", title="Farewell", text="Thank you."),)
    profile = config.profiles["default"]
    assert (profile.reschedule, profile.reschedule_before_dial) == (True, True)
    assert (profile.reschedule_personal, profile.other_number) == (False, False)


@pytest.mark.req("OPS-07")
def test_the_ledger_is_kept_for_five_years_unless_it_is_said_that_no_law_demands_it(tmp_path: Path) -> None:
    def kept(text: str) -> RetentionSettings | str:
        checked = check(write(tmp_path, more=f"[retention]\n{text}"))
        return checked.loaded.server.retention if checked.loaded else str(checked.problems[0])

    usual = kept("")
    assert isinstance(usual, RetentionSettings)
    assert (usual.campaign_days, usual.ledger_days, usual.report_days) == (1827, 1827, 1827)
    assert usual.history_days is None
    assert "ledger_below_minimum" in str(kept("ledger_days = 1826"))
    short = kept("ledger_days = 90\nledger_below_minimum = true\nreport_days = 0")
    assert isinstance(short, RetentionSettings)
    assert (short.ledger_days, short.report_days) == (90, None), "0 is for ever"


@pytest.mark.req("OPS-07", "DIALER-05")
def test_attempts_are_kept_for_as_long_as_their_drops_count(tmp_path: Path) -> None:
    campaign = LEAST.format(mode="preview")
    refused = check(write(tmp_path, more=f"{campaign}[retention]\ncampaign_days = 29\n", pbx=TRUNK))
    assert refused.loaded is None
    assert "'spring' counts its drops over 30 days" in str(refused.problems[0])
    assert check(write(tmp_path, more=f"{campaign}[retention]\ncampaign_days = 30\n", pbx=TRUNK)).loaded


@pytest.mark.req("DIALER-01", "DIALER-05")
@pytest.mark.parametrize("mode", list(DialMode))
def test_the_defaults_keep_the_law_and_seize_agents_where_calls_are_begun_ahead(tmp_path: Path, mode: DialMode) -> None:
    checked = check(write(tmp_path, more=LEAST.format(mode=mode.value), pbx=TRUNK))
    assert checked.loaded is not None, checked.problems
    assert checked.problems == ()
    campaign = checked.loaded.config.campaigns["spring"]
    assert campaign.seize_agents is (mode is DialMode.PREDICTIVE)
    assert (campaign.pacing.cap, campaign.pacing.window_days, campaign.pacing.max_wait_ms) == (0.03, 30, 2000)
    assert campaign.pacing.guarantee is Guarantee.BUDGET
    assert campaign.pacing.reserve_s == 72 * 3600


@pytest.mark.req("DIALER-08", "GUIDE-03", "OPS-02")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("ring_timeout_s = 14", "error: must be greater than or equal to 15, not 14"),
        ('ani = ""', "error: "),
        ("pacing.cap = 0.2", "error: "),
        ('queue = "sale"', "error: there is no queue 'sale'"),
        ('hours = "never"', "error: there are no opening hours 'never'"),
        ("require_disposition = true", "error: require_disposition needs dispositions"),
        ("machines = { detect = true, deadline_ms = 2000 }", "error: machines.deadline_ms must leave time"),
        ('machines = { on_machine = "leave_message" }', "error: machines.message is required"),
        ('time_zone = "Mars/Olympus"', "error: "),
        ('dispositions.x = { label = "X", closes = false }', "error: closes = false needs retry_s"),
        ('guide = [{ id = "a", text = "A?", next = "b" }]', "error: there is no question 'b'"),
        ('guide = [{ id = "a", text = "A?", next = "a" }]', "error: question 'a' stands before this one"),
        ('guide = [{ id = "a", text = "A?" }, { id = "a", text = "B?" }]', "error: 'a' is used twice"),
        ("retries.happy = { after_s = [1] }", "error: "),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path, change: str, problem: str) -> None:
    key = change.split(" =", maxsplit=1)[0]
    lines = [line for line in LEAST.format(mode="predictive").splitlines() if not line.startswith(f"{key} =")]
    at = lines.index("[campaigns.spring]")
    found = _problems(tmp_path, "\n".join([*lines[: at + 1], change, *lines[at + 1 :]]))
    assert any(p.startswith(problem) for p in found), found


@pytest.mark.req("DIALER-05", "DIALER-07")
def test_what_the_law_asks_for_is_warned_of(tmp_path: Path) -> None:
    text = LEAST.format(mode="predictive").replace(
        'pacing.message = "sorry"', "pacing = { cap = 0.05, max_wait_ms = 3000 }"
    )
    found = "\n".join(
        _problems(tmp_path, text.replace('teams = ["front"]', 'teams = ["front"]\nmachines.detect = true'))
    )
    for words in (
        "hear nothing",
        "5.0% is more than the 3 %",
        "longer than 2000 ms counts",
        "persons taken for machines",
    ):
        assert words in found


def test_a_campaign_that_can_dial_nothing_is_warned_of(tmp_path: Path) -> None:
    text = LEAST.format(mode="preview").replace('dial.allowed = ["+1201"]', "")
    found = "\n".join(_problems(tmp_path, f"{text}\n[teams.empty]\n".replace('["front"]', '["empty"]'), pbx=NO_TRUNK))
    for words in ("dial.allowed has no prefix", "no PBX has a trunk", "no agent is in these teams"):
        assert words in found


def test_the_plan_names_campaigns_that_are_added_changed_and_removed(tmp_path: Path) -> None:
    old = load(write(tmp_path, more=LEAST.format(mode="preview"), pbx=TRUNK)).config
    new = load(write(tmp_path, more=LEAST.format(mode="predictive"), pbx=TRUNK)).config
    changes = [c for c in make_plan(WorldState(config=old), new).changes if c.kind == "campaign"]
    assert [(c.id, c.action.value, [f.name for f in c.fields]) for c in changes] == [
        ("spring", "changed", ["mode", "seize_agents"])
    ]
    assert Severity.ERROR not in {p.severity for p in check(tmp_path).problems}
