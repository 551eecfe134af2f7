"""app_queue's files: what they become, what is said about each key; wrong ones are refused with their line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.app.config import check
from routing.app.importing import Fate, ImportRefused, read_queues, write_directory
from routing.app.importing.queues_rules import JOINT, MISSING, QUEUE_RULES, UNUSED
from routing.core.config import AfterMiss, RonaCause, Strategy
from tests.unit.import_files import from_queues, of_key, queues_config

TEMPLATES = """\
[general]
persistentmembers = yes
autofill = yes

[normal](!)
strategy = rrmemory
timeout = 20
wrapuptime = 10
musicclass = jazz

[sales](normal)
maxlen = 12
member => PJSIP/1001,0,Anna Able
member => PJSIP/1002,5,Ben

[billing](normal)
timeout = 30          ; its own
strategy = linear
;-- member => PJSIP/1009
member => PJSIP/1008 --;
member => PJSIP/1002
member => PJSIP/1001

[billing](+)
wrapuptime = 40
"""


def test_templates_additions_and_comments_are_read_as_asterisk_does() -> None:
    config = queues_config(TEMPLATES)
    sales, billing = config.queues["sales"], config.queues["billing"]
    assert (sales.strategy, sales.ring_timeout_s, sales.wrap_up.timeout_s) == (Strategy.ROUND_ROBIN, 20, 10)
    assert (billing.strategy, billing.ring_timeout_s, billing.wrap_up.timeout_s) == (Strategy.LINEAR, 30, 40)
    assert (sales.music, sales.max_waiting, set(config.queues)) == ("jazz", 12, {"sales", "billing"})
    assert dict(config.agents["1001"].queues) == {"sales": 1, "billing": 2}
    assert dict(config.agents["1002"].queues) == {"sales": 2, "billing": 1}
    assert (config.agents["1001"].name, config.agents["1001"].phone) == ("Anna Able", "PJSIP/1001")


def test_a_value_is_added_to_the_last_one_of_its_key(tmp_path: Path) -> None:
    imported = from_queues(
        "[a]\nmusicclass = ja\nmusicclass += zz\njoinempty = paused\njoinempty+=,invalid\n", tmp_path
    )
    assert imported.queues["a"].music == "jazz"
    assert of_key(imported, "joinempty").value == "paused,invalid"


def test_what_is_not_given_is_as_app_queue_takes_it() -> None:
    queue = queues_config("[a]\nmember => PJSIP/1\n").queues["a"]
    assert (queue.strategy, queue.ring_timeout_s, queue.max_waiting) == (Strategy.RING_ALL, 15, None)
    assert (queue.on_miss[RonaCause.NO_ANSWER].then, queue.on_miss[RonaCause.NO_ANSWER].skip_s) == (
        AfterMiss.AVAILABLE,
        5,
    )


@pytest.mark.parametrize(
    ("key", "value", "fate"),
    [
        ("strategy", "linear", Fate.KEPT),
        ("strategy", "ringall", Fate.KEPT),
        *(("strategy", word, Fate.CHANGED) for word in ("leastrecent", "fewestcalls", "random", "rrmemory")),
        *(("strategy", word, Fate.CHANGED) for word in ("rrordered", "wrandom", "roundrobin", "nonsense")),
        ("timeout", "0", Fate.CHANGED),
        ("timeout", "300", Fate.KEPT),
        ("timeout", "-1", Fate.KEPT),
        ("retry", "3", Fate.CHANGED),
        ("maxlen", "0", Fate.UNUSED),
        ("maxlen", "5", Fate.KEPT),
        ("weight", "0", Fate.KEPT),
        ("weight", "4", Fate.CHANGED),
        ("ringinuse", "no", Fate.KEPT),
        ("ringinuse", "yes", Fate.MISSING),
        ("autofill", "no", Fate.MISSING),
        ("joinempty", "yes", Fate.KEPT),
        ("joinempty", "strict", Fate.CHANGED),
        ("joinempty", "inuse,paused", Fate.CHANGED),
        ("leavewhenempty", "no", Fate.KEPT),
        ("autopause", "yes", Fate.CHANGED),
        ("autopause", "all", Fate.KEPT),
        ("servicelevel", "60", Fate.MISSING),
        ("context", "qoutcon", Fate.MISSING),
        ("announce-frequency", "90", Fate.MISSING),
        ("announce-frequency", "0", Fate.UNUSED),
        ("periodic-announce", "queue-periodic-announce", Fate.MISSING),
        ("monitor-format", "wav", Fate.CHANGED),
        ("music", "x", Fate.CHANGED),
        ("musiconhold", "jazz", Fate.KEPT),
        ("penaltymemberslimit", "3", Fate.KEPT),
        ("misspelled", "1", Fate.UNUSED),
    ],
)
def test_the_fate_of_a_key_depends_on_what_it_says(tmp_path: Path, key: str, value: str, fate: Fate) -> None:
    found = of_key(from_queues(f"[sales]\n{key}={value}\n", tmp_path), key)
    assert (found.fate, found.line) == (fate, 2)
    assert found.became or found.advice


def test_every_key_of_app_queue_is_in_the_report(tmp_path: Path) -> None:
    keys = sorted({*QUEUE_RULES, *MISSING, *UNUSED, *JOINT})
    imported = from_queues("[sales]\n" + "".join(f"{key} = 1\n" for key in keys), tmp_path)
    assert {(f.line, f.key) for f in imported.findings} == {(1, "queue")} | {
        (n, k) for n, k in enumerate(keys, start=2)
    }


@pytest.mark.parametrize(
    ("keys", "leaves"),
    [
        ("", False),
        ("joinempty=yes\nleavewhenempty=no", False),
        ("joinempty=strict\nleavewhenempty=strict", True),
        ("joinempty=no", True),
        ("leavewhenempty=paused,unavailable", True),
    ],
)
def test_callers_leave_an_empty_queue_where_either_key_says_so(keys: str, leaves: bool) -> None:
    assert queues_config(f"[sales]\n{keys}\n").queues["sales"].leave_when_no_agents is leaves


def test_weights_become_priorities_in_their_order() -> None:
    queues = queues_config("".join(f"[q{weight}]\nweight={weight}\n" for weight in (0, 7, 100, 3))).queues
    assert {id_: queue.priority for id_, queue in queues.items()} == {"q0": 5, "q3": 6, "q7": 7, "q100": 8}


@pytest.mark.parametrize(
    ("keys", "rona"),
    [
        ("", set()),
        ("autopause=all", {RonaCause.NO_ANSWER}),
        ("autopause=all\nautopausebusy=yes", {RonaCause.NO_ANSWER, RonaCause.BUSY, RonaCause.REJECTED}),
        ("autopause=yes\nautopauseunavail=yes", {RonaCause.NO_ANSWER, RonaCause.UNREACHABLE}),
        ("autopausebusy=yes", set()),
    ],
)
def test_autopause_becomes_rona_for_the_causes_that_it_names(keys: str, rona: set[RonaCause]) -> None:
    misses = queues_config(f"[sales]\n{keys}\n").queues["sales"].on_miss
    assert {cause for cause, miss in misses.items() if miss.then is AfterMiss.RONA} == rona


def test_members_behind_local_channels_are_found_by_state_interface_and_hints(tmp_path: Path) -> None:
    (tmp_path / "extensions.conf").write_text(
        "[agents]\nexten => 1003,hint,PJSIP/desk3\nexten => 1003,1,Dial(PJSIP/desk3)\n"
    )
    (tmp_path / "agents.conf").write_text("[1004]\nfullname=Dora Day\n[agents]\nagent => 1005,4711,Eve\n")
    (tmp_path / "queues.conf").write_text(
        "[sales]\n"
        "member => Local/1001@agents,0,Anna,PJSIP/1001\n"
        "member => Local/1002@agents\n"
        "member => Local/1003@agents/n,0,Cleo,hint:1003@agents\n"
        "member => PJSIP/1004\n"
        "member => PJSIP/1005\n"
    )
    imported = read_queues(tmp_path / "queues.conf", [tmp_path / "extensions.conf", tmp_path / "agents.conf"])
    agents = {agent.phone: agent for agent in imported.agents.values()}
    assert set(agents) == {"PJSIP/1001", "Local/1002@agents", "PJSIP/desk3", "PJSIP/1004", "PJSIP/1005"}
    assert [agent.phone for agent in agents.values() if agent.why_not] == ["Local/1002@agents"]
    assert (agents["PJSIP/1004"].name, agents["PJSIP/1005"].name, agents["PJSIP/1005"].pin) == (
        "Dora Day",
        "Eve",
        "4711",
    )
    fates = {f.line: f.fate for f in imported.findings if f.key == "member"}
    assert fates == {2: Fate.CHANGED, 3: Fate.MISSING, 4: Fate.CHANGED, 5: Fate.KEPT, 6: Fate.KEPT}


def test_fields_of_a_member_that_have_no_counterpart_are_in_the_report(tmp_path: Path) -> None:
    imported = from_queues("[sales]\nmember => PJSIP/1001,2,Anna,PJSIP/2001,yes,30,yes\n", tmp_path)
    fates = {f.key: f.fate for f in imported.findings if f.line == 2}
    assert fates == {
        "member": Fate.KEPT,
        "penalty": Fate.KEPT,
        "state_interface": Fate.MISSING,
        "ringinuse": Fate.MISSING,
        "wrapuptime": Fate.MISSING,
        "paused": Fate.UNUSED,
    }


def test_included_files_are_read_beside_the_first_one_and_commands_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "queues.d").mkdir()
    (tmp_path / "queues.d" / "a.conf").write_text("[a]\n#include queues.d/../more.conf\nmaxlen = 3\n")
    (tmp_path / "more.conf").write_text("timeout = 9\n[b]\n")
    text = f'#include "queues.d/*.conf"\n#tryinclude nothing.conf\n#exec touch {tmp_path}/was_run\n'
    imported = from_queues(text, tmp_path)
    assert (imported.queues["a"].max_waiting, imported.queues["a"].ring_timeout_s) == (3, 9)
    assert of_key(imported, "#exec").fate is Fate.MISSING
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strategy = linear\n", ":1: stands before the first section"),
        ("[sales\n", ":1: no closing ]"),
        ("\n[sales](normal\n", ":2: no closing )"),
        ("[sales](normal)\n", ":1: there is no section [normal] before it"),
        ("[sales](+)\n", ":1: there is no section [sales] before it"),
        ("[sales]\nlinear\n", ":2: neither a section nor a key with '='"),
        ("[sales]\n = 1\n", ":2: no key before '='"),
        ("[sales]\ntimeout = soon\n", ":2: sales: timeout: must be a whole number, not 'soon'"),
        ("[sales]\nwrapuptime = 999999\n", ":2: sales: wrapuptime: must be at most 86400 seconds, not '999999'"),
        ("[sales]\nmember => ,3\n", ":2: sales: member: needs an interface, not ',3'"),
        ("[sales]\nmember => PJSIP/1,low\n", ":2: sales: member PJSIP/1: penalty: must be a whole number, not 'low'"),
        ("[sales]\n\n;-- open\n", ":3: the comment that begins here has no end"),
        ("#include nothing.conf\n", ":1: there is no file nothing.conf"),
        ("#include queues.conf\n", ":1: files include one another more than 20 deep"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        from_queues(text, tmp_path)
    assert str(refused.value) == f"{tmp_path}/queues.conf{message}"


def test_templates_that_multiply_without_end_are_refused(tmp_path: Path) -> None:
    text = "[t0]\nmember => PJSIP/1\n" + "".join(f"[t{n}](t{n - 1},t{n - 1})\n" for n in range(1, 40))
    with pytest.raises(ImportRefused, match="more than 200000 keys"):
        from_queues(text, tmp_path)


NAMES = st.one_of(st.text(max_size=8), st.sampled_from(["sales", "general", "a-b", "Ä ö", "..", "x" * 200, "!"]))
LINES = st.one_of(
    st.tuples(
        st.sampled_from(["[{}]", "[{}](!)", "[{}](+)", "[{}](sales)", "#include {}", "member => {}", ";-- {} --;"]),
        NAMES,
    ).map(lambda found: found[0].replace("{}", found[1])),
    st.tuples(
        st.sampled_from(sorted({*QUEUE_RULES, *MISSING, *JOINT})), st.one_of(NAMES, st.integers(-2, 900).map(str))
    ).map(" = ".join),
    st.tuples(st.sampled_from(["PJSIP/1001", "Local/1@a", "user/1", "1001", "x", ""]), st.integers(-2, 200), NAMES).map(
        lambda found: f"member => {found[0]},{found[1]},{found[2]}"
    ),
    st.text(max_size=10),
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINES, max_size=14))
def test_whatever_stands_there_the_result_passes_check_or_one_error_names_the_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("fuzz")
    text = "\n".join(["[sales]", *lines]).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    found: object = "line"
    try:
        imported = from_queues(text, directory)
        write_directory(imported, directory / "new")
    except ImportRefused as refused:
        found = refused.fields["line"]
    assert found
    if (directory / "new").exists():
        assert not [p for p in check(directory / "new").problems if p.severity.value == "error"]
