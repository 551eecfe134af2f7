"""PBXs in the files: kinds and their defaults, telephones by number, trunks between PBXs, and every mistake in them."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.config import ConfigRefused, Severity, check, load, load_settings
from routing.app.config.dial_strings import FORMS, extension_mistake, phone_mistake, template_mistake
from routing.app.config.plan import make_plan
from routing.app.settings import EslTransport, PbxKind
from routing.core.commands import DialLeg
from routing.core.interaction import Interaction, InteractionState
from routing.core.reach import dial_string
from routing.core.world import WorldState
from telephony.asterisk import actions as asterisk_actions
from telephony.freeswitch import actions as freeswitch_actions
from telephony.freeswitch.settings import TransportKind
from tests.unit.config_dir import GOOD, replaced, write

ROOT = Path(__file__).parents[2]
AST = '[pbx.ast1]\nsecret_env = "A"\n'
FS = '[pbx.fs1]\nkind = "freeswitch"\nsecret_env = "B"\n'
ALONE = FS.replace("fs1", "ast1")
BOTH_WAYS = AST + 'trunks = { fs1 = "PJSIP/{number}@to-fs1" }\n'
BOTH_WAYS += FS + 'trunks.ast1 = "sofia/gateway/to-ast1/{number}"\n'
NUMBERS = GOOD["people.toml"].replace("PJSIP/", "")
# Anna's telephone is at the Asterisk, Ben's at the FreeSWITCH.
APART = NUMBERS.replace('phone = "1001"', 'phone = "1001"\npbx = "ast1"').replace(
    'phone = "1002"', 'phone = "1002"\npbx = "fs1"'
)


# ------------------------------------------------------------------ kinds


@pytest.mark.req("OPS-02", "OPS-05")
def test_each_kind_has_its_own_defaults(tmp_path: Path) -> None:
    pbxs = load_settings(write(tmp_path, pbx=f"{AST}{FS}")).pbxs
    ast, fs = pbxs["ast1"], pbxs["fs1"]
    assert (ast.kind, ast.port, ast.username) == (PbxKind.ASTERISK, 5038, "switchroom")
    assert (fs.kind, fs.port, fs.username, fs.transport) == (PbxKind.FREESWITCH, 8021, "", EslTransport.AUTO)


@pytest.mark.req("OPS-02", "OPS-05")
@pytest.mark.parametrize("transport", ["auto", "socket", "python-esl"])
def test_the_client_of_the_event_socket_can_be_chosen(tmp_path: Path, transport: str) -> None:
    pbx = f'{FS}port = 8029\nhost = "10.0.0.7"\ntransport = "{transport}"\n'
    fs = load_settings(write(tmp_path, pbx=pbx)).pbxs["fs1"]
    assert (fs.transport.value, fs.host, fs.port) == (transport, "10.0.0.7", 8029)


def test_the_clients_that_can_be_chosen_are_those_that_there_are() -> None:
    assert [kind.value for kind in EslTransport] == [kind.value for kind in TransportKind]


@pytest.mark.req("OPS-02", "OPS-05")
def test_moving_to_freeswitch_changes_the_file_of_the_pbx_alone(tmp_path: Path) -> None:
    before = load(write(tmp_path, people=NUMBERS)).config
    after = load(write(tmp_path, people=NUMBERS, pbx=ALONE)).config
    assert [a.phone for a in before.agents.values()] == ["PJSIP/1001", "PJSIP/1002"]
    assert [a.phone for a in after.agents.values()] == ["user/1001", "user/1002"]
    changed = {(c.kind, f.name) for c in make_plan(WorldState(config=before), after).changes for f in c.fields}
    assert changed == {("pbx", "kind"), ("agent", "phone")}


@pytest.mark.req("OPS-02")
def test_a_bare_number_is_dialed_as_the_pbx_says_and_a_full_address_as_it_stands(tmp_path: Path) -> None:
    people = NUMBERS.replace('"1002"', '"PJSIP/ben"')
    pbx = f'{AST}phone = "PJSIP/phone-{{number}}"\n'
    config = load(write(tmp_path, people=people, pbx=pbx)).config
    assert [a.phone for a in config.agents.values()] == ["PJSIP/phone-1001", "PJSIP/ben"]


@pytest.mark.req("OPS-02", "SAFE-03")
def test_the_password_that_every_freeswitch_is_shipped_with_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B", "ClueCon")
    (problem,) = check(write(tmp_path, people=NUMBERS, pbx=ALONE.replace('"A"', '"B"'))).problems
    assert (problem.key, problem.severity) == ("pbx.ast1", Severity.WARNING)
    assert "everybody knows" in problem.reason


# ------------------------------------------------------------------ trunks


@pytest.mark.req("OPS-05", "OPS-02")
def test_trunks_lead_callers_of_either_pbx_to_the_agents_of_the_other(tmp_path: Path) -> None:
    people = APART.replace('pbx = "fs1"', 'pbx = "fs1"\nextension = "8002"')
    loaded = load(write(tmp_path, people=people, pbx=BOTH_WAYS))
    anna, ben = loaded.config.agents.values()
    assert (anna.phone, ben.phone, loaded.warnings) == ("PJSIP/1001", "user/1002", ())
    assert dial_string(loaded.config, "ast1", ben) == "PJSIP/8002@to-fs1"
    assert dial_string(loaded.config, "fs1", anna) == "sofia/gateway/to-ast1/1001"


@pytest.mark.req("OPS-05", "OPS-02")
def test_a_queue_whose_agents_not_every_caller_reaches_is_a_warning_per_missing_trunk(tmp_path: Path) -> None:
    one_way = BOTH_WAYS[: BOTH_WAYS.index("trunks.ast1")]
    (problem,) = check(write(tmp_path, people=APART, pbx=one_way)).problems
    assert (problem.key, problem.severity) == ("pbx.fs1.trunks", Severity.WARNING)
    assert "cannot reach agents on ast1, though queue sales has agents on both" in problem.reason
    assert "pbx.fs1.trunks.ast1" in problem.reason
    both = check(write(tmp_path, people=APART, pbx=AST + FS)).problems
    assert [p.key for p in both] == ["pbx.ast1.trunks", "pbx.fs1.trunks"]


@pytest.mark.req("OPS-05", "OPS-02")
def test_pbxs_that_share_no_queue_need_no_trunk(tmp_path: Path) -> None:
    people = APART.replace('pbx = "fs1"', 'pbx = "fs1"\nqueues = ["other"]')
    problems = check(write(tmp_path, people=people, pbx=AST + FS, more="[queues.other]\n")).problems
    assert "trunks" not in " ".join(p.key for p in problems)


@pytest.mark.req("OPS-05", "OPS-02")
def test_an_extension_that_no_trunk_dials_is_a_warning(tmp_path: Path) -> None:
    people = APART.replace('pbx = "ast1"', 'pbx = "ast1"\nextension = "8001"')
    one_way = BOTH_WAYS[: BOTH_WAYS.index("trunks.ast1")]
    problems = check(write(tmp_path, people=people, pbx=one_way)).problems
    (problem,) = [p for p in problems if p.key == "agents.anna.extension"]
    assert (problem.severity, problem.reason) == (Severity.WARNING, "nobody dials it: no trunk leads to ast1")


@pytest.mark.req("OPS-05", "OPS-02")
def test_taking_a_trunk_away_while_callers_wait_is_in_the_plan(tmp_path: Path) -> None:
    running = load(write(tmp_path, people=APART, pbx=BOTH_WAYS)).config
    new = load(write(tmp_path, people=APART, pbx=AST + FS)).config
    waiting = Interaction(
        id="int_1",
        pbx="ast1",
        state=InteractionState.QUEUED,
        customer_leg="leg_1",
        entry_point="main",
        queue="sales",
        ani="",
        ani_name="",
        dnis="",
        entered_at_ms=1,
        priority=5,
        requires=(),
    )
    plan = make_plan(WorldState(config=running, interactions={"int_1": waiting}), new)
    assert plan.warnings == ("the trunk from ast1 to fs1 is removed: 1 waiting call gets no further agent of fs1",)
    changed = {(c.id, f.name, f.old, f.new) for c in plan.changes for f in c.fields}
    assert ("ast1", "trunks", "fs1: PJSIP/{number}@to-fs1", "none") in changed


# ------------------------------------------------------------------ mistakes


@pytest.mark.req("OPS-02", "OPS-05", "SAFE-03")
@pytest.mark.parametrize(
    ("pbx", "key", "reason"),
    [
        ('[pbx.fs1]\nkind = "freeswitch"\n', "pbx.fs1", "the password in event_socket.conf.xml"),
        ("[pbx.fs1]\n", "pbx.fs1", "the secret of the user in manager.conf"),
        (f'{FS}username = "me"\n', "pbx.fs1.username", "FreeSWITCH asks for its password alone"),
        (f'{FS}kind_ = "x"\n', "pbx.fs1.kind_", "did you mean 'kind'?"),
        (f'{FS}transport = "esl"\n', "pbx.fs1.transport", "'esl' is none of auto, socket, python-esl"),
        ('[pbx.fs1]\nsecret_env = "B"\ntransport = "auto"\n', "pbx.fs1.transport", 'is kind = "freeswitch" missing?'),
        (f'{FS}phone = "user/"\n', "pbx.fs1.phone", "has no {number}: it stands where the number goes, as in 'user/"),
        (f'{FS}trunks.ast1 = "user/1"\n', "pbx.fs1.trunks.ast1", "has no {number}"),
        (f'{FS}trunks.fs1 = "user/{{number}}"\n', "pbx.fs1.trunks.fs1", "leads to this PBX itself"),
        (f'{FS}trunks.ast = "user/{{number}}"\n', "pbx.fs1.trunks.ast", "no PBX 'ast'; did you mean 'ast1'?"),
        (f'{FS}trunks.ast1 = "a/{{number}},b/1"\n', "pbx.fs1.trunks.ast1", "nothing that a dial string splits at"),
        (f'{FS}dial = "PJSIP/{{number}}@trunk&x/1"\n', "pbx.fs1.dial", "'sofia/gateway/trunk/{number}'"),
        (f'{FS}dial = "{{a=b}}user/{{number}}"\n', "pbx.fs1.dial", "nothing that a dial string splits at"),
    ],
)
def test_a_mistake_in_a_pbx_is_an_error_at_its_key(tmp_path: Path, pbx: str, key: str, reason: str) -> None:
    people = GOOD["people.toml"].replace('team = "front"\n', 'team = "front"\npbx = "ast1"\n')
    (problem,) = check(write(tmp_path, people=people, more=pbx)).problems
    assert (problem.key, problem.severity, problem.file.name) == (key, Severity.ERROR, "more.toml")
    assert reason in problem.reason
    with pytest.raises(ConfigRefused):
        load_settings(tmp_path)


@pytest.mark.req("OPS-02", "OPS-05", "SAFE-03")
@pytest.mark.parametrize(
    ("people", "pbx", "key", "reason"),
    [
        (NUMBERS.replace('"1001"', '"PJSIP/1/2"'), AST, "phone", "the address of a telephone on this Asterisk"),
        (NUMBERS.replace('"1001"', '"user/1001"'), AST, "phone", "telephone on this Asterisk"),
        (NUMBERS.replace('"1001"', '"1001 "'), AST, "phone", "is not of the form '1001'"),
        (NUMBERS.replace('"1001"', '"sofia/a:_:b/1"'), ALONE, "phone", "telephone on this FreeSWITCH"),
        (NUMBERS.replace('"1001"', '"PJSIP/1001@x:y"'), ALONE, "phone", "'user/1001'"),
        (NUMBERS.replace('"1001"', '"PJSIP/1002"'), AST, "", "has this phone too"),
        (NUMBERS.replace('"1001"', '"user/1002"'), ALONE, "", "has this phone too"),
        (APART.replace("ast1", "fs1").replace('"1001"', '"user/1002@x"'), BOTH_WAYS, "", "has the number 1002 too"),
        (APART.replace('"1002"', '"user/+"').replace("+", "a:5"), BOTH_WAYS, "", "give 'extension'"),
        (APART.replace('"fs1"', '"fs1"\nextension = "1,2"'), BOTH_WAYS, "extension", "'1,2' is no number that another"),
        (APART.replace('"fs1"', '"fs"'), BOTH_WAYS, "pbx", "there is no PBX 'fs'; did you mean 'fs1'?"),
    ],
)
def test_a_mistake_in_a_telephone_is_an_error_at_its_key(
    tmp_path: Path, people: str, pbx: str, key: str, reason: str
) -> None:
    errors = [p for p in check(write(tmp_path, people=people, pbx=pbx)).problems if p.severity is Severity.ERROR]
    (problem,) = errors
    assert problem.key.startswith("agents.")
    assert problem.key.endswith(key)
    assert reason in problem.reason
    assert check(tmp_path).loaded is None


_HOSTILE = ["{a=b}", "[x]", "<y>", "|", ",", " ", '"', "'", "$", "${x}", "\\", "&", ";", "\n", "%", "(", "`", "!"]


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize(
    ("kind", "bad"), [*((kind, bad) for kind in PbxKind for bad in _HOSTILE), (PbxKind.FREESWITCH, ":_:")]
)
def test_nothing_that_splits_or_expands_a_dial_string_gets_into_one(kind: PbxKind, bad: str) -> None:
    form = FORMS[kind]
    assert not template_mistake(kind, form.trunk)
    assert not template_mistake(kind, form.usual, is_trunk=False)
    assert not phone_mistake(kind, form.usual.replace("{number}", "1001"))
    for at in range(len(form.trunk) + 1):
        assert template_mistake(kind, form.trunk[:at] + bad + form.trunk[at:])
    for phone in ("1001", form.usual.replace("{number}", "1001")):
        for at in range(len(phone) + 1):
            assert phone_mistake(kind, phone[:at] + bad + phone[at:])
    assert extension_mistake(f"10{bad}01")


def _dial(kind: PbxKind, phone: str) -> None:
    """As the connector would. Raises UnsafeAction."""
    order = DialLeg(id="off_1", pbx="p", leg_id="leg_1", interaction_id="int_1", phone=phone, timeout_s=20)
    ORIGINATE[kind](order)


ORIGINATE: dict[PbxKind, Callable[[DialLeg], object]] = {
    PbxKind.ASTERISK: asterisk_actions.originate,
    PbxKind.FREESWITCH: freeswitch_actions.originate,
}
_NUMBERS = st.text("09azAZ_.+*#-", min_size=1, max_size=32)


@pytest.mark.req("SAFE-03", "OPS-05")
@pytest.mark.parametrize("kind", ORIGINATE)
@given(made=st.data(), number=_NUMBERS)
def test_what_check_accepts_the_connector_dials(kind: PbxKind, made: st.DataObject, number: str) -> None:
    assert not extension_mistake(number)
    template = made.draw(st.from_regex(FORMS[kind].template, fullmatch=True))
    if not template_mistake(kind, template):
        _dial(kind, template.replace("{number}", number))
    _dial(kind, made.draw(st.from_regex(FORMS[kind].phone, fullmatch=True)))


@pytest.mark.req("SAFE-03", "OPS-05")
@pytest.mark.parametrize(
    "template",
    ["sofia/gateway/trunk/{number}", "sofia/gateway/trunk/9{number}", "sofia/internal/{number}@10.0.0.7:5080",
     "user/{number}@pbx.example", "sofia/external/{number}@sip.example"],
)  # fmt: skip
def test_usual_dial_strings_of_freeswitch_are_taken(template: str) -> None:
    assert not template_mistake(PbxKind.FREESWITCH, template)
    assert not phone_mistake(PbxKind.FREESWITCH, template.replace("{number}", "1001"))
    assert re.search("splits at", template_mistake(PbxKind.FREESWITCH, template + "{number}"))


@pytest.mark.req("OPS-02")
def test_every_mistake_of_an_agent_is_told_beside_that_of_his_phone(tmp_path: Path) -> None:
    people = replaced("people", "english = 8", "english = 11").replace("PJSIP/1001", "no phone")
    assert [p.key for p in check(write(tmp_path, people=people)).problems] == [
        "agents.anna.phone",
        "agents.anna.skills.english",
    ]


# ------------------------------------------------------------------ what is written about it


def _blocks(page: str) -> list[str]:
    """The indented blocks of a page."""
    text = (ROOT / "docs" / page).read_text()
    return [
        textwrap.dedent(block) for block in re.findall(r"(?:(?:^    .*\n|^\n)+)", text, re.MULTILINE) if block.strip()
    ]


@pytest.mark.req("OPS-05", "OPS-02")
def test_the_configuration_in_the_guide_to_several_pbxs_has_no_mistake(tmp_path: Path) -> None:
    pbx, people = [block for block in _blocks("several-pbxs.md") if re.match(r"\s*\[(pbx|agents)\.", block)]
    people += '[teams.front]\nqueues = ["sales"]\n'
    write(tmp_path, pbx=pbx, people=people, queues="[queues.sales]\n")
    loaded = load(tmp_path)
    assert loaded.warnings == ()
    ben, anna = loaded.config.agents["ben"], loaded.config.agents["anna"]
    assert dial_string(loaded.config, "ast1", ben) == "PJSIP/1002@to-fs1"
    assert dial_string(loaded.config, "fs1", anna) == "sofia/gateway/to-ast1/1001"


@pytest.mark.req("OPS-02", "OPS-04")
def test_the_example_serves_either_pbx_or_both_when_its_comments_are_taken_away(tmp_path: Path) -> None:
    for file in (ROOT / "deploy" / "example").glob("*.toml"):
        shutil.copy(file, tmp_path)
    text = (tmp_path / "pbx.toml").read_text()
    keys = re.sub(r"^# (?=[\[a-z_]+[\].a-z0-9_]* ?=|\[)", "", text, flags=re.MULTILINE).replace("secret_file", "# ")
    people = (tmp_path / "agents.toml").read_text().replace('phone = "10', 'pbx = "ast1"\nphone = "10')
    (tmp_path / "agents.toml").write_text(people.replace('"ast1"', '"fs1"', 3))
    (tmp_path / "pbx.toml").write_text(keys)
    problems = check(tmp_path).problems
    assert not [p for p in problems if p.severity is Severity.ERROR or "trunk" in p.reason], problems
    phones = {a.phone.partition("/")[0] for a in load(tmp_path).config.agents.values()}
    assert phones == {"PJSIP", "user"}
