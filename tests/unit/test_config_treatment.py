"""Queue treatment and callbacks of the files: overflow, announcements, service level, prompt files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from routing.app.config import check, load
from routing.app.config.plan import make_plan
from routing.core.callback import CallbackRules
from routing.core.config import Queue
from routing.core.dial_rights import DialRights
from routing.core.flow import FlowPosition, PromptPart
from routing.core.interaction import Interaction, InteractionState
from routing.core.treatment import Announcement, Overflow, OverflowCause, OverflowTo, ServiceLevel
from routing.core.world import WorldState
from tests.unit.config_dir import replaced, write

PBX = '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\nprompts = "/nowhere/prompts"\n'
PROMPTS = '[prompts.hello]\ntext = { en = "Hello" }\n'
BACKUP = "[queues.backup]\n[queues.backup.service_level]\npercent = 90\n"


def queues_with(text: str) -> str:
    """The good queues, with these lines at the end of `[queues.sales]`."""
    return replaced("queues", "[[queues.sales.relaxation]]", f"{text}\n[[queues.sales.relaxation]]")


def queue_of(directory: Path, text: str, **files: str) -> Queue:
    files = {"queues": queues_with(text), "pbx": PBX, "prompts": PROMPTS, "backup": BACKUP} | files
    return load(write(directory, **files)).config.queues["sales"]


def reasons_of(directory: Path, text: str, **files: str) -> list[tuple[str, str]]:
    """(key, reason) of what is found in queues and callbacks."""
    queues = text if text.startswith("[") else queues_with(text)
    files = {"queues": queues, "pbx": PBX, "prompts": PROMPTS, "backup": BACKUP} | files
    found = check(write(directory, **files)).problems
    return [(p.key, p.reason) for p in found if "nobody can serve it" not in p.reason]


@pytest.mark.req("ROUTE-09")
def test_overflow_is_read_per_cause(tmp_path: Path) -> None:
    text = """\
max_waiting = 3
max_wait_s = 60
leave_when_no_skills = true
overflow.full = { to = "queue", target = "backup" }
overflow.timeout = { to = "voicemail", prompts = ["hello"] }
overflow.no_skills = { to = "return" }
overflow.closed = { to = "entry_point", target = "main" }
"""
    queue = queue_of(tmp_path, text)
    assert queue.leave_when_no_skills
    assert queue.overflow == {
        OverflowCause.FULL: Overflow(to=OverflowTo.QUEUE, target="backup"),
        OverflowCause.TIMEOUT: Overflow(to=OverflowTo.VOICEMAIL, prompts=(PromptPart(prompt="hello"),)),
        OverflowCause.NO_SKILLS: Overflow(),
        OverflowCause.CLOSED: Overflow(to=OverflowTo.ENTRY_POINT, target="main"),
    }


@pytest.mark.req("ROUTE-11")
def test_announcements_are_read_in_their_order(tmp_path: Path) -> None:
    text = """\
[[queues.sales.announcements]]
prompts = ["hello", { number = "queue.sales.waiting" }]
after_s = 10
every_s = 30
keys = { 1 = { to = "callback" }, "*" = { to = "queue", target = "backup" } }
timeout_s = 5
[[queues.sales.announcements]]
prompts = ["hello"]
"""
    callbacks = '[callbacks]\ndial.allowed = ["+1"]\n'
    assert queue_of(tmp_path, text, callbacks=callbacks).announcements == (
        Announcement(
            prompts=(PromptPart(prompt="hello"), PromptPart(number="queue.sales.waiting")),
            after_s=10,
            every_s=30,
            keys={"1": Overflow(to=OverflowTo.CALLBACK), "*": Overflow(to=OverflowTo.QUEUE, target="backup")},
            timeout_s=5,
        ),
        Announcement(prompts=(PromptPart(prompt="hello"),)),
    )


@pytest.mark.req("ROUTE-13")
def test_the_aim_of_a_queue_is_80_percent_in_20_seconds_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert queue_of(tmp_path, "").service_level == ServiceLevel(percent=80, within_s=20, short_abandon_s=5)
    aim = "service_level = { percent = 95, within_s = 10, short_abandon_s = 0 }"
    assert queue_of(tmp_path, aim).service_level == ServiceLevel(percent=95, within_s=10, short_abandon_s=0)


@pytest.mark.req("ROUTE-08")
def test_a_queue_says_how_long_a_call_waits_for_its_preferred_agent(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 'preferred_wait_s = 20\ncallback_after_abandon_s = 15\nhours = "office"', hours=OFFICE)
    assert (queue.preferred_wait_s, queue.callback_after_abandon_s, queue.hours) == (20, 15, "office")


OFFICE = '[hours.office]\ndaily = ["09:00-17:00"]\n[callbacks]\ndial.allowed = ["+1"]\n'


@pytest.mark.req("CBQ-01")
def test_callbacks_have_rules_and_rights_of_their_own(tmp_path: Path) -> None:
    text = """\
