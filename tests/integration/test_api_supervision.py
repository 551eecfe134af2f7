"""Supervisors over the API: who may listen, what becomes of the call, and who is told (DESK-02)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.api.event_filter import EventFilter
from routing.core.events import Event, EventType
from routing.core.orders import ApplyConfig
from routing.core.supervision import ShowSupervision, SupervisorConfig
from telephony.simulated.habits import Answers, Habit, Rejects, RingsOut
from tests.integration.control_config import PBX, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

RITA, MAX = "rita", "max"
SUPERVISORS = {
    RITA: SupervisorConfig(id=RITA, name="Rita Royal", pbx=PBX, phone="SIM/rita"),
    MAX: SupervisorConfig(id=MAX, name="Max", pbx=PBX, phone="SIM/max", teams=("ceiling",)),
}
OF_SUPERVISION = (EventType.SUPERVISION_STARTED, EventType.SUPERVISION_CHANGED, EventType.SUPERVISION_ENDED)


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant(), supervisors=SUPERVISORS)) as made:
        for name in SUPERVISORS:
            made.outside(name, Answers())
        yield made


def heard(site: Site, name: str) -> set[str]:
    """Whom this telephone hears."""

    def listen() -> set[str]:
        live = site.phone(name).live
        return set(site.exchange.pbx.hears(live).parties) if live else set()

    return site.exchange.do(listen)


def supervise(site: Site, call: str, who: str = "user-rita", status: int = 202, **body: Any) -> Any:
    return site.post(f"interactions/{call}/supervision", {"mode": "monitor"} | body, who, status)


def seen(site: Site, call: str, who: str = "crm") -> Any:
    return site.get(f"interactions/{call}", who)["supervision"]


def active(site: Site, call: str) -> Any:
    wait_until(lambda: (seen(site, call) or {}).get("state") == "active")
    return seen(site, call)


def listening(site: Site, mode: str = "monitor", **body: Any) -> str:
    call = site.call()
    supervise(site, call, mode=mode, **body)
    active(site, call)
    return call


@pytest.mark.req("DESK-02")
def test_a_supervisor_hears_whispers_and_barges(site: Site) -> None:
    call = site.call()
    caller = site.exchange.do(lambda: site.exchange.pbx.channels[site.call_data(call).customer_leg].party)
    rung = supervise(site, call)
    assert rung["supervision"] | {"id": "", "asked_at": "", "since": "", "state": ""} == {
        "id": "",
        "by": "user:rita",
        "supervisor": RITA,
        "agent_id": None,
        "name": "Rita Royal",
        "mode": "monitor",
        "state": "",
        "asked_at": "",
        "since": "",
    }
    active(site, call)
    assert heard(site, RITA) == {caller, "SIM/anna"}
    assert heard(site, "anna") == {caller}
    whispering = site.put(f"interactions/{call}/supervision", {"mode": "whisper"}, "user-rita")
    assert (whispering["supervision"]["mode"], whispering["supervision"]["state"]) == ("whisper", "active")
    assert heard(site, "anna") == {caller, "SIM/rita"}
    site.put(f"interactions/{call}/supervision", {"mode": "barge"}, "user-rita")
    others = site.exchange.do(
        lambda: site.exchange.pbx.hears(site.exchange.pbx.channels[site.call_data(call).customer_leg]).parties
    )
    assert set(others) == {"SIM/anna", "SIM/rita"}
    stopped = checked_delete(site, call)
    assert stopped["supervision"] is None
    wait_until(lambda: site.exchange.do(lambda: site.phone(RITA).live is None))
    assert heard(site, "anna") == {caller}


def checked_delete(site: Site, call: str, who: str = "user-rita", status: int = 200) -> Any:
    answer = site.send("DELETE", f"interactions/{call}/supervision", who)
    assert answer.status_code == status, answer.text
    return answer.json


@pytest.mark.req("DESK-02")
def test_the_call_is_what_it_was_while_somebody_listens(site: Site) -> None:
    call = site.call()
    names = ("state", "status", "allowed_actions", "parties", "offers", "recording", "is_confirmed", "consult")
    before = site.get(f"interactions/{call}", "anna")
    events = len(site.events(*EventType))
    supervise(site, call, mode="barge")
    active(site, call)
    during = site.get(f"interactions/{call}", "anna")
    assert {name: during[name] for name in names} == {name: before[name] for name in names}
    told = {e.type for e in site.events(*EventType)[events:]}
    assert told <= {*OF_SUPERVISION, EventType.ORDER_OBEYED}
    assert site.do(call, "hold")["state"] == "held"
    assert site.do(call, "resume")["state"] == "connected"
    site.exchange.do(lambda: site.exchange.pbx.hang_up(live_of(site, RITA)))
    wait_until(lambda: seen(site, call) is None)
    after = site.get(f"interactions/{call}", "anna")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def live_of(site: Site, name: str) -> Any:
    live = site.phone(name).live
    assert live is not None
    return live


@pytest.mark.req("DESK-02")
def test_only_who_has_the_right_may_listen_or_sees_who_does(site: Site) -> None:
    call = listening(site)
    for method, body in (("POST", {"mode": "monitor"}), ("PUT", {"mode": "barge"}), ("DELETE", None)):
        for who in ("anna", "interactions:read-only", "interactions:control-only"):
            assert site.send(method, f"interactions/{call}/supervision", who, body).status_code == 403
    site.get("supervisors", "anna", 403)
    assert seen(site, call, "anna") is None
    assert seen(site, call, "interactions:read-only") is None
    assert seen(site, call)["mode"] == "monitor"


@pytest.mark.parametrize(
    ("show", "monitor", "whisper"),
    [(ShowSupervision.NEVER, False, False), (ShowSupervision.HEARD, False, True), (ShowSupervision.ALWAYS, True, True)],
)
def test_agents_see_of_it_what_the_configuration_says(
    site: Site, show: ShowSupervision, monitor: bool, whisper: bool
) -> None:
    tenant = site.front.load().config.tenant
    site.ask(ApplyConfig, config=configuration(tenant, supervisors=SUPERVISORS, show_supervision=show))
    call = listening(site)
    assert (seen(site, call, "anna") is not None) is monitor
    site.put(f"interactions/{call}/supervision", {"mode": "whisper"}, "user-rita")
    assert (seen(site, call, "anna") is not None) is whisper
    assert seen(site, call, "cleo") is None, "it is not his call"


def test_events_and_orders_of_supervision_reach_agents_only_where_they_may_see_it(site: Site) -> None:
    call = listening(site)
    site.put(f"interactions/{call}/supervision", {"mode": "whisper"}, "user-rita")
    for_anna, for_all, members = EventFilter(only_for="anna"), EventFilter(), frozenset({"anna"})
    found = [e for e in site.events(*EventType) if e.interaction_id == call and _is_of_it(e)]
    assert {e.type for e in found} == {*OF_SUPERVISION, EventType.ORDER_OBEYED} - {EventType.SUPERVISION_ENDED}
    for event in found:
        is_shown = event.type in OF_SUPERVISION and event.values["mode"] == "whisper"
        assert for_anna.matches(event, members) is is_shown
        assert for_all.matches(event, members)


def _is_of_it(event: Event) -> bool:
    return event.type in OF_SUPERVISION or "upervis" in str(event.values.get("order"))


@pytest.mark.req("DESK-02")
def test_a_supervisor_of_a_team_hears_its_calls_alone(site: Site) -> None:
    call = site.call()
    refused = supervise(site, call, "user-max", 409)
    assert (refused["code"], refused["because"]) == ("supervision-not-possible", "team")
    assert supervise(site, call, "user-max", 403, supervisor=RITA)["code"] == "forbidden"
    assert supervise(site, call, "user-max", 403, agent_id="ben")["code"] == "forbidden"


def test_one_supervisor_does_not_touch_what_another_one_does(site: Site) -> None:
    call = listening(site)
    assert site.put(f"interactions/{call}/supervision", {"mode": "barge"}, "user-max", 404)["code"] == (
        "supervision-unknown"
    )
    assert checked_delete(site, call, "user-max", 404)["code"] == "supervision-unknown"
    assert supervise(site, call, "user-max", 409)["code"] == "supervision-exists"
    assert seen(site, call)["mode"] == "monitor"


def test_a_key_says_at_whose_telephone(site: Site) -> None:
    call = site.call()
    missing = supervise(site, call, "crm", 422)
    assert missing["errors"][0]["pointer"] == "/supervisor"
    assert supervise(site, call, "crm", 422, supervisor=RITA, agent_id="ben")["code"] == "invalid-request"
    assert supervise(site, call, "crm", 422, supervisor="nobody")["code"] == "supervisor-unknown"
    assert supervise(site, call, "crm", 404, agent_id="nobody")["code"] == "agent-unknown"
    site.sign_in("ben")
    supervise(site, call, "crm", agent_id="ben")
    assert active(site, call) | {"id": "", "asked_at": "", "since": ""} == {
        "id": "",
        "by": "key:crm",
        "supervisor": None,
        "agent_id": "ben",
        "name": "Ben",
        "mode": "monitor",
        "state": "active",
        "asked_at": "",
        "since": "",
    }
    assert site.get("agents/ben")["unavailable_because"] == "supervising"


def test_who_is_a_supervisor_is_listed(site: Site) -> None:
    items = site.get("supervisors", "user-max")["items"]
    assert [(s["id"], s["is_me"], s["teams"]) for s in items] == [(MAX, True, ["ceiling"]), (RITA, False, [])]


@pytest.mark.parametrize(("habit", "why"), [(Rejects(), "rejected"), (RingsOut(), "stopped")])
def test_a_telephone_that_is_not_answered_is_told(site: Site, habit: Habit, why: str) -> None:
    site.habit(RITA, habit)
    call = site.call()
    supervise(site, call)
    if why == "stopped":
        checked_delete(site, call)
    wait_until(lambda: site.events(EventType.SUPERVISION_ENDED))
    (event,) = site.events(EventType.SUPERVISION_ENDED)
    assert (event.values["why"], event.values["heard_ms"]) == (why, 0)
    assert site.get(f"interactions/{call}")["state"] == "connected"


def test_a_repeated_request_rings_once(site: Site) -> None:
    call = site.call()
    body = {"mode": "monitor"}
    first = site.post(f"interactions/{call}/supervision", body, "user-rita", 202, Idempotency_Key="one")
    again = site.post(f"interactions/{call}/supervision", body, "user-rita", 202, Idempotency_Key="one")
    assert first["supervision"]["id"] == again["supervision"]["id"]
    assert site.exchange.do(lambda: site.phone(RITA).rings) == 1


def test_nobody_listens_to_what_is_not_there(site: Site) -> None:
    supervise(site, "int_none", status=404)
    call = site.call()
    assert site.put(f"interactions/{call}/supervision", {"mode": "barge"}, "crm", 404)["code"] == "supervision-unknown"
    assert site.send("POST", f"interactions/{call}/supervision", "crm", {"mode": "listen"}).status_code == 422
    site.do(call, "end")
    assert supervise(site, call, status=404)["code"] == "interaction-unknown"
