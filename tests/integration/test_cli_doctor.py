"""`doctor` against a real Redis and a real Asterisk, both broken on purpose (OPS-01)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.asterisk import Asterisk
from deploy.lab.asterisk_config import MODULES
from deploy.lab.redis import RedisServer
from tests.integration.cli_site import CliSite
from tests.unit.config_dir import GOOD, write

pytestmark = pytest.mark.req("OPS-01")

DIALPLAN = "[from-trunk]\nexten => 7001,1,Gosub(switchroom,s,1(main))\n[from-agent]\ninclude => switchroom-features\n"
OLD_DIALPLAN = "[switchroom]\nexten => s,1,Answer()\n"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def healthy_pbx() -> Iterator[Asterisk]:
    with Asterisk(agents=["1001", "1002"], dialplan=DIALPLAN) as pbx:
        yield pbx


def examined(redis: RedisServer, directory: Path, pbx: Asterisk, **changes: str) -> dict[str, dict[str, Any]]:
    """Findings about the PBX by check; `changes` replaces lines of its table."""
    table = {"port": str(pbx.ami_port), "username": f'"{pbx.ami_user}"', "secret": f'"{pbx.ami_secret}"'} | changes
    text = "[pbx.ast1]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
    site = CliSite(redis, write(directory, pbx=text))
    (directory / "pbx.toml").chmod(0o600)
    found = json.loads(site.run("doctor", "--json", exit_code=1))["findings"]  # no engine runs here
    return {f["check"]: f for f in found if f["subject"] == "ast1"}


def levels(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {check: finding["level"] for check, finding in found.items() if finding["level"] != "ok"}


def test_a_pbx_with_everything_in_order_has_no_complaint(
    redis: RedisServer, healthy_pbx: Asterisk, tmp_path: Path
) -> None:
    found = examined(redis, tmp_path, healthy_pbx)
    assert levels(found) == {}
    checks = ["login", "rights", "system_name", "clock", "dialplan", "modules", "native_rtp", "phones", "events"]
    assert list(found) == checks
    assert healthy_pbx.cli("core show channels count").startswith("0 active channels")


def test_a_phone_that_the_pbx_does_not_know_is_named(redis: RedisServer, healthy_pbx: Asterisk, tmp_path: Path) -> None:
    write(tmp_path, people=GOOD["people.toml"].replace("PJSIP/1002", "PJSIP/1999"))
    table = f'[pbx.ast1]\nport = {healthy_pbx.ami_port}\nsecret = "{healthy_pbx.ami_secret}"\n'
    (tmp_path / "pbx.toml").write_text(table)
    found = json.loads(CliSite(redis, tmp_path).run("doctor", "--json", exit_code=1))["findings"]
    phones = next(f for f in found if f["check"] == "phones")
    assert (phones["level"], phones["detail"]) == ("error", "the PBX does not know PJSIP/1999")


def test_a_wrong_secret_an_unset_one_and_a_wrong_port_are_told_apart(
    redis: RedisServer, healthy_pbx: Asterisk, tmp_path: Path
) -> None:
    wrong = examined(redis, tmp_path, healthy_pbx, secret='"not it"')
    assert levels(wrong) == {"login": "error"}
    assert "Authentication failed" in wrong["login"]["detail"]
    closed = examined(redis, tmp_path, healthy_pbx, port="1")
    assert "cannot connect" in closed["login"]["detail"]
    assert all(finding["mend"] for finding in (wrong["login"], closed["login"]))


def test_another_name_of_the_pbx_than_configured_is_an_error(
    redis: RedisServer, healthy_pbx: Asterisk, tmp_path: Path
) -> None:
    found = examined(redis, tmp_path, healthy_pbx, system_name='"elsewhere"')
    assert levels(found) == {"system_name": "error"}


def test_a_pbx_with_everything_missing_gets_a_way_to_mend_each(redis: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    without = {"app_stack", "func_uri", "func_devstate", "app_amd", "app_waitforsilence", "app_chanspy"}
    modules = "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in MODULES if m not in without)
    overrides = {"modules.conf": modules + "load = bridge_native_rtp.so\n", "extensions.conf": OLD_DIALPLAN}
    pbx = Asterisk(agents=["1001"], overrides=overrides)
    _rewrite(pbx, "asterisk.conf", f"systemname = {pbx.system_name}", "")
    _rewrite(pbx, "manager.conf", "read = system,call,user,dtmf,reporting", "read = dtmf")
    _rewrite(pbx, "manager.conf", "write = call,originate,user,reporting", "write = call,reporting")
    with pbx:
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {
        "rights": "error",
        "system_name": "error",
        "dialplan": "error",
        "modules": "error",
        "campaigns": "warning",
        "supervision": "warning",
        "native_rtp": "warning",
        "phones": "warning",
        "events": "error",
    }
    assert "originate" in found["rights"]["detail"]
    assert found["modules"]["detail"] == "not loaded: app_stack, func_devstate, func_uri"
    assert "contexts missing: switchroom-agent" in found["dialplan"]["detail"]
    assert all(finding["mend"] for check, finding in found.items() if check in levels(found))


def test_an_older_copy_of_the_dialplan_is_recognized(redis: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    from routing.app.doctor.dialplan_text import shipped

    older = shipped().replace("Set(SR_RESULT=abandoned)", "Set(SR_RESULT=none)", 1)
    with Asterisk(agents=["1001", "1002"], overrides={"extensions.conf": older}) as pbx:
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {"dialplan": "error"}
    assert "another version of switchroom.conf is loaded: switchroom differ" in found["dialplan"]["detail"]


def test_events_that_a_filter_hides_are_missed(redis: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    pbx = Asterisk(agents=["1001", "1002"], dialplan=DIALPLAN)
    _rewrite(pbx, "manager.conf", "read = system,call,user,dtmf,reporting", "read = system,call,reporting")
    with pbx:
        found = examined(redis, tmp_path / "config", pbx)
    assert levels(found) == {"events": "error"}
    assert found["events"]["detail"] == "none arrive of class user"


def test_redis_that_forgets_is_an_error_and_a_good_one_is_not(redis: RedisServer, tmp_path: Path) -> None:
    import redis as driver

    site = CliSite(redis, write(tmp_path, pbx='[pbx.ast1]\nkind = "simulated"\n'))

    def complaints() -> dict[str, str]:
        found = json.loads(site.run("doctor", "--json", exit_code=1))["findings"]
        return {f["check"]: f["mend"] for f in found if f["subject"] == "redis" and f["level"] != "ok"}

    assert complaints() == {}
    with driver.Redis.from_url(redis.url) as client:
        try:
            client.config_set("appendonly", "no")
            client.config_set("maxmemory-policy", "allkeys-lru")
            client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.15))
            assert set(complaints()) == {"persistence", "eviction", "memory"}
            client.config_set("maxmemory", 1024**2)
            assert complaints() == {"reachable": "raise maxmemory"}
        finally:
            client.config_set("maxmemory", 0)
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("appendonly", "yes")


def test_without_redis_the_pbx_is_still_examined(healthy_pbx: Asterisk, tmp_path: Path) -> None:
    server = RedisServer()
    try:
        found = examined(server, tmp_path, healthy_pbx)
    finally:
        server.close()
    assert levels(found) == {}


def _rewrite(pbx: Asterisk, file: str, old: str, new: str) -> None:
    path = pbx.directory / "etc" / file
    text = path.read_text()
    if old not in text:
        raise AssertionError(f"{old!r} does not stand in {file}")
    path.write_text(text.replace(old, new, 1))