max_attempts = 2
retry_s = [60, 600]
expire_s = 7200
hours = "office"
ani = "+12015550100"
ring_timeout_s = 25
retry_unchecked_s = 10
dial = { allowed = ["+1201555"], denied = ["+1201555019"], international = true }
"""
    files = {"hours": '[hours.office]\ndaily = ["09:00-17:00"]\n', "callbacks": f"[callbacks]\n{text}"}
    assert load(write(tmp_path, **files)).config.callbacks == CallbackRules(
        max_attempts=2,
        retry_s=(60, 600),
        expire_s=7200,
        hours="office",
        dial=DialRights(allowed=("+1201555",), denied=("+1201555019",), international=True),
        ani="+12015550100",
        ring_timeout_s=25,
        retry_unchecked_s=10,
    )


def test_without_a_table_nobody_may_be_called_back(tmp_path: Path) -> None:
    assert load(write(tmp_path)).config.callbacks == CallbackRules()
    assert CallbackRules().dial.allowed == ()


WRONG = {
    'max_waiting = 1\noverflow.full = { to = "queue" }': (
        "queues.sales.overflow.full",
        "target is required with to = 'queue'",
    ),
    'max_waiting = 1\noverflow.full = { to = "queue", target = "backpu" }': (
        "queues.sales.overflow.full.target",
        "there is no queue 'backpu'; did you mean 'backup'?",
    ),
    'max_waiting = 1\noverflow.full = { to = "entry_point", target = "mian" }': (
        "queues.sales.overflow.full.target",
        "there is no entry point 'mian'; did you mean 'main'?",
    ),
    'max_waiting = 1\noverflow.full = { to = "return", target = "backup" }': (
        "queues.sales.overflow.full",
        "target has no meaning with to = 'return'",
    ),
    'max_waiting = 1\noverflow.full = { to = "callback", prompts = ["hello"] }': (
        "queues.sales.overflow.full",
        "prompts has no meaning without to = 'voicemail'",
    ),
    'overflow.ful = { to = "return" }': (
        "queues.sales.overflow.ful",
        "'ful' is none of full, timeout, no_agents, no_skills, closed; did you mean 'full'?",
    ),
    'overflow.full = { to = "return" }': ("queues.sales.overflow.full", "never happens without max_waiting"),
    'overflow.no_skills = { to = "return" }': (
        "queues.sales.overflow.no_skills",
        "never happens without leave_when_no_skills",
    ),
    'hours = "ofice"': ("queues.sales.hours", "there are no opening hours 'ofice'"),
    '[[queues.sales.announcements]]\nprompts = ["helo"]': (
        "queues.sales.announcements[0].prompts[0]",
        "there is no prompt 'helo'; did you mean 'hello'?",
    ),
    '[[queues.sales.announcements]]\nprompts = [{ number = "positon" }]': (
        "queues.sales.announcements[0].prompts[0]",
        "there is no value 'positon'; did you mean 'position'?",
    ),
    '[[queues.sales.announcements]]\nprompts = [{ digits = "cad.nobody" }]': (
        "queues.sales.announcements[0].prompts[0]",
        "there is no value 'cad.nobody'",
    ),
    '[[queues.sales.announcements]]\nprompts = [{ number = "weekday" }]': (
        "queues.sales.announcements[0].prompts[0]",
        "weekday is never a number that could be spoken",
    ),
    '[[queues.sales.announcements]]\nprompts = ["hello"]\nkeys = { 1 = { to = "queue", target = "x" } }': (
        "queues.sales.announcements[0].keys.1.target",
        "there is no queue 'x'",
    ),
    '[[queues.sales.announcements]]\nprompts = ["hello"]\nkeys = { 1 = { to = "callback" } }': (
        "queues.sales.announcements[0].keys.1",
        "nobody is called back: callbacks.dial.allowed has no prefix",
    ),
    "callback_after_abandon_s = 10": (
        "queues.sales.callback_after_abandon_s",
        "nobody is called back: callbacks.dial.allowed has no prefix",
    ),
    'overflow.closed = { to = "number", target = "+12015550123" }': (
        "queues.sales.overflow.closed",
        "nobody gets there: no PBX has a trunk for numbers, pbx.ID.dial",
    ),
}


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_a_queue_s_treatment_is_told(tmp_path: Path, text: str) -> None:
    text_of_queue = (
        queues_with(text) if not text.startswith("[[") else replaced("queues", "[reasons]", f"{text}\n[reasons]")
    )
    assert WRONG[text] in reasons_of(tmp_path, text_of_queue)


LOOP = "overflow loops, {}: a caller may go round until he has been sent on 20 times"


@pytest.mark.req("OPS-02", "ROUTE-09")
def test_overflow_that_comes_back_is_warned_of_once(tmp_path: Path) -> None:
    there = 'max_waiting = 1\noverflow.full = { to = "queue", target = "backup" }'
    back = '[queues.backup]\noverflow.closed = { to = "entry_point", target = "main" }\n'
    assert reasons_of(tmp_path, there, backup=back) == [
        ("queues.backup.overflow.closed", LOOP.format("backup -> sales -> backup"))
    ]
    assert reasons_of(tmp_path, there) == []


@pytest.mark.req("OPS-02", "ROUTE-09")
def test_overflow_into_a_flow_that_waits_in_the_queue_again_is_a_loop(tmp_path: Path) -> None:
    there = 'overflow.closed = { to = "entry_point", target = "second" }'
    flow = (
        '[entry_points.second]\nflow = "f"\n[flows.f]\nstart = "a"\n[flows.f.steps.a]\ndo = "queue"\nqueue = "sales"\n'
    )
    own = [("queues.sales.overflow.closed", LOOP.format("sales -> sales"))]
    assert reasons_of(tmp_path, there, flow=flow) == own
    ends = "exits = { full = 'b', timeout = 'b', no_agents = 'b', no_skills = 'b', closed = 'b' }\n"
    handled = f'{flow}{ends}[flows.f.steps.b]\ndo = "hang_up"\n'
    found = [reason for _key, reason in reasons_of(tmp_path, there, flow=handled)]
    assert not [reason for reason in found if "loops" in reason], "all its exits lead elsewhere"


def test_a_pbx_without_a_directory_of_prompts_is_warned_of(tmp_path: Path) -> None:
    reason = "plays no prompts: give the directory in which it sees them, 'prompts'"
    assert ("pbx.ast1", reason) in reasons_of(tmp_path, "", pbx='[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\n')
    sound = '[prompts.hello]\nsound = "beep"\n'
    assert reasons_of(tmp_path, "", pbx='[pbx.ast1]\nsecret_env = "X"\n', prompts=sound) == []


@pytest.mark.req("FLOW-01")
def test_files_that_are_missing_are_told_where_their_directory_can_be_seen(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    (sounds / "en").mkdir(parents=True)
    pbx = PBX.replace("/nowhere/prompts", str(sounds))
    prompts = f"{PROMPTS}[prompts.bye]\nfiles = {{ en = 'recorded/bye' }}\n"
    assert reasons_of(tmp_path, "", pbx=pbx, prompts=prompts) == [
        ("prompts.hello.text.en", f"there is no {sounds}/en/hello.wav: run 'switchroom prompts render'"),
        ("prompts.bye.files.en", f"there is no {sounds}/recorded/bye.wav: record it"),
    ]
    (sounds / "en" / "hello.wav").write_bytes(b"")
    assert [key for key, _reason in reasons_of(tmp_path, "", pbx=pbx, prompts=prompts)] == ["prompts.bye.files.en"]


@pytest.mark.req("OPS-02")
def test_a_plan_says_what_becomes_of_flows_prompts_hours_and_callbacks(tmp_path: Path) -> None:
    old = load(write(tmp_path, pbx=PBX, prompts=PROMPTS)).config
    more = (
        '[hours.office]\ndaily = ["09:00-17:00"]\n[callbacks]\nmax_attempts = 5\n[calls]\ntime_zone = "Europe/Berlin"\n'
    )
    flow = '[flows.f]\nstart = "a"\n[flows.f.steps.a]\ndo = "return"\n'
    new = load(
        write(tmp_path, pbx=PBX, prompts=PROMPTS.replace("Hello", "Hi").replace("en", "de"), more=more, f=flow)
    ).config
    changes = [(c.kind, c.id, c.action.value) for c in make_plan(WorldState(config=old), new).changes]
    assert changes == [
        ("flow", "f", "added"),
        ("prompt", "hello", "changed"),
        ("hours", "office", "added"),
        ("callbacks", "callbacks", "changed"),
        ("calls", "time_zone", "changed"),
    ]


@pytest.mark.req("OPS-02", "CBQ-01")
def test_numbers_that_can_never_be_called_back_are_warned_of(tmp_path: Path) -> None:
    pbx = f'{PBX}dial = "PJSIP/{{number}}@trunk"\n'
    abroad = reasons_of(tmp_path, "", pbx=pbx, callbacks='[callbacks]\ndial.allowed = ["+49"]\n')
    assert abroad == [("callbacks.dial.allowed[0]", "+49 is never allowed: it is abroad and 'international' is off")]
    no_trunk = reasons_of(tmp_path, "", callbacks='[callbacks]\ndial = { allowed = ["+49"], international = true }\n')
    assert no_trunk == [("callbacks.dial", "allows numbers, but no PBX has a trunk for them: pbx.ID.dial")]


def test_an_outdial_cannot_begin_in_a_flow(tmp_path: Path) -> None:
    flow = '[flows.f]\nstart = "a"\n[flows.f.steps.a]\ndo = "return"\n'
    flow += '[entry_points.f]\nflow = "f"\n[outdial]\nentry_point = "f"\n'
    reason = "entry point 'f' has a flow: outdials need the rules of a queue"
    assert reasons_of(tmp_path, "", flow=flow) == [("outdial.entry_point", reason)]


@pytest.mark.req("OPS-02")
def test_a_plan_tells_what_is_another_in_a_flow_step_by_step(tmp_path: Path) -> None:
    flow = """\
