"""What a right directory becomes, and that no TOML at all can make the loader raise."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.app.config import check, load
from routing.app.config.models import KEYED, SINGLE
from routing.app.settings import PbxKind
from routing.core.config import AfterMiss, MissPolicy, RelaxationStep, RonaCause, WrapUp
from routing.core.declarations import CadType
from tests.unit.config_dir import GOOD, replaced, write

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example"


def test_the_example_has_neither_errors_nor_warnings() -> None:
    assert check(EXAMPLE).problems == ()


def test_the_example_is_a_small_contact_center() -> None:
    config = load(EXAMPLE).config
    assert (len(config.agents), len(config.queues), len(config.entry_points)) == (8, 3, 7)
    assert any(queue.relaxation for queue in config.queues.values())
    assert {v.type for e in ["", *config.entry_points] for v in config.cad_of(e).values()} == set(CadType)
    assert [v.name for v in config.cad if v.secure] == ["birth_date"]


def test_a_team_without_a_label_is_called_by_its_id(tmp_path: Path) -> None:
    teams = load(write(tmp_path, more='[teams.late]\n[teams.early]\nlabel = "Early birds"')).config.teams
    assert (teams["late"].label, teams["early"].label) == ("late", "Early birds")


def test_agents_have_their_teams_queues_unless_they_name_their_own(tmp_path: Path) -> None:
    people = replaced("people", 'phone = "PJSIP/1001"', 'phone = "PJSIP/1001"\nqueues = ["sales", "more"]')
    config = load(write(tmp_path, people=people, more="[queues.more]")).config
    assert config.agents["anna"].queues == (("more", 1), ("sales", 1))
    assert config.agents["ben"].queues == (("sales", 1),)


def test_skills_and_requirements_are_sorted_by_name(tmp_path: Path) -> None:
    queues = replaced("queues", "{ english = 5 }", "{ english = 3, billing = 5 }")
    config = load(write(tmp_path, queues=queues)).config
    assert config.queues["sales"].requires == (("billing", 5), ("english", 3))
    assert config.agents["ben"].skills == (("billing", 5), ("english", 3))
    assert config.queues["sales"].relaxation == (RelaxationStep(after_s=30, requires=(("english", 2),)),)


def test_the_default_profile_exists_without_being_written(tmp_path: Path) -> None:
    config = load(write(tmp_path)).config
    assert config.profiles["default"].receive_calls
    assert config.agents["anna"].profile == "default"


def test_the_only_pbx_need_not_be_named(tmp_path: Path) -> None:
    assert load(write(tmp_path)).config.agents["anna"].pbx == "ast1"


@pytest.mark.parametrize(
    ("text", "wrap_up"),
    [
        ("{ timeout_s = 20 }", WrapUp(timeout_s=20)),
        ("{ until_reason = true, max_extensions = 0 }", WrapUp(timeout_s=None, max_extensions=0)),
        ("{}", WrapUp(timeout_s=0)),
    ],
)
def test_wrap_up_has_a_time_no_time_or_no_limit(tmp_path: Path, text: str, wrap_up: WrapUp) -> None:
    queues = replaced("queues", '{ timeout_s = 20, default_reason = "Done" }', text)
    assert load(write(tmp_path, queues=queues)).config.queues["sales"].wrap_up == wrap_up


@pytest.mark.req("ROUTE-07")
def test_a_miss_policy_is_read_per_cause(tmp_path: Path) -> None:
    policy = (
        '[queues.sales]\non_miss.busy = { then = "idle", idle_reason = "Break", skip_s = 5 }\non_miss.rejected = {}'
    )
    queue = load(write(tmp_path, queues=replaced("queues", "[queues.sales]", policy))).config.queues["sales"]
    assert queue.on_miss == {
        RonaCause.BUSY: MissPolicy(then=AfterMiss.IDLE, idle_reason="Break", skip_s=5),
        RonaCause.REJECTED: MissPolicy(),
    }


@pytest.mark.req("CAD-02")
def test_an_entry_point_changes_only_what_it_writes_of_a_common_variable(tmp_path: Path) -> None:
    queues = replaced(
        "queues", '[cad.customer]\nlabel = "Customer"', '[cad.customer]\nlabel = "Customer"\norder = 4\nsecure = true'
    )
    queues += "[entry_points.main.cad]\ncustomer = { editable = false }\nown = { type = 'date' }\n"
    config = load(write(tmp_path, queues=queues)).config
    customer = config.cad_of("main")["customer"]
    assert (customer.label, customer.order, customer.secure, customer.editable) == ("Customer", 4, True, False)
    assert config.cad_of("main")["own"].label == "own"
    assert config.cad_of("")["customer"].editable


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_A", "from-env")
    (tmp_path / "b.secret").write_text("from-file\nsecond line\n")
    pbx = '[pbx.a]\nsecret_env = "AMI_A"\n[pbx.b]\nsecret_file = "b.secret"\n[pbx.c]\nsecret_env = "AMI_C"\n'
    pbx += '[pbx.d]\nsecret_file = "missing"\n[pbx.e]\nkind = "simulated"\n'
    people = GOOD["people.toml"].replace('team = "front"\n', 'team = "front"\npbx = "a"\n')
    loaded = load(write(tmp_path, pbx=pbx, people=people))
    assert {id_: settings.secret for id_, settings in loaded.pbxs.items()} == {
        "a": "from-env",
        "b": "from-file",
        "c": "",
        "d": "",
        "e": "",
    }
    assert loaded.pbxs["c"].secret_source == "environment variable AMI_C"
    assert loaded.pbxs["e"].kind is PbxKind.SIMULATED
    assert "from-env" not in repr(loaded)


def test_a_secret_in_a_file_that_everybody_reads_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, pbx='# first\n[pbx.ast1]\n\nsecret = "s3cret"\n')
    (tmp_path / "pbx.toml").chmod(0o644)
    assert [(p.file.name, p.line, p.key) for p in check(tmp_path).problems] == [("pbx.toml", 4, "pbx.ast1.secret")]
    (tmp_path / "pbx.toml").chmod(0o640)
    assert check(tmp_path).problems == ()


def test_a_secret_file_that_is_no_file_does_not_block(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, pbx='[pbx.ast1]\nsecret_file = "/dev/zero"\n'))
    assert loaded.pbxs["ast1"].secret == ""


_NAMES = "sales anna requires relaxation after_s on_miss busy then wrap_up numbers phone team idle secret_file english"
_WORDS = st.sampled_from([*SINGLE, *KEYED, *_NAMES.split()])
_KEYS = _WORDS | st.text(max_size=5)
_SCALARS = st.integers() | st.booleans() | st.floats() | st.text(max_size=8) | _WORDS
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=25
)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)


def _check_bytes(raw: bytes) -> None:
    with TemporaryDirectory() as name:
        file = Path(name) / "any.toml"
        file.write_bytes(raw)
        checked = check(Path(name))
        lines = raw.count(b"\n") + 1
        assert all(0 <= problem.line <= lines for problem in checked.problems)
        assert checked.loaded is not None or checked.problems


@pytest.mark.req("OPS-02")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_whatever_a_document_says_it_is_loaded_or_reported(document: dict[str, object]) -> None:
    _check_bytes("".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in document.items()).encode())


@pytest.mark.req("OPS-02")
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_right_file_damaged_anywhere_is_loaded_or_reported(data: st.DataObject) -> None:
    raw = bytearray("\n".join(GOOD.values()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw) - 1))
        length = data.draw(st.integers(0, 12))
        raw[start : start + length] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"[", b"]]", b'"""', b"{", b"\r\n"])
        )
    _check_bytes(bytes(raw))


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000,
        "a = " + "[" * 300 + "]" * 300,
        "a = " + "9" * 5000,
        "[queues.x]\npriority = " + "9" * 400,
        "\x00",
    ],
)
def test_oversized_nonsense_is_reported(text: str) -> None:
    _check_bytes(text.encode())


def test_the_directory_of_recordings_is_relative_to_the_configuration(tmp_path: Path) -> None:
    assert load(write(tmp_path)).server.recordings_directory == ""
    more = '[recordings]\ndirectory = "calls"'
    assert load(write(tmp_path, more=more)).server.recordings_directory == str(tmp_path / "calls")
