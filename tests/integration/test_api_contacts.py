"""`/v1/contacts`, `/v1/address-book` and `/v1/audit` over SQLite and PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import g
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.lab.redis import RedisServer
from routing.api.address_book import require_listed
from routing.api.principal import Principal, Scope
from routing.api.problems import Problem
from routing.core.orders import EndInteraction, FinishWrapUp, SignIn, SignOut
from routing.store.sql.contacts import ContactFields, create_contact, search_contacts
from routing.store.sql.database import Database
from tests.integration.history_site import Site, center

CARLA: dict[str, Any] = {
    "name": "Carla Évora",
    "external_id": "crm-17",
    "attributes": {"tier": "gold"},
    "channels": [
        {"kind": "phone", "value": "+1 (201) 555-0143", "label": "work"},
        {"kind": "email", "value": "carla@example.com", "label": ""},
    ],
}


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    with center(redis_server, database, tenant(), tmp_path) as made:
        yield made


def created(site: Site, path: str, body: dict[str, Any], who: str = "crm", **headers: str) -> Any:
    answer = site.send("POST", path, who, body, **headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'  # type: ignore[index]
    return answer.json


def actions(site: Site, query: str = "") -> list[tuple[str, str, str]]:
    """Oldest first."""
    items = site.json(f"audit?{query}")["items"]
    return [(item["actor"], item["action"], item["subject"]) for item in reversed(items)]


# ---------------------------------------------------------------------- contacts


@pytest.mark.req("ACT-03", "ACT-04")
def test_a_contact_has_several_channels_and_is_managed_by_agents(site: Site) -> None:
    made = created(site, "contacts", CARLA, "anna")
    assert {name: made[name] for name in CARLA} == CARLA
    assert site.json(f"contacts/{made['id']}", "anna") == made
    channels = [*CARLA["channels"], {"kind": "chat", "value": "@carla"}]
    body = {"channels": channels, "attributes": {"tier": None, "language": "pt"}}
    saved = site.send("PATCH", f"contacts/{made['id']}", "anna", body, If_Match='"1"')
    assert saved.status_code == 200, saved.text
    assert saved.json is not None
    assert [c["kind"] for c in saved.json["channels"]] == ["phone", "email", "chat"]
    assert (saved.json["attributes"], saved.json["name"]) == ({"language": "pt"}, "Carla Évora")
    assert saved.headers["ETag"] == '"2"'


@pytest.mark.req("API-04")
def test_who_saves_a_contact_says_which_version_he_has_read(site: Site) -> None:
    made = created(site, "contacts", CARLA)
    path = f"contacts/{made['id']}"
    missing = site.send("PATCH", path, body={"name": "X"})
    assert (missing.status_code, missing.json["code"]) == (428, "version-needed")  # type: ignore[index]
    assert site.send("PATCH", path, body={"name": "First"}, If_Match='"1"').status_code == 200
    lost = site.send("PATCH", path, body={"name": "Second"}, If_Match='"1"')
    assert (lost.status_code, lost.json["code"]) == (412, "version-conflict")  # type: ignore[index]
    assert lost.json["current_version"] == 2  # type: ignore[index]
    assert site.send("DELETE", path, If_Match='"1"').status_code == 412
    assert site.json(path)["name"] == "First"
    assert site.send("DELETE", path, If_Match='"2"').status_code == 204
    assert site.get(path).status_code == 404


def test_of_two_who_save_at_once_one_wins(site: Site) -> None:
    made = created(site, "contacts", CARLA)
    for version in range(1, 6):
        found: list[int] = []

        def save(name: str, version: int = version, found: list[int] = found) -> None:
            answer = site.send("PATCH", f"contacts/{made['id']}", body={"name": name}, If_Match=f'"{version}"')
            found.append(answer.status_code)

        threads = [threading.Thread(target=save, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [200, 412, 412]
    assert len([a for a in actions(site) if a[1] == "contact.updated"]) == 5


def test_contacts_are_searched_and_paged_by_name(site: Site) -> None:
    carla = created(site, "contacts", CARLA)
    names = ["Zoe", "ann", "Bob"]
    others = [created(site, "contacts", {"name": name}) for name in names]
    assert [c["name"] for c in site.json("contacts")["items"]] == ["ann", "Bob", "Carla Évora", "Zoe"]
    for q in ("evora carla", "2015550143", "555-0143", "carla@example.com", "crm-17", "CARLA"):
        assert [c["id"] for c in site.json(f"contacts?q={quote(q)}")["items"]] == [carla["id"]], q
    assert site.json("contacts?q=%25")["items"] == [], "no wildcard"
    page = site.json("contacts?limit=3")
    rest = site.json(f"contacts?limit=3&cursor={page['next_cursor']}")
    assert ([c["id"] for c in rest["items"]], rest["next_cursor"]) == ([others[0]["id"]], None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 257},
        {"name": "a\0b"},
        {"name": 3},
        {"name": "x", "more": 1},
        {"name": "x", "channels": [{"kind": "Phone!", "value": "1"}]},
        {"name": "x", "channels": [{"kind": "phone", "value": "1"}] * 51},
        {"name": "x", "attributes": {"a": 1}},
        {"name": "x", "attributes": {str(n): "" for n in range(65)}},
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_contact_is_refused_and_leaves_nothing(site: Site, body: dict[str, Any]) -> None:
    answer = site.send("POST", "contacts", body=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid-request"), answer.text  # type: ignore[index]
    assert site.json("contacts")["items"] == []
    assert site.json("audit?action=contact.created")["items"] == []


def test_attributes_do_not_pile_up_over_many_saves(site: Site) -> None:
    made = created(site, "contacts", {"name": "x", "attributes": {str(n): "" for n in range(64)}})
    path = f"contacts/{made['id']}"
    refused = site.send("PATCH", path, body={"attributes": {"one": "more"}}, If_Match='"1"')
    assert refused.status_code == 422
    assert site.send("PATCH", path, body={"attributes": {"one": "x", "1": None}}, If_Match='"1"').status_code == 200


@pytest.mark.req("API-03")
def test_a_contact_created_twice_with_one_key_is_one(site: Site) -> None:
    first = created(site, "contacts", CARLA, Idempotency_Key="a-key")
    assert created(site, "contacts", CARLA, Idempotency_Key="a-key") == first
    assert len(site.json("contacts")["items"]) == 1
    without = site.app.test_client().post("/v1/contacts", json=CARLA, headers={"Authorization": "Bearer crm"})
    assert (without.status_code, without.json["code"]) == (400, "idempotency-key-missing")  # type: ignore[index]


TEXTS = st.text(min_size=1, max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXTS, q=st.text(max_size=60), value=st.text(min_size=1, max_size=320), cursor=st.text(max_size=40))
def test_whatever_is_searched_for_is_answered_or_refused(
    site: Site, name: str, q: str, value: str, cursor: str
) -> None:
    body = {"name": name, "channels": [{"kind": "phone", "value": value}, {"kind": "email", "value": value}]}
    answer = site.send("POST", "contacts", body=body)
    assert answer.status_code in (201, 422), answer.text
    for path in ("contacts", "address-book"):
        for query in (f"q={quote(q)}", f"q={quote(name)}", f"q={quote(q)}&cursor={quote(cursor)}"):
            found = site.get(f"{path}?{query}")
            assert found.status_code in (200, 400, 422), found.text
    if answer.status_code == 201 and len(name.split()) <= 8:
        again = site.json(f"contacts?q={quote(name)}&limit=200")
        ids = [c["id"] for c in again["items"]]
        assert answer.json["id"] in ids or again["next_cursor"], name  # type: ignore[index]


@pytest.mark.parametrize("kind", ["contacts", "address-book"])
def test_the_longest_names_of_any_script_can_be_kept(site: Site, kind: str) -> None:
    letters = [chr(c) for c in range(0xAC00, 0xD7A4)]  # each of them three when it is taken apart
    chance = random.Random(7)
    long = 256 if kind == "contacts" else 128
    for name in ("\ufdfa" * long, "".join(chance.choice(letters) for _ in range(long))):
        body: dict[str, Any] = {"name": name}
        if kind == "contacts":
            value = "".join(chance.choice(letters) for _ in range(320))
            body["channels"] = [{"kind": "email", "value": value}, {"kind": "phone", "value": value}]
        else:
            body["number"] = "+12015550143"
        assert created(site, kind, body)["name"] == name


def test_a_name_longer_than_an_index_can_hold_is_kept_and_found(database: Database) -> None:
    """No client can send one, but whoever imports contacts may."""
    chance = random.Random(7)
    name = "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(3000))
    with database.begin() as connection:
        made = create_contact(connection, "t", ContactFields(name=name), 1)
        assert made.name == name
        assert [c.id for c in search_contacts(connection, "t", name[:20]).items] == [made.id]


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyJhIiwxXQ", "WyJcdTAwMDAiLCJhIl0", "WyJcdWQ4MDAiLCJhIl0"])
def test_a_cursor_that_was_never_given_out_is_refused(site: Site, cursor: str) -> None:
    for path in ("contacts", "address-book", "history", "audit", "history?agent_id=anna"):
        mark = "&" if "?" in path else "?"
        answer = site.get(f"{path}{mark}cursor={cursor}")
        assert (answer.status_code, answer.json["code"]) == (422, "cursor-invalid"), path  # type: ignore[index]


# ---------------------------------------------------------------------- address book

BOOK = [("Zoe Adams", "+12015550101"), ("adam Zoll", "+12015550102"), ("Émile", "+12015550103")]


@pytest.mark.req("DIAL-14", "OUT-07")
def test_the_address_book_is_listed_by_name_and_searched_by_name_or_number(site: Site) -> None:
    for name, number in BOOK:
        created(site, "address-book", {"name": name, "number": number})
    for who in ("crm", "anna", "ben"):
        listed = [(e["name"], e["number"]) for e in site.json("address-book", who)["items"]]
        assert listed == [("adam Zoll", "+12015550102"), ("Émile", "+12015550103"), ("Zoe Adams", "+12015550101")]
    for q, names in {
        "zo": ["adam Zoll", "Zoe Adams"],
        "adams zoe": ["Zoe Adams"],
        "emile": ["Émile"],
        "5550102": ["adam Zoll"],
        "(201) 555-0103": ["Émile"],
        "nobody": [],
    }.items():
        assert [e["name"] for e in site.json(f"address-book?q={quote(q)}", "anna")["items"]] == names, q


@pytest.mark.req("PERM-04")
def test_an_agent_without_the_address_book_is_not_shown_it(site: Site) -> None:
    made = created(site, "address-book", {"name": "Zoe", "number": "+12015550101"})
    for path in ("address-book", f"address-book/{made['id']}"):
        refused = site.get(path, "cleo")
        assert (refused.status_code, refused.json["rule"]) == (403, "address_book")  # type: ignore[index]
        assert site.get(path, "ben").status_code == 200


@pytest.mark.req("OUT-07")
def test_administrators_keep_the_address_book_and_agents_do_not(site: Site) -> None:
    made = created(site, "address-book", {"name": "Zoe", "number": "+1 (201) 555-0101"})
    assert made["number"] == "+12015550101"
    path = f"address-book/{made['id']}"
    body = {"name": "Zoe", "number": "+12015550101"}
    assert site.send("POST", "address-book", "anna", body).status_code == 403
    assert site.send("PATCH", path, "anna", {"name": "X"}, If_Match='"1"').status_code == 403
    assert site.send("DELETE", path, "anna", If_Match='"1"').status_code == 403
    for bad in ("Zoe", "12", "+1201555010112345"):
        refused = site.send("PATCH", path, body={"number": bad}, If_Match='"1"')
        assert (refused.status_code, refused.json["code"]) == (422, "number-refused")  # type: ignore[index]
    for bad_body in ({"name": ""}, {"name": None}, {"number": ""}):
        assert site.send("PATCH", path, body=bad_body, If_Match='"1"').status_code == 422
    saved = site.send("PATCH", path, body={"number": "+12015550109"}, If_Match='"1"').json
    assert saved is not None
    assert (saved["name"], saved["number"], saved["version"]) == ("Zoe", "+12015550109", 2)
    assert site.send("PATCH", path, body={"name": "Y"}, If_Match='"1"').status_code == 412
    assert site.send("DELETE", path, If_Match='"2"').status_code == 204
    assert site.get(path).status_code == 404
    told = [a[1] for a in actions(site, f"subject=address_book:{made['id']}")]
    assert told == ["address_book.created", "address_book.updated", "address_book.deleted"]


@pytest.mark.req("DIAL-10")
def test_a_name_in_the_place_of_a_number_is_answered_with_whom_it_may_mean(site: Site) -> None:
    for name, number in BOOK:
        created(site, "address-book", {"name": name, "number": number})
    call = site.call()
    site.ask(EndInteraction, agent_id="anna", interaction_id=call)
    site.ask(FinishWrapUp, agent_id="anna", reason="done")
    site.record()
    for text, names in {"zo": ["adam Zoll", "Zoe Adams"], "EMILE": ["Émile"], "nobody": []}.items():
        refused = site.send("POST", f"history/{call}/call", "anna", {"number": text})
        assert (refused.status_code, refused.json["rule"]) == (422, "name")  # type: ignore[index]
        assert [c["name"] for c in refused.json["candidates"]] == names  # type: ignore[index]
        assert all(c["number"].startswith("+1201555") for c in refused.json["candidates"])  # type: ignore[index]
    abroad = site.send("POST", f"history/{call}/call", "anna", {"number": "+442079460000"})
    assert "candidates" not in abroad.json, "a number is no name"  # type: ignore[operator]


@pytest.mark.req("DIAL-10", "DIAL-14")
@pytest.mark.parametrize("path", ["transfers", "consults", "conferences"])
def test_a_name_as_target_of_a_call_is_answered_with_candidates(site: Site, path: str) -> None:
    for name, number in BOOK:
        created(site, "address-book", {"name": name, "number": number})
    call = site.call()
    body = {"agent_id": "anna", "to": {"type": "number", "number": "zo"}}
    refused = site.send("POST", f"interactions/{call}/{path}", body=body).json
    assert refused is not None
    assert [c["name"] for c in refused["candidates"]] == ["adam Zoll", "Zoe Adams"]
    chosen = {"type": "number", "number": refused["candidates"][0]["number"]}
    done = site.send("POST", f"interactions/{call}/{path}", body=body | {"to": chosen})
    assert done.status_code in (200, 202), done.text


@pytest.mark.req("DIAL-10", "PERM-04")
def test_a_name_is_looked_up_only_in_an_address_book_that_the_agent_has(site: Site) -> None:
    created(site, "address-book", {"name": "Zoe", "number": "+12015550101"})
    site.ask(SignOut, agent_id="anna")
    site.ask(SignIn, agent_id="ben")
    for source in ("address_book", "dial_pad"):
        refused = site.send("POST", "outdials", body={"agent_id": "ben", "number": "zoe", "source": source})
        assert refused.json is not None
        if source == "address_book":
            assert [c["name"] for c in refused.json["candidates"]] == ["Zoe"]
        else:
            assert refused.json["rule"] == "dial_pad"
    site.ask(SignOut, agent_id="ben")
    site.ask(SignIn, agent_id="cleo")
    call = site.call("cleo")
    body = {"agent_id": "cleo", "to": {"type": "number", "number": "zoe"}}
    answer = site.send("POST", f"interactions/{call}/transfers", body=body).json
    assert answer is not None
    assert answer["rule"] == "name"
    assert "candidates" not in answer


@pytest.mark.req("PERM-04")
@pytest.mark.parametrize(
    ("agent_id", "number", "is_free"),
    [
        ("anna", "+12015550177", True),
        ("ben", "+12015550101", True),
        ("ben", "2015550101", True),
        ("ben", "+12015550177", False),
        ("cleo", "+12015550101", False),
        ("ben", "Zoe", True),
    ],
)
def test_without_the_dial_pad_a_number_is_chosen_from_the_address_book(
    site: Site, agent_id: str, number: str, is_free: bool
) -> None:
    created(site, "address-book", {"name": "Zoe", "number": "+12015550101"})
    with site.app.test_request_context():
        g.principal = Principal(tenant=site.front.tenant, actor="key:crm", scopes=frozenset(Scope))
        if is_free:
            require_listed(agent_id, number)
            return
        with pytest.raises(Problem) as refused:
            require_listed(agent_id, number)
    assert (refused.value.code, refused.value.extensions["rule"]) == ("number-refused", "not_listed")


# ---------------------------------------------------------------------- tenants and audit


@pytest.mark.req("OPS-06")
def test_another_tenants_contacts_and_entries_are_not_there(site: Site) -> None:
    contact = created(site, "contacts", CARLA)
    entry = created(site, "address-book", {"name": "Zoe", "number": "+12015550101"})
    for path in (f"contacts/{contact['id']}", f"address-book/{entry['id']}"):
        assert site.get(path, "stranger").status_code == 404
        assert site.send("PATCH", path, "stranger", {"name": "Mine"}, If_Match="*").status_code == 404
        assert site.send("DELETE", path, "stranger", If_Match="*").status_code == 404
        assert site.get(path).status_code == 200
    for path in ("contacts", "contacts?q=carla", "address-book", "audit"):
        assert site.json(path, "stranger")["items"] == []


@pytest.mark.req("OPS-07")
def test_the_audit_tells_who_changed_what_and_is_filtered(site: Site) -> None:
    made = created(site, "contacts", CARLA, "anna")
    site.send("PATCH", f"contacts/{made['id']}", body={"name": "X"}, If_Match='"1"')
    site.send("DELETE", f"contacts/{made['id']}", If_Match='"2"')
    subject = f"contact:{made['id']}"
    assert actions(site, f"subject={subject}") == [
        ("agent:anna", "contact.created", subject),
        ("key:crm", "contact.updated", subject),
        ("key:crm", "contact.deleted", subject),
    ]
    assert actions(site, "actor=agent:anna&action=contact.created") == [("agent:anna", "contact.created", subject)]
    newest = site.json("audit?limit=1")
    assert newest["items"][0]["action"] == "contact.deleted"
    at = newest["items"][0]["at"]
    assert "contact.deleted" in [a[1] for a in actions(site, f"from={at}")]
    assert "contact.deleted" not in [a[1] for a in actions(site, f"to={at}")]
    assert site.get("audit?from=yesterday").status_code == 422
    assert site.get("audit", "anna").status_code == 403
    site.record()
    signed_in = site.json("audit?action=SignIn")["items"]
    assert [(e["actor"], e["outcome"]) for e in signed_in] == [("agent:anna", "ok")], "orders are there too"


@pytest.mark.req("OPS-07")
def test_a_change_and_its_audit_are_one(site: Site, database: Database) -> None:
    made = created(site, "contacts", CARLA)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    refused = site.send("PATCH", f"contacts/{made['id']}", body={"name": "X"}, If_Match='"1"')
    assert (refused.status_code, refused.json["code"]) == (503, "database-refused")  # type: ignore[index]
    assert "gone" not in refused.text
    assert site.json(f"contacts/{made['id']}")["version"] == 1


def test_every_route_needs_its_permission(site: Site) -> None:
    for path in ("contacts", "address-book", "audit", "history", "recordings?interaction_id=x"):
        assert site.get(path, "poor").status_code == 403, path
    assert site.send("POST", "contacts", "poor", CARLA).status_code == 403