[flows.f]
start = "a"
[flows.f.steps.a]
do = "play"
prompts = ["hello"]
next = "b"
[flows.f.steps.b]
do = "look_up"
url = "https://crm.example/"
headers = { Authorization = "env:TOKEN" }
next = "c"
[flows.f.steps.c]
do = "return"
"""
    old = load(write(tmp_path, pbx=PBX, prompts=PROMPTS, f=flow)).config
    changed = flow.replace('"b"', '"c"', 1).replace("env:TOKEN", "env:OTHER").replace('do = "return"', 'do = "hang_up"')
    new = load(
        write(tmp_path, pbx=PBX, prompts=PROMPTS, f=changed + '[flows.f.steps.d]\ndo = "return"\nresult = "x"\n')
    ).config
    (change,) = make_plan(WorldState(config=old), new).changes
    assert [(field.name, field.old, field.new) for field in change.fields] == [
        ("steps.a", "hello; next -> b", "hello; next -> c"),
        ("steps.b", "GET https://crm.example/; next -> c", "GET https://crm.example/; next -> c (other settings)"),
        ("steps.c", "return", "hang_up"),
        ("steps.d", "none", "result x"),
    ]


@pytest.mark.req("OPS-02")
def test_a_plan_tells_of_calls_in_steps_that_are_removed(tmp_path: Path) -> None:
    flow = '[flows.f]\nstart = "a"\n[flows.f.steps.a]\ndo = "return"\n'
    old = load(write(tmp_path, pbx=PBX, prompts=PROMPTS, f=flow)).config
    calls = {name: replace(in_flow(name), id=name) for name in ("int_1", "int_2")}
    state = WorldState(config=old, interactions=calls)
    gone = make_plan(state, load(write(tmp_path, f="")).config)
    assert gone.warnings == (
        "flow f is removed: 2 calls, each of which goes back to the dialplan with the result unavailable",
    )
    renamed = make_plan(state, load(write(tmp_path, f=flow.replace("steps.a", "steps.b").replace('"a"', '"b"'))).config)
    assert renamed.warnings[0].startswith("step a of flow f is removed: 2 calls")
    assert make_plan(state, old).warnings == ()


def in_flow(name: str) -> Interaction:
    return Interaction(
        id=name,
        pbx="ast1",
        state=InteractionState.IN_FLOW,
        customer_leg=name,
        entry_point="main",
        queue="",
        ani="1",
        ani_name="",
        dnis="",
        entered_at_ms=1,
        flow=FlowPosition(flow="f", step="a"),
    )


def test_a_flow_that_sends_callers_to_a_number_needs_a_trunk(tmp_path: Path) -> None:
    flow = '[flows.f]\nstart = "a"\n[flows.f.steps.a]\ndo = "transfer"\nnumber = "+12015550123"\n'
    reason = "nobody gets there: no PBX has a trunk for numbers, pbx.ID.dial"
    assert reasons_of(tmp_path, "", flow=flow) == [("flows.f.steps.a.number", reason)]
    assert reasons_of(tmp_path, "", flow=flow, pbx=f'{PBX}dial = "PJSIP/{{number}}@trunk"\n') == []


def test_exits_by_which_a_step_is_never_left_are_warned_of(tmp_path: Path) -> None:
    exits = ", ".join(f'{name} = "b"' for name in ("timeout", "full", "no_agents", "no_skills", "closed"))
    flow = f"""\
