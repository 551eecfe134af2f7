"""The checker of flows: each mistake by file, line and reason, and nothing said of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import Severity, check
from tests.unit.config_dir import replaced, write

AROUND = """\
[prompts.hello]
text = { en = "Hello" }

[hours.office]
mon_fri = ["09:00-17:00"]

[cad.age]
type = "integer"

[cad.born]
type = "date"

[cad.vip]
type = "boolean"

[cad.pin]
secure = true

[pbx.ast1]
secret_env = "NOBODY_SETS_THIS"
prompts = "/nowhere/prompts"
dial = "PJSIP/{number}@trunk"

[numbers]
country = "1"

[callbacks]
dial = { allowed = ["+1"] }

[server]
cad_key_env = "NOBODY_SETS_THIS"
"""
# The steps of a test begin in line 4.
HEAD = '[flows.main]\nstart = "a"\n\n'
END = '\n[flows.main.steps.end]\ndo = "hang_up"\n'


def problems_of(directory: Path, flow: str, **files: str) -> list[tuple[int, str]]:
    """(line, "error: key: reason") of everything found in the file of the flow."""
    queues = replaced("queues", 'queue = "sales"', 'flow = "main"')
    files = {"queues": queues, "pbx": "", "around": AROUND, "flow": flow} | files
    found = check(write(directory, **files)).problems
    return [(p.line, f"{p.severity}: {p.key}: {p.reason}") for p in found if p.file.name == "flow.toml"]


def flow(step: str) -> str:
    """A flow whose step `a` is this one, with a step `end`."""
    return f"{HEAD}[flows.main.steps.a]\n{step}\n{END}"


RIGHT = {
    "play": 'do = "play"\nprompts = ["hello", { number = "cad.age" }, { digits = "ani" }]\nnext = "end"',
    "menu": 'do = "menu"\nprompts = ["hello"]\nexits = { 1 = "end", "*" = "a", next = "end" }',
    "collect": 'do = "collect"\nprompts = ["hello"]\ninto = "born"\nmin_digits = 8\nmax_digits = 8\nnext = "end"',
    "set": 'do = "set"\ncad = { age = 7, vip = true, born = "2026-02-01", customer = "{ani} {weekday}" }\nnext = "end"',
    "set by template": 'do = "set"\ncad = { age = "1{dnis}", born = "{cad.customer}" }\nnext = "end"',
    "condition": 'do = "condition"\nany = [{ value = "cad.vip", is = true }, { value = "cad.customer", above = 3 }, '
    '{ value = "queue.sales.waiting", below = 3 }, { value = "weekday", one_of = ["monday"] }]\n'
    'exits = { yes = "end", no = "end" }',
    "hours": 'do = "hours"\nhours = "office"\nexits = { open = "end", closed = "end" }',
    "look_up": 'do = "look_up"\nurl = "https://crm.example/?n={ani}"\nmethod = "POST"\n'
    'body = \'{"pin": "{cad.pin}", "x": {"y": {cad.age}}}\'\ndefault = { age = 1 }\nnext = "end"',
    "queue": 'do = "queue"\nqueue = "sales"\npreferred_agent = "{cad.customer}"\nrequires = { english = 2 }',
    "callback": 'do = "callback"\nqueue = "sales"\nprompts = ["hello"]\nexits = { declined = "end" }',
    "voicemail": 'do = "voicemail"\nqueue = "sales"',
    "transfer": 'do = "transfer"\nagent = "anna"\nexits = { failed = "end" }',
    "return": 'do = "return"\nresult = "done"',
}


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("kind", RIGHT)
def test_nothing_is_said_of_a_right_step(tmp_path: Path, kind: str) -> None:
    leads = '\n[flows.main.steps.start]\ndo = "menu"\nprompts = ["hello"]\nexits = { 1 = "a", 2 = "end" }\n'
    text = flow(RIGHT[kind]).replace('start = "a"', 'start = "start"') + leads
    assert problems_of(tmp_path, text) == []


QUEUE_EXITS = "it has timeout, full, no_agents, no_skills, closed"
NO_EXIT = "error: {a}.exits.no_inptu: a step that does menu has no exit 'no_inptu'; it has no_input, invalid, next; "
WRONG = {
    'do = "play"\nprompts = ["hello"]\nnext = "edn"': (
        7,
        "error: {a}.next: there is no step 'edn'; did you mean 'end'?",
    ),
    'do = "play"\nprompts = ["hello"]': (4, "error: {a}: exit 'next' leads nowhere: it is required"),
    'do = "play"\nprompts = ["helo"]\nnext = "end"': (
        6,
        "error: {a}.prompts[0]: there is no prompt 'helo'; did you mean 'hello'?",
    ),
    'do = "play"\nprompts = ["hello", { number = "weekday" }]\nnext = "end"': (
        6,
        "error: {a}.prompts[1]: weekday is never a number that could be spoken",
    ),
    'do = "play"\nprompts = [{ number = "cad.born" }]\nnext = "end"': (
        6,
        "error: {a}.prompts[0]: cad.born is never a number that could be spoken",
    ),
    'do = "play"\nprompts = [{ digits = "language" }]\nnext = "end"': (
        6,
        "error: {a}.prompts[0]: language has no digits that could be spoken",
    ),
    'do = "play"\nprompts = [{ digits = "cad.pin" }]\nnext = "end"': (
        6,
        "warning: {a}.prompts[0]: cad.pin is secure, and is spoken aloud",
    ),
    'do = "play"\nprompts = [{ digits = "cad.bron" }]\nnext = "end"': (
        6,
        "error: {a}.prompts[0]: no CAD variable 'bron' is declared; did you mean 'born'?",
    ),
    'do = "menu"\nprompts = ["hello"]\nexits = { next = "end" }': (
        4,
        'error: {a}: no key leads anywhere: give exits, e.g. {{ 1 = "sales" }}',
    ),
    'do = "menu"\nprompts = ["hello"]\nexits = { 1 = "end", no_inptu = "end" }': (
        7,
        NO_EXIT + "did you mean 'no_input'?",
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "born"\nmax_digits = 4\nnext = "end"': (
        7,
        "error: {a}.into: variable 'born' is of type date: '1' is not an ISO 8601 date such as 2026-11-21",
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "vip"\nmin_digits = 2\nnext = "end"': (
        7,
        "error: {a}.into: variable 'vip' is of type boolean: '11' is not a boolean: true or false",
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "age"\nmin_digits = 19\nnext = "end"': (
        7,
        f"error: {{a}}.into: variable 'age' is of type integer: {'1' * 19!r} is not an integer of at most 18 digits",
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "agee"\nnext = "end"': (
        7,
        "error: {a}.into: no CAD variable 'agee' is declared; did you mean 'age'?",
    ),
    'do = "set"\ncad = { age = "seven" }\nnext = "end"': (
        6,
        "error: {a}.cad.age: variable 'age' is of type integer: 'seven' is not an integer of at most 18 digits",
    ),
    'do = "set"\ncad = { age = "n{ani}" }\nnext = "end"': (
        6,
        "error: {a}.cad.age: variable 'age' is of type integer: 'n{{ani}}' is not an integer of at most 18 digits",
    ),
    'do = "set"\ncad = { customer = "{anni}" }\nnext = "end"': (
        6,
        "error: {a}.cad.customer: there is no value 'anni'; did you mean 'ani'?",
    ),
    'do = "set"\ncad = { customer = "{ani" }\nnext = "end"': (
        6,
        "error: {a}.cad.customer: a brace without a name of a value in it, as in {{ani}}",
    ),
    'do = "set"\nrequires = { englsh = 3 }\nnext = "end"': (
        6,
        "error: {a}.requires.englsh: there is no skill 'englsh'; did you mean 'english'?",
    ),
    'do = "condition"\nall = [{ value = "cad.vip", is = "gold" }]\nexits = { yes = "end", no = "end" }': (
        6,
        "error: {a}.all[0].is: cad.vip is never 'gold': not a boolean: true or false",
    ),
    'do = "condition"\nall = [{ value = "cad.vip", is = "yes" }]\nexits = { yes = "end", no = "end" }': (
        6,
        "error: {a}.all[0].is: cad.vip is never 'yes': it is kept as 'true'",
    ),
    'do = "condition"\nany = [{ value = "ani", above = 1 },\n{ value = "ani", above = "x" }]\n'
    'exits = { yes = "end", no = "end" }': (7, "error: {a}.any[1].above: 'x' is no number"),
    'do = "condition"\nall = [{ value = "cad.vip", below = 1 }]\nexits = { yes = "end", no = "end" }': (
        6,
        "error: {a}.all[0].below: cad.vip is never a number",
    ),
    'do = "condition"\nall = [{ value = "queue.sale.waiting", above = 1 }]\nexits = { yes = "end", no = "end" }': (
        6,
        "error: {a}.all[0].value: there is no queue 'sale'; did you mean 'sales'?",
    ),
    'do = "condition"\nall = [{ value = "queue.sales.wating", above = 1 }]\nexits = { yes = "end", no = "end" }': (
        6,
        "error: {a}.all[0].value: there is no value 'queue.sales.wating'; did you mean 'queue.sales.waiting'?",
    ),
    'do = "condition"\nall = [{ value = "ani", is_set = true }]\nexits = { yes = "end" }': (
        4,
        "error: {a}: exit 'no' leads nowhere: it is required",
    ),
    'do = "hours"\nhours = "ofice"\nexits = { open = "end", closed = "end" }': (
        6,
        "error: {a}.hours: there are no opening hours 'ofice'; did you mean 'office'?",
    ),
    'do = "look_up"\nurl = "https://crm.example/{cad.pin}"\nnext = "end"': (
        6,
        "warning: {a}.url: cad.pin is secure: addresses stay in logs, send it in the body",
    ),
    'do = "look_up"\nurl = "https://crm.example/"\nmethod = "POST"\nbody = \'{"a": "{ani}"\'\nnext = "end"': (
        8,
        "error: {a}.body: no JSON, whatever the values are",
    ),
    'do = "look_up"\nurl = "https://crm.example/"\ndefault = { born = "x" }\nnext = "end"': (
        7,
        "error: {a}.default.born: variable 'born' is of type date: 'x' is not an ISO 8601 date such as 2026-11-21",
    ),
    'do = "look_up"\nurl = "https://crm.example/"\nheaders = { X-Api-Key = "s3cret" }\nnext = "end"': (
        7,
        "warning: {a}.headers.X-Api-Key: a secret in the open: take it from the environment, 'env:NAME'",
    ),
    'do = "queue"\nqueue = "sale"': (6, "error: {a}.queue: there is no queue 'sale'; did you mean 'sales'?"),
    'do = "queue"\nqueue = "sales"\nnext = "end"': (
        7,
        "error: {a}.next: a step that does queue has no exit 'next'; " + QUEUE_EXITS,
    ),
    'do = "queue"\nqueue = "sales"\npreferred_agent = "ana"': (
        7,
        "error: {a}.preferred_agent: there is no agent 'ana'; did you mean 'anna'?",
    ),
    'do = "transfer"\nagent = "ana"': (6, "error: {a}.agent: there is no agent 'ana'; did you mean 'anna'?"),
    'do = "transfer"\nentry_point = "mian"': (
        6,
        "error: {a}.entry_point: there is no entry point 'mian'; did you mean 'main'?",
    ),
    'do = "sub_flow"\nflow = "man"': (6, "error: {a}.flow: there is no flow 'man'; did you mean 'main'?"),
    'do = "sub_flow"\nflow = "main"': (6, "error: {a}.flow: runs itself: main -> main"),
    'do = "hang_up"\nnext = "end"': (6, "error: {a}.next: a step that does hang_up has no exit 'next'; it has none"),
    'do = "set"\nnext = "a"': (4, "error: {a}: runs in circles and waits for nothing: a -> a"),
    'do = "return"': (7, "warning: flows.main.steps.end: unreachable: no step leads here"),
}


@pytest.mark.req("FLOW-01", "OPS-02")
@pytest.mark.parametrize("step", WRONG)
def test_a_mistake_is_told_with_its_line_and_reason(tmp_path: Path, step: str) -> None:
    line, reason = WRONG[step]
    assert (line, reason.format(a="flows.main.steps.a")) in problems_of(tmp_path, flow(step))


def test_the_first_step_must_exist(tmp_path: Path) -> None:
    text = flow('do = "return"').replace('start = "a"', 'start = "b"')
    assert (2, "error: flows.main.start: there is no step 'b'") in problems_of(tmp_path, text)


@pytest.mark.req("FLOW-01")
def test_a_loop_that_waits_for_a_key_is_none(tmp_path: Path) -> None:
    menu = '[flows.main.steps.b]\ndo = "menu"\nprompts = ["hello"]\nexits = { 1 = "a", 2 = "end" }'
    text = f'{HEAD}[flows.main.steps.a]\ndo = "set"\npriority = 7\nnext = "b"\n{menu}{END}'
    assert problems_of(tmp_path, text) == []


LOOPS = {
    "condition": 'do = "condition"\nall = [{ value = "ani", is_set = true }]\nexits = { yes = "a", no = "end" }',
    "hours": 'do = "hours"\nhours = "office"\nexits = { open = "end", closed = "a" }',
    "queue that is full": 'do = "queue"\nqueue = "sales"\nexits = { full = "a" }',
    "look-up": 'do = "look_up"\nsource = "last_agent"\nnext = "a"',
    "transfer": 'do = "transfer"\nagent = "anna"\nexits = { failed = "a" }',
    "callback that nobody is asked about": 'do = "callback"\nqueue = "sales"\nexits = { not_possible = "a" }',
    "a value that may be empty": 'do = "play"\nprompts = [{ number = "cad.age" }]\nnext = "a"',
}


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("kind", LOOPS)
def test_a_loop_without_a_wait_is_refused(tmp_path: Path, kind: str) -> None:
    text = f'{HEAD}[flows.main.steps.a]\ndo = "set"\npriority = 7\nnext = "b"\n[flows.main.steps.b]\n{LOOPS[kind]}{END}'
    reason = "error: flows.main.steps.a: runs in circles and waits for nothing: a -> b -> a"
    assert (4, reason) in problems_of(tmp_path, text)


def test_a_queue_that_is_left_after_its_time_has_waited(tmp_path: Path) -> None:
    text = (
        f'{HEAD}[flows.main.steps.a]\ndo = "queue"\nqueue = "sales"\nexits = {{ timeout = "a", full = "end" }}\n{END}'
    )
    queues = replaced("queues", 'queue = "sales"', 'flow = "main"')
    queues = queues.replace("[queues.sales]", "[queues.sales]\nmax_wait_s = 60\nmax_waiting = 9", 1)
    assert problems_of(tmp_path, text, queues=queues) == []


SUB = """
[flows.sub]
start = "x"
[flows.sub.steps.x]
do = "condition"
all = [{ value = "ani", is_set = true }]
exits = { yes = "good", no = "bad" }
[flows.sub.steps.good]
do = "end_sub_flow"
exit = "known"
[flows.sub.steps.bad]
do = "end_sub_flow"
exit = "unknown"
"""


@pytest.mark.req("FLOW-01")
def test_what_a_sub_flow_ends_with_must_lead_somewhere(tmp_path: Path) -> None:
    step = 'do = "sub_flow"\nflow = "sub"\nexits = { known = "end", nuknown = "end" }'
    found = problems_of(tmp_path, flow(step), sub=SUB)
    words = "it ends with known, unknown; did you mean 'unknown'?"
    assert sorted(found) == [
        (7, "error: flows.main.steps.a.exits.nuknown: flow 'sub' never ends with 'nuknown': " + words),
        (7, "error: flows.main.steps.a.exits: flow 'sub' may end with 'unknown', which leads nowhere here"),
    ]


@pytest.mark.req("FLOW-01")
def test_a_sub_flow_goes_on_by_next_for_all_that_has_no_exit_of_its_own(tmp_path: Path) -> None:
    assert (
        problems_of(tmp_path, flow('do = "sub_flow"\nflow = "sub"\nexits = { known = "end" }\nnext = "end"'), sub=SUB)
        == []
    )


@pytest.mark.req("FLOW-01")
def test_a_circle_through_a_sub_flow_is_found(tmp_path: Path) -> None:
    text = flow('do = "sub_flow"\nflow = "sub"\nexits = { known = "end", unknown = "a" }')
    reason = "error: flows.main.steps.a: runs in circles and waits for nothing: a -> a"
    assert (4, reason) in problems_of(tmp_path, text, sub=SUB)


def test_a_sub_flow_that_asks_the_caller_breaks_the_circle(tmp_path: Path) -> None:
    menu = 'do = "menu"\nprompts = ["hello"]\nexits = { 1 = "good", 2 = "bad" }'
    asking = SUB.replace(
        'do = "condition"\nall = [{ value = "ani", is_set = true }]\nexits = { yes = "good", no = "bad" }', menu
    )
    assert asking != SUB
    text = flow('do = "sub_flow"\nflow = "sub"\nexits = { known = "end", unknown = "a" }')
    assert problems_of(tmp_path, text, sub=asking) == []


def test_a_flow_that_ends_as_a_sub_flow_cannot_be_the_first(tmp_path: Path) -> None:
    reason = "ends with end_sub_flow, and entry point 'main' begins with it: nobody has called it"
    assert (1, f"error: flows.main: {reason}") in problems_of(tmp_path, flow('do = "end_sub_flow"'))


def test_two_flows_that_run_each_other_are_refused(tmp_path: Path) -> None:
    other = '[flows.other]\nstart = "x"\n[flows.other.steps.x]\ndo = "sub_flow"\nflow = "main"\nnext = "x"\n'
    found = problems_of(tmp_path, flow('do = "sub_flow"\nflow = "other"\nnext = "end"'), other=other)
    assert (6, "error: flows.main.steps.a.flow: runs itself: main -> other -> main") in found


def test_flows_within_each_other_have_a_limit(tmp_path: Path) -> None:
    def nested(number: int, inner: str) -> str:
        return f'[flows.f{number}]\nstart = "x"\n[flows.f{number}.steps.x]\n{inner}\n'

    calls = "".join(nested(n, f'do = "sub_flow"\nflow = "f{n + 1}"') for n in range(8))
    text = flow('do = "sub_flow"\nflow = "f0"') + calls + nested(8, 'do = "return"')
    assert [r for _line, r in problems_of(tmp_path, text) if "run each other" in r] == [
        "error: flows.main: 9 flows run each other, at most 8 are allowed"
    ]


@pytest.mark.parametrize(("steps", "is_refused"), [(45, False), (49, True)])
def test_a_flow_must_wait_now_and_then(tmp_path: Path, steps: int, is_refused: bool) -> None:
    chain = "".join(f'[flows.main.steps.s{n}]\ndo = "set"\npriority = 3\nnext = "s{n + 1}"\n' for n in range(steps))
    text = f'[flows.main]\nstart = "s0"\n{chain}[flows.main.steps.s{steps}]\ndo = "return"\n'
    found = [reason for _line, reason in problems_of(tmp_path, text) if "without waiting" in reason]
    expected = [f"error: flows.main: runs {steps + 1} steps without waiting for anything, at most 48 are allowed"]
    assert found == (expected if is_refused else [])


def chain(steps: int) -> str:
    """Steps s0, s1, ... that wait for nothing, and an end."""
    links = "".join(f'[flows.main.steps.s{n}]\ndo = "set"\npriority = 3\nnext = "s{n + 1}"\n' for n in range(steps))
    return f'{links}[flows.main.steps.s{steps}]\ndo = "return"\n'


@pytest.mark.parametrize(("steps", "is_refused"), [(43, False), (49, True)])
@pytest.mark.parametrize("first", ["menu", "sub_flow"])
def test_what_follows_a_wait_must_wait_again(tmp_path: Path, first: str, steps: int, is_refused: bool) -> None:
    asking = 'prompts = ["hello"]\nexits = { 1 = "good", 2 = "bad" }'
    sub = SUB.replace('all = [{ value = "ani", is_set = true }]\nexits = { yes = "good", no = "bad" }', asking)
    starts = {
        "menu": f'do = "menu"\nprompts = ["hello"]\nexits = {{ 1 = "s0", 2 = "s{steps}" }}',
        "sub_flow": 'do = "sub_flow"\nflow = "sub"\nnext = "s0"',
    }
    text = f"{HEAD}[flows.main.steps.a]\n{starts[first]}\n{chain(steps)}"
    found = problems_of(tmp_path, text, sub=sub.replace('"condition"', '"menu"'))
    assert any("without waiting for anything" in reason for _line, reason in found) is is_refused


def test_a_circle_is_told_also_beside_steps_that_wait(tmp_path: Path) -> None:
    menu = 'do = "menu"\nprompts = ["hello"]\nexits = { 1 = "b", 2 = "c" }'
    rest = '[flows.main.steps.b]\ndo = "set"\nnext = "b"\n[flows.main.steps.c]\ndo = "set"\nnext = "a"\n'
    reason = "error: flows.main.steps.b: runs in circles and waits for nothing: b -> b"
    assert [r for _line, r in problems_of(tmp_path, f"{HEAD}[flows.main.steps.a]\n{menu}\n{rest}")] == [reason]


@pytest.mark.req("FLOW-01")
def test_a_variable_must_be_declared_for_each_entry_point_that_leads_there(tmp_path: Path) -> None:
    second = '[entry_points.second]\nflow = "main"\ncad.extra = {}\n'
    found = problems_of(tmp_path, flow('do = "set"\ncad = { extra = "1" }\nnext = "end"'), second=second)
    reason = "CAD variable 'extra' is not declared for calls of entry point 'main', which lead here too"
    assert found == [(6, f"error: flows.main.steps.a.cad.extra: {reason}")]


def test_a_prompt_that_lacks_a_language_of_the_flow_is_told_once(tmp_path: Path) -> None:
    b = '[flows.main.steps.b]\ndo = "play"\nprompts = ["hello", "hello"]\nnext = "end"'
    steps = f'do = "set"\nlanguage = "de"\nnext = "b"\n{b}'
    reason = "prompt 'hello' is not there in de: another language is heard instead"
    assert problems_of(tmp_path, flow(steps)) == [(10, f"warning: flows.main.steps.b.prompts[0]: {reason}")]


def test_mistakes_in_flows_are_found_while_others_are_elsewhere(tmp_path: Path) -> None:
    found = problems_of(tmp_path, flow('do = "queue"\nqueue = "sale"'), people="[agents.anna]\n")
    assert (6, "error: flows.main.steps.a.queue: there is no queue 'sale'; did you mean 'sales'?") in found


def test_a_flow_without_mistakes_can_be_applied(tmp_path: Path) -> None:
    queues = replaced("queues", 'queue = "sales"', 'flow = "main"')
    files = {"queues": queues, "pbx": "", "around": AROUND, "flow": flow(RIGHT["callback"])}
    checked = check(write(tmp_path, **files))
    assert checked.loaded is not None
    assert checked.problems == ()


def test_warnings_keep_nobody_from_applying(tmp_path: Path) -> None:
    text = flow('do = "return"')
    assert [reason.split(":")[0] for _line, reason in problems_of(tmp_path, text)] == [Severity.WARNING]
    assert check(tmp_path).loaded is not None


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("exit_", ['next = "ennd"', 'exits = { done = "end" }'])
def test_one_wrong_exit_is_one_mistake_and_not_a_warning_for_every_step_behind_it(tmp_path: Path, exit_: str) -> None:
    found = problems_of(tmp_path, flow('do = "play"\nprompts = ["hello"]\n' + exit_))
    assert found
    assert not any("unreachable" in reason for _, reason in found)
