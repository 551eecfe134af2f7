"""What flows, prompts and entry points of the files become."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import Severity, check, load
from routing.core.declarations import CadType
from routing.core.flow import (
    EXITS,
    Comparison,
    DigitInput,
    Flow,
    FlowStep,
    LookUpSource,
    LookUpStep,
    Prompt,
    PromptPart,
    StepKind,
    Test,
)
from tests.unit.config_dir import replaced, write

PROMPTS = """\
[prompts.hello]
text = { en = "Hello", de = "Hallo" }
[prompts.main-menu]
files = { en = "recorded/menu" }
[prompts.tone]
sound = "beep"
"""


def flow_of(directory: Path, steps: str, **files: str) -> Flow:
    """The flow `main` with these steps, which begins at `a`."""
    return load(write(directory, prompts=PROMPTS, flow=f'[flows.main]\nstart = "a"\n{steps}', **files)).config.flows[
        "main"
    ]


def step_of(directory: Path, text: str) -> FlowStep:
    """The step `a` of a flow, followed by `end`."""
    end = '[flows.main.steps.end]\ndo = "hang_up"\n'
    return flow_of(directory, f"[flows.main.steps.a]\n{text}\n{end}").steps["a"]


@pytest.mark.req("FLOW-01")
def test_a_flow_declares_its_variables_and_its_steps(tmp_path: Path) -> None:
    steps = """\
