"""Records before agents, dialed, disposed of and closed through the API: a real engine and a simulated PBX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.cad import MASK
from routing.core.events import EventType
from routing.core.orders import PaceCampaign
from routing.store.sql.do_not_call import is_marked
from telephony.simulated.habits import Answers, Constant, RingsOut
from tests.integration.campaign_config import PREVIEW, campaign_configuration, card
from tests.integration.campaign_site import (
    DEED_S,
    answering,
    campaign_center,
    enlist,
    hand_over,
    loaded,
    preview,
    recorded,
    released,
    talking,
)
from tests.integration.control_site import Site, checked
from tests.waiting import wait_until

FIRST, SECOND = "+12015550101", "+12015550201"


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    with campaign_center(redis_server, tenant(), tmp_path) as made:
        yield made


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")


def dialed(site: Site, id_: str, state: str = "connected") -> None:
    wait_until(lambda: site.call_data(id_).state.value == state, DEED_S)


# ---------------------------------------------------------------------- preview


@pytest.mark.req("PREV-01", "PREV-03", "PREV-09", "API-05")
def test_get_record_shows_what_there_is_to_know_and_dials_nothing(site: Site) -> None:
    contact = site.outside(FIRST, RingsOut())
    loaded(site)
    shown = preview(site)
    assert (shown["kind"], shown["label"], shown["state"]) == ("campaign", "campaign call", "previewing")
    assert shown["allowed_for"] == "anna"
    assert {"accept_record", "dial_record", "decline_record"} <= set(shown["allowed_actions"])
    about, found = shown["campaign"], shown["campaign"]["card"]
    assert (about["id"], about["mode"], about["record_id"], about["name"]) == ("spring", "preview", "rec_1", "Carla 1")
    assert {"name": "label", "label": "Campaign", "value": "Spring"} in found["case"]
    assert {"name": "number", "label": "Number", "value": FIRST} in found["case"]
    assert {"name": "reach", "label": "Best time", "value": "after five"} in found["record"]
    assert [(n["number"], n["kind"], n["is_next"]) for n in found["numbers"]] == [
        (FIRST, "home", True),
        (SECOND, "mobile", False),
    ]
    assert site.get(f"interactions/{shown['id']}/record", "anna") == found
    assert "SIM/" not in site.send("GET", f"interactions/{shown['id']}", "crm").text, "no dial string leaves"
    assert contact.rings == 0
    assert site.post("agents/anna/campaigns/spring/records", {}, "anna", 409)["code"] == "agent-engaged"


@pytest.mark.req("API-03")
def test_a_repeated_get_record_gives_the_same_one(site: Site) -> None:
    loaded(site, "spring", card(1), card(2))
    path = "agents/anna/campaigns/spring/records"
    first, again = (site.post(path, {}, "anna", 201, Idempotency_Key="k") for _ in range(2))
    assert first["id"] == again["id"]
    assert len(site.events(EventType.RECORD_SHOWN)) == 1


@pytest.mark.req("SAFE-06")
def test_a_column_that_fills_a_secure_variable_is_masked_for_who_may_not_see_it(site: Site) -> None:
    loaded(site)
    id_ = preview(site)["id"]

    def card_of(who: str) -> Any:
        columns = site.get(f"interactions/{id_}", who)["campaign"]["card"]["record"]
        return next(column["value"] for column in columns if column["name"] == "card")

    assert card_of("anna") == "4711"
    assert card_of("plain") == MASK


@pytest.mark.req("PREV-06", "PREV-10", "ACT-01")
def test_the_agent_dials_and_the_preview_becomes_the_call(site: Site) -> None:
    loaded(site)
    answering(site)
    shown = preview(site)
    accepted = site.do(shown["id"], "record/accept")
    assert accepted["campaign"]["accepted_at"], "taken, and dialed by hand in this campaign"
    made = site.do(shown["id"], "record/dial", status=202)
    assert made["id"] == shown["id"]
    dialed(site, shown["id"])
    call = site.get(f"interactions/{shown['id']}", "anna")
    assert (call["campaign"]["number"], call["campaign"]["attempt"]) == (FIRST, 1)
    assert {"hold", "transfer", "send_digits", "consult", "mark_done", "plan_callback"} <= set(call["allowed_actions"])
    (begun,) = site.events(EventType.ATTEMPT_STARTED)
    assert begun.values["number"] == FIRST


@pytest.mark.req("PREV-09", "PREV-10", "PERM-09")
def test_another_number_of_the_contact_or_a_new_one_is_dialed_where_allowed(site: Site) -> None:
    loaded(site, "spring", card(1), card(2))
    site.habit("anna", Answers(Constant(50)))
    other, new = site.outside(SECOND, RingsOut()), site.outside("+12015550199", RingsOut())
    first = preview(site)
    site.do(first["id"], "record/dial", status=202, number="+1 (201) 555-0201")
    wait_until(lambda: other.rings == 1, DEED_S)
    site.do(first["id"], "cancel")
    dialed(site, first["id"], "ended")
    second = preview(site)
    refused = site.do(second["id"], "record/dial", status=422, number="+4912345678")
    assert refused["code"] == "number-refused"
    site.do(second["id"], "record/dial", status=202, number="+1 201 555 0199", number_kind="work")
    wait_until(lambda: new.rings == 1, DEED_S)


@pytest.mark.req("PREV-10", "PERM-09")
def test_a_new_number_is_refused_without_the_right_to_dial_one(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name = tenant()
    config = campaign_configuration(name)
    profiles = config.profiles | {"full": replace(config.profiles["full"], other_number=False)}
    with campaign_center(redis_server, name, tmp_path, replace(config, profiles=profiles)) as site:
        loaded(site)
        id_ = preview(site)["id"]
        refused = site.do(id_, "record/dial", status=409, number="+12015550199")
        assert (refused["code"], refused["reason"]) == ("record-refused", "other_number")
        assert site.get(f"interactions/{id_}", "anna")["state"] == "previewing"


@pytest.mark.req("PREV-11", "PREV-12", "PREV-13")
@pytest.mark.parametrize(("choice", "cause"), [("later", "retry"), ("never", "removed"), ("skip", "retry")])
def test_a_declined_record_goes_back_is_removed_or_makes_way_for_the_next_one(
    site: Site, choice: str, cause: str
) -> None:
    loaded(site, "spring", card(1), card(2))
    shown = preview(site)
    over = site.do(shown["id"], "record/decline", choice=choice)
    assert (over["state"], over["allowed_actions"]) == ("ended", [])
    (told,) = released(site)()
    assert (told["record_id"], told["cause"]) == (shown["campaign"]["record_id"], cause)
    if choice == "never":
        assert site.get("do-not-call")["items"] == [], "for this campaign, not for all calls"
    opened = [one["campaign"]["record_id"] for one in site.get("agents/anna/interactions", "anna")["items"]]
    assert opened == (["rec_2"] if choice == "skip" else [])


@pytest.mark.req("PREV-14", "OUT-03")
def test_accepting_is_subject_to_the_limits_of_calls(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name = tenant()
    config = campaign_configuration(name)
    config = replace(config, limits=replace(config.limits, tenant_calls=1))
    with campaign_center(redis_server, name, tmp_path, config) as site:
        loaded(site)
        shown = preview(site)
        site.arrive("help")
        refused = site.do(shown["id"], "record/dial", status=429)
        assert (refused["code"], refused["reason_code"]) == ("capacity-reached", 27)
        assert site.get(f"interactions/{shown['id']}", "anna")["state"] == "previewing"


@pytest.mark.req("API-03")
def test_what_dials_needs_a_key_and_dials_once_with_it(site: Site) -> None:
    loaded(site)
    answering(site)
    id_ = preview(site)["id"]
    headers = {"Authorization": "Bearer anna"}
    for verb in ("accept", "dial"):
        bare = site.app.test_client().post(f"/v1/interactions/{id_}/record/{verb}", headers=headers, json={})
        assert checked(bare, 400)["code"] == "idempotency-key-missing"
    for _ in range(2):
        site.post(f"interactions/{id_}/record/dial", {}, "anna", 202, Idempotency_Key="once")
    dialed(site, id_)
    assert len(site.events(EventType.ATTEMPT_STARTED)) == 1


# ---------------------------------------------------------------------- dispositions and done


@pytest.mark.req("DISP-01", "DISP-03", "DISP-04", "PREV-19")
def test_a_required_disposition_is_chosen_from_the_list_before_mark_done_and_the_next_preview_opens(site: Site) -> None:
    loaded(site, "spring", card(1), card(2))
    id_ = talking(site)
    refused = site.do(id_, "done", status=409)
    assert (refused["code"], refused["reason"]) == ("record-not-done", "disposition_required")
    wrong = checked(site.send("PUT", f"interactions/{id_}/dispositions", "anna", {"codes": ["mine"]}), 422)
    assert (wrong["code"], wrong["reason"]) == ("disposition-refused", "unknown")
    chosen = site.put(f"interactions/{id_}/dispositions", {"codes": ["sold", "later"]}, "anna")
    assert chosen["campaign"]["card"]["codes"] == ["sold", "later"]
    site.do(id_, "done", wrap_up_reason="done")
    (told,) = released(site)()
    assert (told["record_id"], told["cause"], told["codes"]) == ("rec_1", "done", ["sold", "later"])

    def opened() -> list[str]:
        items = site.get("agents/anna/interactions", "anna")["items"]
        return [one["campaign"]["record_id"] for one in items if one["state"] == "previewing"]

    wait_until(lambda: opened() == ["rec_2"])


@pytest.mark.req("PREV-20", "PREV-21", "DISP-03")
def test_done_and_stop_opens_no_preview_and_a_disposition_is_given_after_the_call(site: Site) -> None:
    loaded(site, "spring", card(1), card(2))
    id_ = talking(site)
    site.do(id_, "end")
    site.put(f"interactions/{id_}/dispositions", {"codes": ["sold"]}, "anna")
    site.do(id_, "done", stop=True, wrap_up_reason="done")
    assert site.get("agents/anna/interactions", "anna")["items"] == []
    assert len(site.events(EventType.RECORD_SHOWN)) == 1
    assert preview(site)["campaign"]["record_id"] == "rec_2"


@pytest.mark.req("DISP-02", "DISP-05")
@pytest.mark.parametrize("body", [{"codes": ["sold"], "do_not_call": True}, {"codes": ["angry"]}])
def test_a_do_not_call_disposition_is_a_mark_that_outlives_everything(site: Site, body: dict[str, Any]) -> None:
    loaded(site)
    id_ = talking(site)
    shown = site.put(f"interactions/{id_}/dispositions", body, "anna")
    assert shown["campaign"]["card"]["do_not_call"]
    assert site.get(f"do-not-call/check?number={FIRST.replace('+', '%2B')}") == {"is_marked": True}
    site.put(f"interactions/{id_}/dispositions", {"codes": ["sold"]}, "anna")
    site.do(id_, "done", wrap_up_reason="done")
    assert released(site)()[-1]["cause"] == "do_not_call"
    refused = site.send("POST", "callbacks", "crm", {"number": FIRST, "queue": "sales"})
    assert checked(refused, 423)["code"] == "do-not-call"


@pytest.mark.req("DISP-05")
def test_a_disposition_that_is_refused_marks_nothing(site: Site) -> None:
    loaded(site)
    id_ = talking(site)
    for who, body in (("anna", {"codes": ["mine"], "do_not_call": True}), ("ben", {"codes": ["angry"]})):
        assert site.send("PUT", f"interactions/{id_}/dispositions", who, body).status_code in (404, 422)
    assert site.get("do-not-call")["items"] == []


def test_a_mark_of_one_campaign_leaves_the_others_alone(site: Site) -> None:
    loaded(site)
    site.post("campaigns/autumn/load")
    made = site.post("do-not-call", {"number": FIRST, "campaign": "spring"}, status=201)
    assert made["campaign"] == "spring"
    path = f"do-not-call/check?number={FIRST.replace('+', '%2B')}"
    assert site.get(path) == {"is_marked": False}
    assert site.get(f"{path}&campaign=autumn") == {"is_marked": False}
    assert site.get(f"{path}&campaign=spring") == {"is_marked": True}
    assert [m["number"] for m in site.get("do-not-call?campaign=spring")["items"]] == [made["number"]]
    assert site.get("do-not-call?campaign=")["items"] == []
    assert released(site)()[0]["record_id"] == "rec_1", "what waits with that number is given up"
    rules = site.front.config().numbers
    with site.services.database.read() as connection:
        assert not is_marked(connection, site.front.tenant, FIRST, rules)
    wrong = site.post("do-not-call", {"number": FIRST, "campaign": "nothing"}, status=422)
    assert wrong["errors"][0]["pointer"] == "/campaign"


# ---------------------------------------------------------------------- callbacks


@pytest.mark.req("CBS-01", "CBS-02", "CBS-03", "CBS-04", "CBS-06")
def test_a_callback_is_planned_changed_and_taken_back_until_the_record_is_closed(site: Site) -> None:
    loaded(site)
    id_ = talking(site)
    body = {
        "at": tomorrow(),
        "zone": "Europe/Berlin",
        "number": "+12015550177",
        "number_kind": "work",
        "personal": True,
    }
    planned = site.put(f"interactions/{id_}/callback", body, "anna")["campaign"]["card"]["callback"]
    assert (planned["zone"], planned["number"], planned["is_personal"]) == ("Europe/Berlin", "+12015550177", True)
    site.do(id_, "end")
    later = site.put(f"interactions/{id_}/callback", {"at": tomorrow()}, "anna")["campaign"]["card"]["callback"]
    assert (later["zone"], later["number"]) == ("America/New_York", ""), "the contact's own zone where none is given"
    assert site.send("DELETE", f"interactions/{id_}/callback", "anna").status_code == 204
    again = checked(site.send("DELETE", f"interactions/{id_}/callback", "anna"), 422)
    assert (again["code"], again["reason"]) == ("plan-refused", "none")
    site.put(f"interactions/{id_}/callback", body | {"number": "+1 (201) 555-0177"}, "anna")
    site.put(f"interactions/{id_}/dispositions", {"codes": ["later"]}, "anna")
    site.do(id_, "done", wrap_up_reason="later")
    (told,) = released(site)()
    assert told["cause"] == "callback"
    zones = {"zone": "Europe/Berlin", "number_zone": "America/New_York"}  # a new number has the zone of its range
    assert isinstance(told["callback"], dict)
    assert told["callback"] | zones == told["callback"]
    assert checked(site.send("PUT", f"interactions/{id_}/callback", "anna", {"at": tomorrow()}), 404)


@pytest.mark.req("CBS-07", "CBS-03", "CBS-13")
def test_a_callback_that_cannot_be_is_refused_at_once_with_the_reason(site: Site) -> None:
    loaded(site)
    id_ = preview(site)["id"]

    def refused(**body: Any) -> Any:
        return checked(site.send("PUT", f"interactions/{id_}/callback", "anna", {"at": tomorrow()} | body), 422)

    assert refused(at="2020-01-01T12:00")["reason"] == "past"
    assert refused(zone="Nowhere/City")["reason"] == "zone"
    assert refused(number="+4912345678")["code"] == "number-refused"
    assert refused(at="soon")["errors"][0]["pointer"] == "/at"
    assert site.get(f"interactions/{id_}", "anna")["campaign"]["card"]["callback"] is None


@pytest.mark.req("CBS-04")
def test_who_plans_a_callback_for_himself_finds_it_among_those_he_has_to_make(site: Site) -> None:
    enlist(site, 1)
    loaded(site)
    hand_over(site)
    id_ = talking(site)
    shown = site.get(f"interactions/{id_}", "anna")["campaign"]["card"]
    assert (shown["other_number"], shown["personal_callback"]) == (True, True)
    at = tomorrow()
    site.put(f"interactions/{id_}/callback", {"at": at, "zone": "UTC", "personal": True}, "anna")
    site.put(f"interactions/{id_}/dispositions", {"codes": ["later"]}, "anna")
    site.do(id_, "done", stop=True, wrap_up_reason="later")
    recorded(site)
    (mine,) = site.get("agents/anna/planned-callbacks", "anna")["items"]
    assert (mine["campaign"], mine["label"], mine["name"], mine["number"]) == ("spring", "Spring", "Carla 1", FIRST)
    assert (mine["at"][:16], mine["zone"], mine["personal"]) == (at, "UTC", True)
    assert site.get("agents/ben/planned-callbacks", "ben")["items"] == []
    assert site.get("agents/anna/planned-callbacks", "ben", 403)["code"] == "forbidden"
    assert site.get("agents/nobody/planned-callbacks", status=404)["code"] == "agent-unknown"


# ---------------------------------------------------------------------- guide, contact


@pytest.mark.req("GUIDE-01", "GUIDE-02", "GUIDE-03", "GUIDE-04")
def test_the_answers_lead_through_the_guide_until_it_is_submitted(site: Site) -> None:
    loaded(site)
    id_ = talking(site)
    path = f"interactions/{id_}/guide"
    begun = site.get(path, "anna")
    assert ([q["id"] for q in begun["questions"]], begun["next"]) == (["insured"], "insured")
    assert [a["label"] for a in begun["questions"][0]["answers"]] == ["Yes", "No"]
    with_whom = site.post(path, {"answers": {"insured": "yes"}}, "anna")
    assert ([q["id"] for q in with_whom["questions"]], with_whom["next"]) == (["insured", "with"], "with")
    early = site.post(path, {"submit": True}, "anna", 422)
    assert (early["code"], early["reason"], early["question"]) == ("guide-refused", "incomplete", "with")
    changed = site.post(path, {"answers": {"insured": "no"}}, "anna")
    assert ([q["id"] for q in changed["questions"]], changed["next"], changed["submitted"]) == (
        ["insured"],
        None,
        False,
    )
    assert site.post(path, {"submit": True}, "anna")["submitted"]
    assert site.post(path, {"answers": {"insured": "yes"}}, "anna", 422)["reason"] == "submitted"
    told = site.events(EventType.GUIDE_ANSWERED)
    assert [event.values["is_complete"] for event in told] == [False, False, True]


def test_a_campaign_without_a_guide_says_so(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name = tenant()
    config = campaign_configuration(name)
    bare = config.campaigns | {"spring": replace(PREVIEW, guide=())}
    with campaign_center(redis_server, name, tmp_path, replace(config, campaigns=bare)) as site:
        loaded(site)
        id_ = preview(site)["id"]
        assert site.get(f"interactions/{id_}/guide", "anna", 422)["reason"] == "no_guide"


@pytest.mark.req("ACT-03", "ACT-04")
def test_the_contact_behind_a_record_shows_his_other_channels_and_is_kept_up_to_date(site: Site) -> None:
    channels = [{"kind": "email", "value": "carla@example.com", "label": "home"}]
    contact = site.post("contacts", {"name": "Carla", "channels": channels}, "crm", 201)
    loaded(site, "spring", card(1, contact_id=contact["id"]), card(2))
    id_ = preview(site)["id"]
    answer = site.send("GET", f"interactions/{id_}/contact", "anna")
    assert checked(answer, 200)["channels"] == channels
    assert answer.headers["Content-Location"].endswith(contact["id"])
    saved = site.send(
        "PATCH", f"contacts/{contact['id']}", "anna", {"name": "Carla B."}, If_Match=answer.headers["ETag"]
    )
    assert saved.json["name"] == "Carla B."
    site.do(id_, "record/decline", choice="never")
    other = preview(site)
    assert site.get(f"interactions/{other['id']}/contact", "anna", 404)["code"] == "not-found"


@pytest.mark.req("ACT-01", "ACT-02")
def test_the_outbound_actions_work_on_a_campaigns_call(site: Site) -> None:
    loaded(site)
    id_ = talking(site)
    assert site.do(id_, "hold", status=200)["status"] == "on hold"
    site.do(id_, "resume")
    site.do(id_, "digits", digits="12#")
    wait_until(lambda: site.events(EventType.DIGITS_SENT))
    site.sign_in("ben")
    site.do(id_, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(id_, "consulting")
    assert "exit_consult" in site.get(f"interactions/{id_}", "ben")["allowed_actions"]


@pytest.mark.req("CBS-07", "CBS-08", "A23")
def test_mark_done_is_blocked_by_a_callback_whose_time_has_passed_until_it_is_taken_back(site: Site) -> None:
    loaded(site)
    id_ = talking(site)
    at = datetime.now(UTC) + timedelta(seconds=2)
    site.put(f"interactions/{id_}/callback", {"at": at.isoformat(), "zone": "UTC"}, "anna")
    site.put(f"interactions/{id_}/dispositions", {"codes": ["later"]}, "anna")
    wait_until(lambda: datetime.now(UTC) > at + timedelta(seconds=1))
    refused = site.do(id_, "done", status=409)
    assert (refused["code"], refused["reason"]) == ("record-not-done", "callback_past")
    assert site.get(f"interactions/{id_}", "anna")["state"] == "connected"
    assert site.send("DELETE", f"interactions/{id_}/callback", "anna").status_code == 204
    site.do(id_, "done", stop=True, wrap_up_reason="done")
    assert [told["cause"] for told in released(site)()] == ["retry"]


@pytest.mark.req("PROG-07", "PROG-09", "DIALER-01", "CAMP-07")
def test_a_seated_agent_sees_nothing_of_a_contact_before_he_is_connected_with_him(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    name = tenant()
    config = campaign_configuration(name)
    seized = config.campaigns | {"winter": replace(config.campaigns["winter"], seize_agents=True)}
    with campaign_center(redis_server, name, tmp_path, replace(config, campaigns=seized)) as site:
        site.habit("anna", Answers(Constant(50)))
        site.outside(FIRST, Answers(Constant(2500)))
        loaded(site, "winter")

        def hers(kind: str, state: str) -> list[Any]:
            items = site.get("agents/anna/interactions", "anna")["items"]
            return [one for one in items if (one["kind"], one["state"]) == (kind, state)]

        wait_until(lambda: hers("seat", "seated"), DEED_S)
        (seat,) = hers("seat", "seated")
        assert (seat["campaign"]["record_id"], seat["campaign"]["card"], seat["campaign"]["name"]) == (None, None, "")
        pace = {"campaign": "winter", "tick": 1, "at_ms": SystemClock().now_ms(), "calls": 1}
        site.ask(PaceCampaign, **pace)
        wait_until(lambda: site.events(EventType.ATTEMPT_STARTED), DEED_S)
        (begun,) = site.events(EventType.ATTEMPT_STARTED)
        assert site.get(f"interactions/{begun.interaction_id}", "anna", 404)["code"] == "interaction-unknown"
        seen = site.get("events?after=0&wait=0&limit=500", "anna")["events"]
        assert FIRST not in str(seen)
        wait_until(lambda: hers("campaign", "connected"), DEED_S)
        (call,) = hers("campaign", "connected")
        assert call["campaign"]["card"]["name"] == "Carla 1"
        assert "hold" in call["allowed_actions"]