[flows.f]
start = "a"
[flows.f.steps.a]
do = "hours"
hours = "office"
exits = {{ open = "q", closed = "b", holiday = "b" }}
[flows.f.steps.q]
do = "queue"
queue = "backup"
exits = {{ {exits} }}
[flows.f.steps.b]
do = "return"
"""
    at = "flows.f.steps"
    reasons = {
        f"{at}.q.exits.timeout": "max_wait_s",
        f"{at}.q.exits.full": "max_waiting",
        f"{at}.q.exits.no_agents": "leave_when_no_agents",
        f"{at}.q.exits.no_skills": "leave_when_no_skills",
        f"{at}.q.exits.closed": "hours",
    }
    expected = {key: f"never happens: queue backup has no {name}" for key, name in reasons.items()}
    expected[f"{at}.a.exits.holiday"] = "never happens: hours office have no holidays"
    assert dict(reasons_of(tmp_path, "", flow=flow, hours=OFFICE.partition("[callbacks]")[0])) == expected
    keys = (
        'max_wait_s = 9\nmax_waiting = 9\nleave_when_no_agents = true\nleave_when_no_skills = true\nhours = "office"\n'
    )
    office = OFFICE.partition("[callbacks]")[0] + 'holidays = { country = "DE" }\n'
    assert reasons_of(tmp_path, "", flow=flow, hours=office, backup=f"[queues.backup]\n{keys}") == []
