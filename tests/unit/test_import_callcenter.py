"""mod_callcenter's files: what they become, what is said about each key; wrong ones are refused with their line."""

from __future__ import annotations

import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.app.config import check
from routing.app.importing import Fate, ImportRefused, read_callcenter, write_directory
from routing.core.config import AfterMiss, RonaCause, Strategy
from tests.unit.import_files import callcenter_config, callcenter_xml, from_callcenter, of_key

EVERY_KEY = {
    "strategy": "top-down",
    "moh-sound": "local_stream://moh",
    "announce-sound": "one-moment.wav",
    "announce-frequency": "30",
    "record-template": "/recordings/${uuid}.wav",
    "time-base-score": "system",
    "ring-progressively-delay": "12",
    "tier-rules-apply": "true",
    "tier-rule-wait-second": "300",
    "tier-rule-wait-multiply-level": "true",
    "tier-rule-no-agent-no-wait": "false",
    "discard-abandoned-after": "60",
    "abandoned-resume-allowed": "true",
    "max-wait-time": "600",
    "max-wait-time-with-no-agent": "120",
    "max-wait-time-with-no-agent-time-reached": "5",
    "agent-no-answer-status": "On Break",
    "skip-agents-with-external-calls": "false",
    "misspelled-key": "1",
}
EVERY_TIME = {
    "status": "Available",
    "contact": "[leg_timeout=12]user/1000@default",
    "max-no-answer": "3",
    "wrap-up-time": "10",
    "reject-delay-time": "20",
    "busy-delay-time": "60",
    "no-answer-delay-time": "30",
}


def test_a_queue_an_agent_and_a_tier_become_ours(tmp_path: Path) -> None:
    text = callcenter_xml(
        {"support@default": EVERY_KEY}, {"1000@default": EVERY_TIME}, [("1000@default", "support@default", 1, 1)]
    )
    config = callcenter_config(text)
    queue, agent = config.queues["support"], config.agents["1000"]
    assert (queue.music, queue.max_wait_s, queue.leave_when_no_agents) == ("moh", 600, True)
    assert (queue.ring_timeout_s, queue.wrap_up.timeout_s) == (12, 10)
    assert queue.on_miss[RonaCause.NO_ANSWER].then is AfterMiss.RONA
    assert (queue.on_miss[RonaCause.REJECTED].then, queue.on_miss[RonaCause.REJECTED].skip_s) == (
        AfterMiss.AVAILABLE,
        20,
    )
    assert queue.on_miss[RonaCause.BUSY].skip_s == 60
    assert (agent.phone, agent.queues) == ("user/1000", (("support", 1),))
    assert config.profiles[agent.profile].record
    assert config.entry_points["support"].queue == "support"


def test_every_key_of_the_file_is_in_the_report_with_its_line(tmp_path: Path) -> None:
    text = callcenter_xml({"sales": EVERY_KEY}, {"1000": EVERY_TIME}, [("1000", "sales", 1, 1), ("1000", "gone", 1, 1)])
    found = {(f.line, f.key) for f in from_callcenter(text, tmp_path).findings}
    for line, written in enumerate(text.splitlines(), start=1):
        if written.startswith("<param"):
            assert (line, written.split('"')[1]) in found
        elif written.startswith(("<queue ", "<agent ", "<tier ")):
            names = {part.split("=")[0].split()[-1] for part in written.split('"')[:-1:2]}
            tag = written[1:].split()[0]
            for name in (names - {"name"} if tag != "tier" else {"level", "position"}) | {tag}:
                assert (line, name) in found, (line, name)


@pytest.mark.parametrize(
    ("key", "value", "fate"),
    [
        ("strategy", "sequentially-by-agent-order", Fate.KEPT),
        ("strategy", "ring-all", Fate.KEPT),
        *(
            (("strategy"), word, Fate.CHANGED)
            for word in ("random", "ring-progressively", "agent-with-fewest-calls", "x")
        ),
        ("moh-sound", "local_stream://moh", Fate.KEPT),
        ("moh-sound", "/sounds/music.wav", Fate.CHANGED),
        ("max-wait-time", "600", Fate.KEPT),
        ("max-wait-time", "0", Fate.UNUSED),
        ("max-wait-time-with-no-agent", "10", Fate.CHANGED),
        ("announce-sound", "x.wav", Fate.MISSING),
        ("announce-frequency", "0", Fate.UNUSED),
        ("abandoned-resume-allowed", "true", Fate.MISSING),
        ("abandoned-resume-allowed", "false", Fate.KEPT),
        ("time-base-score", "system", Fate.CHANGED),
        ("time-base-score", "queue", Fate.KEPT),
        ("skip-agents-with-external-calls", "false", Fate.MISSING),
        ("agent-no-answer-status", "Logged Out", Fate.CHANGED),
        ("tier-rule-wait-second", "300", Fate.UNUSED),
        ("misspelled", "1", Fate.UNUSED),
    ],
)
def test_the_fate_of_a_key_depends_on_what_it_says(tmp_path: Path, key: str, value: str, fate: Fate) -> None:
    found = of_key(from_callcenter(callcenter_xml({"sales": {key: value}}, {}, []), tmp_path), key)
    assert found.fate is fate
    assert found.became or found.advice