language = "de"
cad.account = { label = "Account", type = "integer" }
cad.customer = { secure = true }
[flows.main.steps.a]
do = "play"
prompts = ["hello", { number = "wait_s" }, { digits = "cad.account" }]
next = "b"
[flows.main.steps.b]
do = "return"
result = "done"
"""
    flow = flow_of(tmp_path, steps)
    assert (flow.id, flow.start, flow.language, list(flow.steps)) == ("main", "a", "de", ["a", "b"])
    account, customer = flow.cad
    assert (account.name, account.label, account.type) == ("account", "Account", CadType.INTEGER)
    assert (customer.label, customer.secure) == ("Customer", True), "what is not written is the tenant's"
    assert flow.steps["a"] == FlowStep(
        id="a",
        do=StepKind.PLAY,
        exits={"next": "b"},
        prompts=(PromptPart(prompt="hello"), PromptPart(number="wait_s"), PromptPart(digits="cad.account")),
    )
    assert flow.steps["b"] == FlowStep(id="b", do=StepKind.RETURN, result="done")


KINDS: dict[str, FlowStep] = {
    'do = "menu"\nprompts = ["hello"]\ninvalid_prompts = ["tone"]\ntimeout_s = 4\nattempts = 2\n'
    'exits = { 1 = "end", "#" = "end", no_input = "end" }': FlowStep(
        id="a",
        do=StepKind.MENU,
        prompts=(PromptPart(prompt="hello"),),
        invalid_prompts=(PromptPart(prompt="tone"),),
        input=DigitInput(timeout_s=4, attempts=2),
        exits={"1": "end", "#": "end", "no_input": "end"},
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "customer"\nmin_digits = 4\nmax_digits = 6\n'
    'between_s = 2\nnext = "end"': (
        FlowStep(
            id="a",
            do=StepKind.COLLECT,
            prompts=(PromptPart(prompt="hello"),),
            into="customer",
            input=DigitInput(min_digits=4, max_digits=6, next_s=2),
            exits={"next": "end"},
        )
    ),
    'do = "set"\ncad = { customer = "{ani}" }\npriority = 8\nrequires = { english = 7, billing = 2 }\nlanguage = "de"\n'
    'preferred_agent = "anna"\npreferred_wait_s = 20\nnext = "end"': FlowStep(
        id="a",
        do=StepKind.SET,
        cad={"customer": "{ani}"},
        priority=8,
        requires=(("billing", 2), ("english", 7)),
        language="de",
        preferred_agent="anna",
        preferred_wait_s=20,
        exits={"next": "end"},
    ),
    'do = "condition"\nall = [{ value = "wait_s", above = 30 }, { value = "cad.customer", one_of = ["a", 1, true] }, '
    '{ value = "ani", is_set = true }, { value = "dnis", is = "100" }]\nexits = { yes = "end", no = "end" }': FlowStep(
        id="a",
        do=StepKind.CONDITION,
        tests=(
            Test(value="wait_s", comparison=Comparison.ABOVE, to=("30",)),
            Test(value="cad.customer", comparison=Comparison.ONE_OF, to=("a", "1", "true")),
            Test(value="ani", comparison=Comparison.IS_SET),
            Test(value="dnis", comparison=Comparison.IS, to=("100",)),
        ),
        exits={"yes": "end", "no": "end"},
    ),
    'do = "condition"\nany = [{ value = "ani", starts_with = "+49" }]\nexits = { yes = "end", no = "end" }': FlowStep(
        id="a",
        do=StepKind.CONDITION,
        any_of=True,
        tests=(Test(value="ani", comparison=Comparison.STARTS_WITH, to=("+49",)),),
        exits={"yes": "end", "no": "end"},
    ),
    'do = "look_up"\nurl = "https://crm.example/{ani}"\nmethod = "POST"\nbody = \'{"n": "{dnis}", "c": "{ani}"}\'\n'
    'headers = { X-Key = "env:KEY" }\ndeadline_ms = 800\ndefault = { customer = "none" }\n'
    'exits = { next = "end", failed = "end" }': FlowStep(
        id="a",
        do=StepKind.LOOK_UP,
        look_up=LookUpStep(
            method="POST",
            url="https://crm.example/{ani}",
            body='{"n": "{dnis}", "c": "{ani}"}',
            headers={"X-Key": "env:KEY"},
            send=("ani", "dnis"),
            deadline_ms=800,
            default={"customer": "none"},
        ),
        exits={"next": "end", "failed": "end"},
    ),
    'do = "look_up"\nsource = "last_agent"\nnext = "end"': FlowStep(
        id="a", do=StepKind.LOOK_UP, look_up=LookUpStep(source=LookUpSource.LAST_AGENT), exits={"next": "end"}
    ),
    'do = "queue"\nqueue = "sales"\nexits = { full = "end" }': FlowStep(
        id="a", do=StepKind.QUEUE, queue="sales", exits={"full": "end"}
    ),
    'do = "callback"\nqueue = "sales"\nprompts = ["hello"]\naccept_key = "*"\nexits = { accepted = "end" }': FlowStep(
        id="a",
        do=StepKind.CALLBACK,
        queue="sales",
        prompts=(PromptPart(prompt="hello"),),
        accept_key="*",
        input=DigitInput(attempts=1),
        exits={"accepted": "end"},
    ),
    'do = "voicemail"\nqueue = "sales"\nprompts = ["tone"]\nmax_s = 60\nsilence_s = 3\n'
    'exits = { empty = "end" }': FlowStep(
        id="a",
        do=StepKind.VOICEMAIL,
        queue="sales",
        prompts=(PromptPart(prompt="tone"),),
        max_s=60,
        silence_s=3,
        exits={"empty": "end"},
    ),
    'do = "transfer"\nentry_point = "main"\nexits = { failed = "end" }': FlowStep(
        id="a", do=StepKind.TRANSFER, entry_point="main", exits={"failed": "end"}
    ),
    'do = "transfer"\nnumber = "+12015550123"': FlowStep(id="a", do=StepKind.TRANSFER, number="+12015550123"),
}


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("text", KINDS)
def test_a_step_of_each_kind_is_read(tmp_path: Path, text: str) -> None:
    assert step_of(tmp_path, text) == KINDS[text]


@pytest.mark.req("FLOW-01")
def test_sub_flows_give_their_exits_names(tmp_path: Path) -> None:
    sub = '[flows.sub]\nstart = "x"\n[flows.sub.steps.x]\ndo = "end_sub_flow"\nexit = "german"\n'
    b = '[flows.main.steps.b]\ndo = "return"'
    steps = f'[flows.main.steps.a]\ndo = "sub_flow"\nflow = "sub"\nexits = {{ german = "b" }}\n{b}'
    flow = flow_of(tmp_path, steps, sub=sub)
    assert flow.steps["a"] == FlowStep(id="a", do=StepKind.SUB_FLOW, flow="sub", exits={"german": "b"})
    assert load(tmp_path).config.flows["sub"].steps["x"] == FlowStep(id="x", do=StepKind.END_SUB_FLOW, exit="german")


def test_every_kind_of_step_is_covered_above() -> None:
    covered = {step.do for step in KINDS.values()} | {
        StepKind.PLAY,
        StepKind.RETURN,
        StepKind.HANG_UP,
        StepKind.SUB_FLOW,
        StepKind.END_SUB_FLOW,
        StepKind.HOURS,
    }
    assert covered == set(EXITS)


def test_a_prompt_is_a_spoken_text_a_recorded_file_or_a_sound_in_every_language(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, prompts=PROMPTS))
    assert loaded.config.prompts == {
        "hello": Prompt(id="hello", files={"de": "de/hello", "en": "en/hello"}),
        "main-menu": Prompt(id="main-menu", files={"en": "recorded/menu"}),
        "tone": Prompt(id="tone", files={"de": "sound:beep", "en": "sound:beep"}),
    }
    texts = [(file.prompt, file.language, file.text, file.is_spoken) for file in loaded.prompt_files]
    assert texts == [("hello", "de", "Hallo", True), ("hello", "en", "Hello", True), ("main-menu", "en", "", False)]


def test_an_entry_point_has_a_flow_or_a_queue(tmp_path: Path) -> None:
    queues = replaced("queues", 'queue = "sales"', 'flow = "main"')
    flow_of(tmp_path, '[flows.main.steps.a]\ndo = "queue"\nqueue = "sales"', queues=queues)
    entry_point = load(tmp_path).config.entry_points["main"]
    assert (entry_point.flow, entry_point.queue) == ("main", "")


@pytest.mark.parametrize("text", ['flow = "main"\nqueue = "sales"', "priority = 3"])
def test_an_entry_point_with_both_or_neither_is_refused(tmp_path: Path, text: str) -> None:
    checked = check(write(tmp_path, queues=replaced("queues", 'queue = "sales"', text)))
    assert "give exactly one of queue, flow" in [p.reason for p in checked.problems]


def test_an_entry_point_s_variable_is_based_on_its_flow_s(tmp_path: Path) -> None:
    own = 'flow = "main"\ncad.account = { label = "Number" }'
    cad = 'cad.account = { type = "integer" }\n'
    steps = f'{cad}[flows.main.steps.a]\ndo = "queue"\nqueue = "sales"'
    flow_of(tmp_path, steps, queues=replaced("queues", 'queue = "sales"', own))
    account = load(tmp_path).config.cad_of("main")["account"]
    assert (account.label, account.type) == ("Number", CadType.INTEGER)


def test_flows_may_stand_in_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "more.toml").write_text('[flows.more]\nstart = "a"\n[flows.more.steps.a]\ndo = "return"\n')
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "not.toml").write_text("[nonsense]\n")
    assert set(load(write(tmp_path)).config.flows) == {"more"}


def test_a_mistake_in_the_folder_of_flows_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "more.toml").write_text('[flows.more]\nstart = "a"\n\n[flows.more.steps.a]\ndo = "retrun"\n')
    (problem,) = check(write(tmp_path)).problems
    assert (problem.file, problem.line, problem.severity) == (tmp_path / "flows" / "more.toml", 4, Severity.ERROR)
    assert problem.reason.endswith("did you mean 'return'?")


MISTAKES = {
    'do = "play"\nprompt = ["hello"]\nnext = "end"': (4, "unknown key; did you mean 'prompts'?"),
    'prompts = ["hello"]': (2, "'do' is required: one of play"),
    'do = "play"\nprompts = ["hello"]\nnext = "end"\nexits = { next = "end" }': (2, "next is given twice"),
    'do = "play"\nprompts = [{ number = "wait_s", digits = "ani" }]\nnext = "end"': (
        4,
        "give one of prompt, number, digits",
    ),
    'do = "condition"\nall = [{ value = "ani" }]\nexits = { yes = "end", no = "end" }': (4, "give one of is, is_not"),
    'do = "condition"\nexits = { yes = "end", no = "end" }': (2, "give one of all, any"),
    'do = "collect"\nprompts = ["hello"]\ninto = "customer"\nmin_digits = 5\nmax_digits = 4\nnext = "end"': (
        2,
        "nothing has",
    ),
    'do = "collect"\nprompts = ["hello"]\ninto = "customer"\nmax_digits = 257\nnext = "end"': (
        6,
        "less than or equal to 64",
    ),
    'do = "look_up"\nnext = "end"': (2, "url is required"),
    'do = "look_up"\nurl = "https://{ani}.example/"\nnext = "end"': (4, "the host without placeholders"),
    'do = "look_up"\nsource = "last_agent"\nurl = "https://crm.example"\nnext = "end"': (2, "have no meaning"),
    'do = "transfer"\nagent = "anna"\nnumber = "1"': (2, "give one of agent, number, entry_point"),
    'do = "transfer"\nnumber = "{cad.customer}"': (4, "is not of the form of a number: digits"),
    'do = "callback"\nqueue = "sales"\nprompts = ["hello"]\naccept_key = "12"': (
        6,
        "'12' is not of the form of one key: '0' to '9'",
    ),
}


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_wrong_in_a_step_itself_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    line, reason = MISTAKES[text]
    end = '[flows.main.steps.end]\ndo = "hang_up"\n'
    # The step begins in the second line after the flow's head.
    flow = f'[flows.main.steps.a]\n{text}\n{end}[flows.main]\nstart = "a"\n'
    problems = check(write(tmp_path, prompts=PROMPTS, flow="\n" + flow)).problems
    assert line in {p.line for p in problems if reason in p.reason}, problems
