"""`doctor` against a real FreeSWITCH, broken on purpose (OPS-01)."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.freeswitch_config import MODULES
from deploy.lab.phone import Phone
from deploy.lab.redis import RedisServer
from tests.integration.cli_site import CliSite
from tests.unit.config_dir import GOOD, write
from tests.waiting import run, wait_until

pytestmark = [pytest.mark.req("OPS-01"), pytest.mark.freeswitch]

GUARDED = {"disable-transfer": "true"}
PEOPLE = GOOD["people.toml"].replace("PJSIP/", "")
RECORDED = PEOPLE + "\n[profiles.default]\nrecord = true\n"
CHECKS = (
    "transport login version system_name clock password listening limits modules dialplan conference settings beat "
    "music phones trunk transfers recordings events"
).split()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def healthy() -> Iterator[FreeSwitch]:
    with FreeSwitch(agents=["1001", "1002"], profile=GUARDED) as pbx:
        yield pbx


def examined(
    redis: RedisServer, directory: Path, pbx: FreeSwitch, people: str = RECORDED, queues: str = "", **changes: str
) -> dict[str, dict[str, Any]]:
    """Findings about the PBX by check; `changes` replaces or adds lines of its table, with "" takes one away."""
    table = {
        "kind": '"freeswitch"',
        "port": str(pbx.esl_port),
        "secret": f'"{pbx.esl_secret}"',
        "system_name": f'"{pbx.system_name}"',
        "dial": '"sofia/gateway/trunk/{number}"',
    }
    text = "[pbx.fs1]\n" + "".join(f"{key} = {value}\n" for key, value in (table | changes).items() if value)
    directory.mkdir(exist_ok=True)
    write(directory, pbx=text, people=people, queues=queues or GOOD["queues.toml"])
    (directory / "pbx.toml").chmod(0o600)
    found = json.loads(CliSite(redis, directory).run("doctor", "--json", exit_code=1))["findings"]  # no engine runs
    return {f["check"]: f for f in found if f["subject"] == "fs1"}


def levels(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    wrong = {check: finding["level"] for check, finding in found.items() if finding["level"] != "ok"}
    assert all(found[check]["mend"] for check in wrong)
    return wrong


def sign_of_life(pbx: FreeSwitch, seconds_ago: int = 0) -> None:
    pbx.cli(f"global_setvar SR_BEAT={int(time.time()) - seconds_ago}")


def rewrite(pbx: FreeSwitch, file: str, old: str, new: str) -> None:
    path = pbx.directory / "conf" / file
    text = path.read_text()
    if old not in text:
        raise AssertionError(f"{old!r} does not stand in {file}")
    path.write_text(text.replace(old, new, 1))


def test_a_pbx_with_everything_in_order_has_no_complaint_and_nothing_is_left_of_the_test_call(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    found = examined(redis, tmp_path, healthy)
    assert {check: f["detail"] for check, f in found.items() if f["level"] != "ok"} == {}
    assert sorted(found) == sorted(CHECKS)
    wait_until(lambda: "0 total" in healthy.cli("show channels"))
    assert list((healthy.recordings / "switchroom").glob("*")) == []
    assert found["phones"]["detail"] == "all 2 are known, 0 of them are registered"


def test_who_is_registered_is_counted(redis: RedisServer, healthy: FreeSwitch, tmp_path: Path) -> None:
    async def play() -> dict[str, dict[str, Any]]:
        phone = await Phone.create("1001", healthy.sip, healthy.password("1001"), tone=700)
        try:
            await phone.register()
            # FreeSWITCH's lists are behind by a moment.
            await asyncio.to_thread(wait_until, lambda: "1001" in healthy.cli("show registrations"))
            return await asyncio.to_thread(examined, redis, tmp_path, healthy)
        finally:
            await phone.close()

    sign_of_life(healthy)
    found = run(play())
    assert levels(found) == {}
    assert found["phones"]["detail"] == "all 2 are known, 1 of them are registered"


def test_a_wrong_password_an_unset_one_and_a_wrong_port_are_told_apart(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    wrong = examined(redis, tmp_path, healthy, secret='"not it"')
    assert levels(wrong) == {"login": "error"}
    assert "refuses the password: -ERR invalid" in wrong["login"]["detail"]
    closed = examined(redis, tmp_path, healthy, port="1")
    assert levels(closed) == {"login": "error"}
    assert "cannot connect" in closed["login"]["detail"]
    unset = examined(redis, tmp_path, healthy, secret="", secret_env='"NOBODY_SETS_THIS"')
    assert levels(unset) == {"secret": "error"}
    assert "NOBODY_SETS_THIS" in unset["secret"]["detail"]


def test_another_name_of_the_pbx_than_configured_is_an_error(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    assert levels(examined(redis, tmp_path, healthy, system_name='"elsewhere"')) == {"system_name": "error"}


def test_a_telephone_a_gateway_or_music_that_the_pbx_does_not_have_is_named(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    people = RECORDED.replace("1002", "1999")
    queues = GOOD["queues.toml"].replace("[queues.sales]\n", '[queues.sales]\nmusic = "vivaldi"\n', 1)
    found = examined(redis, tmp_path, healthy, people, queues, dial='"sofia/gateway/nowhere/{number}"')
    assert levels(found) == {"phones": "error", "trunk": "error", "music": "warning"}
    assert found["phones"]["detail"] == "the PBX does not know user/1999"
    assert found["trunk"]["detail"] == "there is no gateway nowhere"
    assert found["music"]["detail"] == "there is no local_stream vivaldi: `default` is played instead"


def test_a_profile_that_does_not_run_is_named_and_one_that_does_is_not(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    there = examined(redis, tmp_path, healthy, dial='"sofia/internal/{number}@192.0.2.1"')
    assert (levels(there), there["trunk"]["detail"]) == ({}, "internal up")
    gone = examined(redis, tmp_path, healthy, dial='"sofia/elsewhere/{number}@192.0.2.1"')
    assert levels(gone) == {"trunk": "error"}


def test_a_server_that_has_fallen_silent_or_was_never_there_is_an_error(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy, 70)
    silent = examined(redis, tmp_path, healthy)
    assert levels(silent) == {"beat": "error"}
    assert "callers go back" in silent["beat"]["detail"]
    healthy.cli("global_setvar SR_DEAD_S=300")
    try:
        assert levels(examined(redis, tmp_path, healthy)) == {}
    finally:
        healthy.cli("global_setvar SR_DEAD_S=")
    healthy.cli("global_setvar SR_BEAT=")
    assert levels(examined(redis, tmp_path, healthy)) == {"beat": "error"}


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("SR_TAKE_S", "3s", "error"),
        ("SR_TAKE_S", "0", "warning"),
        ("SR_DEAD_S", "6", "warning"),
        ("SR_CHECK_S", "1", "warning"),
        ("SR_CHECK_S", "90", "warning"),
    ],
)
def test_times_of_the_dialplan_with_which_it_cannot_work_are_found(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path, name: str, value: str, level: str
) -> None:
    sign_of_life(healthy)
    healthy.cli(f"global_setvar {name}={value}")
    try:
        found = examined(redis, tmp_path, healthy)
    finally:
        healthy.cli(f"global_setvar {name}=")
    assert levels(found) == {"settings": level}
    assert name in found["settings"]["detail"]


def test_a_pbx_that_is_paused_says_so_and_the_test_call_does_not_get_through(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    healthy.cli("fsctl pause")
    try:
        found = examined(redis, tmp_path, healthy)
    finally:
        healthy.cli("fsctl resume")
    assert levels(found) == {"limits": "error", "events": "error"}
    assert "-ERR" in found["events"]["detail"]


def test_a_folder_that_freeswitch_cannot_write_into_is_found(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path
) -> None:
    sign_of_life(healthy)
    healthy.cli("global_setvar SR_RECORD_DIR=/proc/nowhere")
    try:
        found = examined(redis, tmp_path, healthy)
        assert levels(found) == {"recordings": "error"}
        assert "/proc/nowhere" in found["recordings"]["detail"]
        unrecorded = examined(redis, tmp_path, healthy, PEOPLE)
    finally:
        healthy.cli("global_setvar SR_RECORD_DIR=")
    assert (levels(unrecorded), "recordings" in unrecorded) == ({}, False)


def test_a_pbx_with_everything_missing_gets_a_way_to_mend_each(redis: RedisServer, tmp_path: Path) -> None:
    without = {"expr", "conference", "local_stream"}
    modules = "".join(f'<load module="mod_{name}"/>' for name in MODULES if name not in without)
    text = f'<configuration name="modules.conf"><modules>{modules}</modules></configuration>\n'
    pbx = FreeSwitch(agents=["1001", "1002"], overrides={"modules.conf.xml": text})
    (pbx.directory / "other.xml").write_text('<include>\n<context name="switchroom"/>\n</include>\n')
    rewrite(pbx, "freeswitch.xml", f'{_project_dialplan(pbx)}"', f'{pbx.directory}/other.xml"')
    rewrite(pbx, "conference.conf.xml", 'cmd="include"', 'cmd="nothing"')
    rewrite(pbx, "switch.conf.xml", 'value="5000"', 'value="6"')
    rewrite(pbx, "directory.xml", 'name="dial-string"', 'name="nothing"')
    account = 'name="username" value="x"/><param name="password" value="x"/><param name="register" value="true"'
    rewrite(pbx, "sofia.conf.xml", 'name="register" value="false"', account)
    with pbx:
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {
        "limits": "warning",
        "modules": "error",
        "dialplan": "error",
        "conference": "error",
        "beat": "error",
        "music": "warning",
        "phones": "error",
        "trunk": "error",
        "transfers": "warning",
    }
    assert found["modules"]["detail"] == "not loaded: mod_conference, mod_expr, mod_local_stream"
    assert found["dialplan"]["detail"].startswith("contexts missing: switchroom-call, switchroom-wait")
    assert found["limits"]["detail"].endswith("of 6 legs in use, 1000 new ones per second: few for 2 agents")
    assert found["phones"]["detail"] == "no dial-string, so nothing can ring there: user/1001, user/1002"
    assert "gateway trunk is not registered" in found["trunk"]["detail"]
    assert found["music"]["detail"] == "there is no local_stream default: callers hear silence"


def test_other_versions_of_our_files_are_recognized(redis: RedisServer, tmp_path: Path) -> None:
    pbx = FreeSwitch(agents=["1001", "1002"], profile=GUARDED)
    folder = pbx.directory / "older"
    folder.mkdir()
    shipped = Path(_project_dialplan(pbx))
    older = shipped.read_text().replace("SR_RESULT=abandoned", "SR_RESULT=none", 1)
    assert "SR_RESULT=none" in older
    (folder / shipped.name).write_text(older)
    profile = (shipped.parent / "conference.xml").read_text()
    (folder / "conference.xml").write_text(profile.replace('value="8000"', 'value="16000"'))
    for file in ("freeswitch.xml", "conference.conf.xml"):
        rewrite(pbx, file, f"{shipped.parent}/", f"{folder}/")
    with pbx:
        sign_of_life(pbx)
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {"dialplan": "error", "conference": "warning"}
    assert "another version of switchroom.xml is loaded" in found["dialplan"]["detail"]
    assert found["conference"]["detail"] == "the profile switchroom is another one in rate"


def test_an_open_socket_with_the_password_of_everybody_is_an_error(redis: RedisServer, tmp_path: Path) -> None:
    pbx = FreeSwitch(agents=["1001", "1002"], profile=GUARDED)
    rewrite(pbx, "event_socket.conf.xml", 'name="password" value="' + pbx.esl_secret, 'name="password" value="ClueCon')
    pbx.esl_secret = "ClueCon"
    with pbx:
        sign_of_life(pbx)
        # Only what is loaded tells it: a test opens nothing to the network.
        rewrite(pbx, "event_socket.conf.xml", 'value="127.0.0.1"', 'value="::"')
        rewrite(pbx, "event_socket.conf.xml", 'value="loopback.auto"', 'value="0.0.0.0/0"')
        pbx.cli("reloadxml")
        wide = examined(redis, tmp_path / "config", pbx)
        rewrite(pbx, "event_socket.conf.xml", 'value="0.0.0.0/0"', 'value="10.0.0.0/8"')
        pbx.cli("reloadxml")
        narrow = examined(redis, tmp_path / "config", pbx)
        rewrite(pbx, "event_socket.conf.xml", 'name="apply-inbound-acl"', 'name="nothing"')
        pbx.cli("reloadxml")
        unlisted = examined(redis, tmp_path / "config", pbx)
    assert levels(wide) == {"password": "error", "listening": "error"}
    assert levels(narrow) == {"password": "error"}
    assert levels(unlisted) == {"password": "error", "listening": "warning"}


def test_who_is_turned_away_by_the_access_list_is_told_so(redis: RedisServer, tmp_path: Path) -> None:
    pbx = FreeSwitch(agents=["1001"])

    def is_turned_away() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", pbx.esl_port), 5) as wire:
                return b"rude-rejection" in wire.recv(100)
        except OSError:
            return False  # the module is not back yet

    with pbx:
        rewrite(pbx, "event_socket.conf.xml", 'value="loopback.auto"', 'value="10.0.0.0/8"')
        pbx.cli("reloadxml")
        pbx.cli("bgapi reload mod_event_socket")
        wait_until(is_turned_away, 30)  # while somebody is connected it takes its time
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {"login": "error"}
    assert "Access Denied" in found["login"]["detail"]
    assert "apply-inbound-acl" in found["login"]["mend"]


def test_a_client_that_is_asked_for_and_not_installed_is_an_error(
    redis: RedisServer, healthy: FreeSwitch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    sign_of_life(healthy)
    monkeypatch.setitem(sys.modules, "ESL", None)
    found = examined(redis, tmp_path, healthy, transport='"python-esl"')
    assert levels(found) == {"transport": "error"}
    assert "python-ESL cannot be imported" in found["transport"]["detail"]
    assert levels(examined(redis, tmp_path, healthy)) == {}


def _project_dialplan(pbx: FreeSwitch) -> str:
    text = (pbx.directory / "conf" / "freeswitch.xml").read_text()
    return next(part for part in text.split('"') if part.endswith("/switchroom.xml"))