def test_a_variable_that_nobody_read_is_told_as_such(tmp_path: Path) -> None:
    found = of_key(
        from_callcenter(callcenter_xml({"sales": {"moh-sound": "$${hold_music}"}}, {}, []), tmp_path), "moh-sound"
    )
    assert "--vars" in found.advice


def test_ring_progressively_rings_one_after_another_for_its_delay() -> None:
    queue = {"strategy": "ring-progressively", "ring-progressively-delay": "7"}
    tiers = [(name, "sales", 1, position) for position, name in enumerate(("1001", "1000"), start=1)]
    config = callcenter_config(callcenter_xml({"sales": queue}, {"1000": EVERY_TIME, "1001": {}}, tiers))
    assert (config.queues["sales"].ring_timeout_s, config.queues["sales"].strategy) == (7, Strategy.ROUND_ROBIN)
    assert (config.agents["1001"].queues, config.agents["1000"].queues) == ((("sales", 1),), (("sales", 2),))


def test_a_queue_takes_the_times_that_most_of_its_agents_have_and_names_the_others(tmp_path: Path) -> None:
    agents = {"1000": {"wrap-up-time": "10"}, "1001": {"wrap-up-time": "10"}, "1002": {"wrap-up-time": "99"}}
    imported = from_callcenter(callcenter_xml({"sales": {}}, agents, [(a, "sales", 1, 1) for a in agents]), tmp_path)
    assert imported.queues["sales"].wrap_up_s == 10
    told = {f.owner: f.fate for f in imported.findings if f.key == "wrap-up-time"}
    assert told == {"agent 1000": Fate.KEPT, "agent 1001": Fate.KEPT, "agent 1002": Fate.CHANGED}


@pytest.mark.parametrize(
    "contact",
    ["sofia/gateway/carrier/1;x=2", "loopback/9/default", "user/1001,user/1002", "", "user/", "{x=1}"],
)
def test_an_agent_without_a_telephone_of_his_own_is_a_comment_and_in_the_report(tmp_path: Path, contact: str) -> None:
    text = callcenter_xml({"sales": {}}, {"1000": {"contact": contact}, "1001": {}}, [("1000", "sales", 1, 1)])
    imported = from_callcenter(text, tmp_path)
    write_directory(imported, tmp_path / "new")
    written = (tmp_path / "new" / "agents.toml").read_text()
    assert "# [agents.1000]" in written
    assert set(tomllib.loads(written)["agents"]) == {"1001"}
    (named,) = [f for f in imported.findings if f.owner == "agent 1000" and f.fate is Fate.MISSING and f.key == "agent"]
    assert "give him a telephone" in named.advice


@pytest.mark.parametrize(
    ("contact", "phone", "fate"),
    [
        ("user/1000", "user/1000", Fate.KEPT),
        ("[leg_timeout=10]user/1000@default", "user/1000", Fate.KEPT),
        ("{origination_caller_id_number=1}user/1000@default", "user/1000", Fate.CHANGED),
        ("user/1000@pbx2.example.com", "user/1000@pbx2.example.com", Fate.KEPT),
        ("user/1000@$${local_ip_v4}", "user/1000", Fate.KEPT),
        ("sofia/internal/1000%${domain_name}", "user/1000", Fate.KEPT),
        ("sofia/gateway/carrier/12025550123", "sofia/gateway/carrier/12025550123", Fate.CHANGED),
    ],
)
def test_a_contact_becomes_the_telephones_address(tmp_path: Path, contact: str, phone: str, fate: Fate) -> None:
    imported = from_callcenter(callcenter_xml({}, {"1000": {"contact": contact}}, []), tmp_path)
    assert imported.agents["1000"].phone == phone
    assert of_key(imported, "contact").fate is fate


