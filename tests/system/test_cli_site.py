"""The command line on a whole centre: a real PBX, a real Redis, `switchroom up`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.lab.site import Site, center
from routing.store.signs import KINDS
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    # Doctor would deplore that telephones may transfer by themselves.
    options: dict[str, Any] = {"profile": {"disable-transfer": "true"}} if pbx == "freeswitch" else {}
    with Site(["1001", "1002"], center(["1001", "1002"]), supervised=True, pbx=pbx, **options) as site:
        wait_until(lambda: site.switchroom("status", check=False)["is_healthy"], 20)
        # Worker and ticker need no call and start a moment later.
        wait_until(lambda: {findings(site)["server", kind]["level"] for kind in KINDS} == {"ok"}, 20)
        yield site


def findings(site: Site) -> dict[tuple[str, str], Any]:
    found = site.switchroom("doctor", check=False)["findings"]
    return {(f["subject"], f["check"]): f for f in found}


@pytest.mark.req("OPS-01")
def test_a_whole_healthy_centre_has_no_complaint(site: Site) -> None:
    found = findings(site)
    assert {key: f["detail"] for key, f in found.items() if f["level"] != "ok"} == {}
    assert {subject for subject, _check in found} == {"redis", "server", "database", site.node.id}
    assert {("server", "engine"), ("server", "link"), ("server", "configuration")} <= found.keys()
    assert {("server", "recorder"), ("server", "webhooks"), ("database", "migrations")} <= found.keys()


@pytest.mark.req("OPS-01")
def test_files_that_differ_from_what_runs_are_a_warning(site: Site) -> None:
    agents = site.config / "agents.toml"
    before = agents.read_text()
    try:
        agents.write_text(before.replace("english = 8", "english = 9", 1))
        finding = findings(site)["server", "configuration"]
        assert (finding["level"], finding["detail"]) == ("warning", "revision 1 runs; the files differ in 1 place")
    finally:
        agents.write_text(before)


@pytest.mark.req("OPS-01")
def test_the_doctor_disturbs_no_running_connector(site: Site) -> None:
    log = site.log("up")
    findings(site)
    assert site.switchroom("status")["links"] == {site.node.id: True}
    new = [json.loads(line) for line in site.log("up")[len(log) :].splitlines() if line.startswith("{")]
    assert [entry for entry in new if entry.get("level") in {"warning", "error"}] == []


@pytest.mark.req("OPS-01", "ROUTE-15")
def test_phones_that_are_not_registered_make_their_agents_not_eligible(site: Site) -> None:
    site.switchroom("agent", "sign-in", "a1001")
    row = site.switchroom("agent", "state", "a1001")
    assert (row["phone_state"], row["not_eligible_because"]) == ("unreachable", "phone_unreachable")
    assert findings(site)[site.node.id, "phones"]["detail"] == "all 2 are known, 0 of them are registered"