def test_an_agent_of_recorded_and_other_queues_is_not_recorded_and_that_is_said(tmp_path: Path) -> None:
    queues = {"sales": {"record-template": "x.wav"}, "billing": {}}
    agents: dict[str, dict[str, object]] = {"1000": {}, "1001": {}}
    tiers = [("1000", "sales", 1, 1), ("1000", "billing", 1, 1), ("1001", "sales", 1, 1)]
    imported = from_callcenter(callcenter_xml(queues, agents, tiers), tmp_path)
    assert (imported.agents["1000"].is_recorded, imported.agents["1001"].is_recorded) == (False, True)
    (told,) = [f for f in imported.findings if f.owner == "agent 1000" and f.fate is Fate.MISSING]
    assert "not recorded" in told.advice


def test_includes_and_variables_are_followed_as_the_preprocessor_does(tmp_path: Path) -> None:
    folder = tmp_path / "conf" / "autoload_configs"
    (folder / "queues").mkdir(parents=True)
    (tmp_path / "conf" / "vars.xml").write_text(
        '<include>\n<X-PRE-PROCESS cmd="set" data="hold_music=local_stream://jazz"/>\n</include>'
    )
    (folder / "queues" / "a.xml").write_text(
        '<include>\n<queue name="a">\n<param name="moh-sound" value="$${hold_music}"/>\n</queue>\n</include>\n'
    )
    (folder / "queues" / "b.xml").write_text(
        '<include>\n<queue name="b">\n<param name="strategy" value="random"/>\n</queue>\n</include>\n'
    )
    main = folder / "callcenter.conf.xml"
    main.write_text(
        '<?xml version="1.0"?>\n<configuration name="callcenter.conf">\n<queues>\n'
        '<!-- <X-PRE-PROCESS cmd="include" data="queues/*.xml"/> -->\n</queues>\n</configuration>\n'
    )
    imported = read_callcenter(main)
    assert {name: queue.music for name, queue in imported.queues.items()} == {"a": "jazz", "b": "default"}
    found = of_key(imported, "strategy")
    assert (Path(found.file).name, found.line) == ("b.xml", 3)


def test_a_command_of_the_preprocessor_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "was_run"
    text = callcenter_xml({}, {}, []).replace(
        "<queues>", f'<X-PRE-PROCESS cmd="exec" data="touch {marker}"/>\n<queues>'
    )
    imported = from_callcenter(text, tmp_path)
    assert of_key(imported, "exec").fate is Fate.MISSING
    assert not marker.exists()


def a_database(file: Path) -> Path:
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "CREATE TABLE agents (name, instance_id, type, contact, status, max_no_answer, wrap_up_time, "
            "reject_delay_time, busy_delay_time)"
        )
        database.execute("CREATE TABLE tiers (queue, agent, state, level, position)")
        database.execute("INSERT INTO agents VALUES ('1000', 's', 'callback', 'user/1000', 'Available', 0, 7, 0, 0)")
        database.execute("INSERT INTO agents VALUES ('1009', 's', 'callback', 'user/1009', 'Logged Out', 1, 8, 0, 0)")
        database.execute("INSERT INTO tiers VALUES ('sales', '1009', 'Ready', 2, 3)")
        database.execute("INSERT INTO tiers VALUES ('sales', '1000', 'Ready', 9, 9)")
        database.commit()
    return file


def test_agents_and_tiers_of_the_database_are_taken_and_the_file_goes_before_them(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.conf.xml"
    file.write_text(callcenter_xml({"sales": {}}, {"1000": {"wrap-up-time": "20"}}, [("1000", "sales", 1, 1)]))
    database = a_database(tmp_path / "callcenter.db")
    before = database.read_bytes()
    imported = read_callcenter(file, database)
    assert imported.agents["1009"].phone == "user/1009"
    assert (imported.agents["1000"].queues, imported.agents["1009"].queues) == ({"sales": 1}, {"sales": 2})
    told = [f for f in imported.findings if f.key == "wrap-up-time" and f.owner == "agent 1000"]
    assert [(f.value, f.fate) for f in told] == [("20", Fate.CHANGED), ("7", Fate.UNUSED)]
    assert [f.value for f in imported.findings if f.owner == "tier 1000 in sales" and f.key == "level"] == ["1", "9"]
    assert (database.read_bytes(), sorted(f.name for f in tmp_path.iterdir())) == (
        before,
        ["callcenter.conf.xml", "callcenter.db"],
    )


def test_a_file_that_is_no_database_of_mod_callcenter_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.conf.xml"
    file.write_text(callcenter_xml({}, {}, []))
    for content in (b"not a database", b""):
        (tmp_path / "x.db").write_bytes(content)
        with pytest.raises(ImportRefused, match=r"x\.db: is no database of mod_callcenter"):
            read_callcenter(file, tmp_path / "x.db")
    with pytest.raises(ImportRefused, match="there is no such file"):
        read_callcenter(file, tmp_path / "y.db")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no <configuration"),
        ("<configuration>\n<queues>\n</configuration>", ":3: not XML: mismatched tag"),
        (
            '<configuration name="callcenter.conf">\n<queues>\n<queue/>\n</queues></configuration>',
            ":3: queue: needs a name",
        ),
        ('<configuration name="callcenter.conf"><tiers>\n<tier agent="a"/></tiers></configuration>', ":2: tier: needs"),
        (
            callcenter_xml({"q": {"max-wait-time": "soon"}}, {}, []),
            ":4: queue q: max-wait-time: must be a whole number, not 'soon'",
        ),
        (
            callcenter_xml({"q": {"max-wait-time": "86401"}}, {}, []),
            ":4: queue q: max-wait-time: must be 0 to 86400 seconds",
        ),
        (
            callcenter_xml({"q": {}}, {"a": {}}, [("a", "q", 1, 1)]).replace('level="1"', 'level="I"'),
            ":10: tier a in q: level",
        ),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<x>&e;</x>', ":1: not XML"),
        ('<configuration name="callcenter.conf">\n&lol;</configuration>', ":2: not XML: undefined entity"),
        ("<a>" * 100 + "</a>" * 100, ":1: nested too deeply"),
        ('<X-PRE-PROCESS cmd="include" data="callcenter.conf.xml"/>', "more than 20 deep"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        from_callcenter(text, tmp_path)
    assert "callcenter.conf.xml" in str(refused.value)
    assert message in str(refused.value)


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "callcenter.conf.xml").write_bytes(b"<a>\n\n\xff</a>")
    with pytest.raises(ImportRefused, match="xml:3: not UTF-8 text"):
        read_callcenter(tmp_path / "callcenter.conf.xml")


WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["support@default", "1000", "user/1000", "Ä ö", "-", "..", "true", "0", "-1", "99999", "a" * 200, "\u2028"]
    ),
)
SAFE = WORDS.map(lambda word: "".join(c for c in word if c.isprintable() or c == "\t"))


@settings(max_examples=60, deadline=None)
@given(
    queues=st.dictionaries(SAFE, st.dictionaries(st.sampled_from(sorted(EVERY_KEY)), SAFE, max_size=6), max_size=4),
    agents=st.dictionaries(SAFE, st.dictionaries(st.sampled_from(sorted(EVERY_TIME)), SAFE, max_size=4), max_size=4),
    data=st.data(),
)
def test_whatever_names_and_values_there_are_the_result_passes_check_or_one_error_names_the_line(
    tmp_path_factory: pytest.TempPathFactory,
    queues: dict[str, dict[str, str]],
    agents: dict[str, dict[str, str]],
    data: st.DataObject,
) -> None:
    directory = tmp_path_factory.mktemp("fuzz")
    pairs = st.tuples(
        st.sampled_from([*agents, "?"]), st.sampled_from([*queues, "?"]), st.integers(-3, 300), st.integers(-3, 300)
    )
    text = callcenter_xml(queues, agents, data.draw(st.lists(pairs, max_size=6)))
    try:
        imported = from_callcenter(text, directory)
    except ImportRefused as refused:
        line = refused.fields["line"]
    else:
        write_directory(imported, directory / "new")
        line = 1
    assert line
    if not (directory / "new").exists():
        return
    assert not [p for p in check(directory / "new").problems if p.severity.value == "error"]


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 2000), junk=st.binary(min_size=1, max_size=6))
def test_junk_anywhere_in_a_file_is_an_import_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes
) -> None:
    file = tmp_path_factory.mktemp("junk") / "callcenter.conf.xml"
    whole = callcenter_xml({"sales": EVERY_KEY}, {"1000": EVERY_TIME}, [("1000", "sales", 1, 1)]).encode()
    file.write_bytes(whole[: at % len(whole)] + junk + whole[at % len(whole) :])
    said = str(file)
    try:
        read_callcenter(file)
    except ImportRefused as refused:
        said = str(refused)
    assert str(file) in said
