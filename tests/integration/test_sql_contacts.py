"""One suite over SQLite and PostgreSQL: contacts, address book, keys and people."""

from __future__ import annotations

import base64

import pytest

from routing.core.config import Numbers
from routing.store.sql import access, address_book, contacts
from routing.store.sql.address_book import EntryFields
from routing.store.sql.contacts import Channel, ContactFields, Save
from routing.store.sql.database import Database
from routing.store.sql.errors import BadCursor, UnknownRow, VersionConflict
from routing.store.sql.ids import id_for, new_id
from routing.store.sql.paging import PageOf

HOME = Numbers(country="1")
EMILE = ContactFields(
    name="Émile Zola",
    external_id="crm-17",
    attributes={"vip": True},
    channels=(
        Channel(kind="phone", value="+1 (202) 555-0143", label="work"),
        Channel(kind="phone", value="202-555-0199"),
        Channel(kind="email", value="Emile@example.test"),
    ),
)


def test_a_contact_is_read_as_it_was_written(database: Database) -> None:
    with database.begin() as connection:
        made = contacts.create_contact(connection, "a", EMILE, 5)
    assert made.version == 1
    assert (made.created_at_ms, made.updated_at_ms) == (5, 5)
    assert (made.name, made.channels, made.attributes) == (EMILE.name, EMILE.channels, EMILE.attributes)
    with database.read() as connection:
        assert contacts.get_contact(connection, "a", made.id) == made
        with pytest.raises(UnknownRow):
            contacts.get_contact(connection, "b", made.id)


@pytest.mark.req("API-03")
def test_what_is_created_twice_with_one_key_is_there_once(database: Database) -> None:
    id_ = id_for("con", "a", "key-1")
    assert id_ == id_for("con", "a", "key-1")
    assert id_ not in (id_for("con", "b", "key-1"), id_for("con", "a", "key-2"), id_for("adr", "a", "key-1"))
    with database.begin() as connection:
        first = contacts.create_contact(connection, "a", EMILE, 5, id_)
        again = contacts.create_contact(connection, "a", ContactFields(name="Other"), 6, id_)
        assert again == first
        entry = address_book.create_entry(connection, "a", EntryFields(name="X", number="100"), 5, "adr_1")
        assert address_book.create_entry(connection, "a", EntryFields(name="Y", number="1"), 6, "adr_1") == entry
        assert len(contacts.search_contacts(connection, "a").items) == 1


def test_the_first_save_wins_and_the_second_is_told_the_version(database: Database) -> None:
    with database.begin() as connection:
        made = contacts.create_contact(connection, "a", EMILE, 5)
        changed = ContactFields(name="E. Zola", channels=(Channel(kind="phone", value="100"),))
        saved = contacts.update_contact(connection, "a", Save(id=made.id, expected_version=1, now_ms=9), changed)
        assert (saved.version, saved.updated_at_ms, saved.created_at_ms) == (2, 9, 5)
        assert (saved.name, saved.channels, saved.external_id) == ("E. Zola", changed.channels, "")
        late = Save(id=made.id, expected_version=1, now_ms=10)
        with pytest.raises(VersionConflict) as refused:
            contacts.update_contact(connection, "a", late, EMILE)
        assert refused.value.fields["current_version"] == 2
        with pytest.raises(VersionConflict):
            contacts.delete_contact(connection, "a", late)
        assert contacts.get_contact(connection, "a", made.id) == saved
        for tenant, id_ in (("a", "con_none"), ("b", made.id)):
            with pytest.raises(UnknownRow):
                contacts.update_contact(connection, tenant, Save(id=id_, expected_version=None, now_ms=1), EMILE)
        contacts.delete_contact(connection, "a", Save(id=made.id, expected_version=2, now_ms=11))
        with pytest.raises(UnknownRow):
            contacts.get_contact(connection, "a", made.id)
        again = contacts.create_contact(connection, "a", ContactFields(name="New"), 12, made.id)
        assert again.channels == (), "nothing of the deleted one is left"


def test_contacts_are_found_by_name_number_mail_and_external_id(database: Database) -> None:
    with database.begin() as connection:
        contacts.create_contact(connection, "a", EMILE, 5)
        contacts.create_contact(connection, "a", ContactFields(name="100% Ltd"), 5)
        contacts.create_contact(connection, "b", ContactFields(name="Emile Other"), 5)

        def found(words: str) -> list[str]:
            return [c.name for c in contacts.search_contacts(connection, "a", words).items]

        assert found("") == ["100% Ltd", "Émile Zola"]
        assert found("zola EMIL") == ["Émile Zola"]
        assert found("émile") == ["Émile Zola"]
        assert found("5550143") == ["Émile Zola"]
        assert found("(202) 555") == ["Émile Zola"]
        assert found("emile@EXAMPLE") == ["Émile Zola"]
        assert found("crm-17") == ["Émile Zola"]
        assert found("0%") == ["100% Ltd"]
        assert found("%") == ["100% Ltd"], "a wildcard is a letter like any other"
        assert found("_") == []


def test_a_caller_is_known_however_his_number_is_written(database: Database) -> None:
    with database.begin() as connection:
        made = contacts.create_contact(connection, "a", EMILE, 5)
        for number in ("+12025550143", "2025550143", "12025550143", "01112025550143", "+1 202 555 0199"):
            assert [c.id for c in contacts.contacts_of_number(connection, "a", number, HOME)] == [made.id], number
        for number in ("5550143", "+442025550143", "+12025550144"):
            assert contacts.contacts_of_number(connection, "a", number, HOME) == [], number


@pytest.mark.req("DIAL-14", "OUT-07")
def test_the_address_book_is_searched_by_name_and_by_number_and_sorted_by_name(database: Database) -> None:
    names = {"Sales, Boston": "+12025550101", "Émile Zola": "(202) 555-0102", "boston depot": "4711", "Zoe": "100"}
    with database.begin() as connection:
        for name, number in names.items():
            address_book.create_entry(connection, "a", EntryFields(name=name, number=number), 5)
        address_book.create_entry(connection, "b", EntryFields(name="Boston", number="100"), 5)

        def found(words: str) -> list[tuple[str, str]]:
            page = address_book.search_address_book(connection, "a", words)
            return [(e.name, e.number) for e in page.items]

        assert [name for name, _ in found("")] == ["boston depot", "Émile Zola", "Sales, Boston", "Zoe"]
        assert found("BOSTON") == [("boston depot", "4711"), ("Sales, Boston", "+12025550101")]
        assert found("boston sal") == [("Sales, Boston", "+12025550101")]
        assert found("emile") == [("Émile Zola", "(202) 555-0102")]
        assert found("555-01") == [("Émile Zola", "(202) 555-0102"), ("Sales, Boston", "+12025550101")]
        assert found("471") == [("boston depot", "4711")]
        assert found("nobody") == []
        assert address_book.is_listed(connection, "a", "+1 202 555 0102", HOME)
        assert not address_book.is_listed(connection, "b", "4711", HOME)


def test_an_entry_of_the_address_book_is_changed_by_version(database: Database) -> None:
    with database.begin() as connection:
        made = address_book.create_entry(connection, "a", EntryFields(name="Depot", number="4711"), 5)
        new = EntryFields(name="Depot 2", number="4712")
        saved = address_book.update_entry(connection, "a", Save(id=made.id, expected_version=1, now_ms=6), new)
        assert (saved.name, saved.number, saved.version) == ("Depot 2", "4712", 2)
        assert [e.name for e in address_book.search_address_book(connection, "a", "4712").items] == ["Depot 2"]
        with pytest.raises(VersionConflict):
            address_book.update_entry(connection, "a", Save(id=made.id, expected_version=1, now_ms=7), new)
        with pytest.raises(UnknownRow):
            address_book.delete_entry(connection, "b", Save(id=made.id, expected_version=None, now_ms=7))
        address_book.delete_entry(connection, "a", Save(id=made.id, expected_version=2, now_ms=7))
        with pytest.raises(UnknownRow):
            address_book.get_entry(connection, "a", made.id)


def test_pages_hold_each_row_once_also_with_equal_names(database: Database) -> None:
    with database.begin() as connection:
        for _ in range(450):
            address_book.create_entry(connection, "a", EntryFields(name="Same", number="100"), 5)
        seen: list[str] = []
        cursor, pages = "", 0
        while cursor or not pages:
            page = address_book.search_address_book(connection, "a", "", PageOf(cursor=cursor, limit=1000))
            seen += [e.id for e in page.items]
            cursor, pages = page.next_cursor, pages + 1
        assert (len(seen), len(set(seen)), pages) == (450, 450, 3), "200 at most on a page"
        for bad in ("nonsense", "é", base64.urlsafe_b64encode(b'["one"]').decode(), "bnVsbA"):
            with pytest.raises(BadCursor):
                address_book.search_address_book(connection, "a", "", PageOf(cursor=bad))


def test_keys_are_found_by_their_id_alone_and_stay_revoked(database: Database) -> None:
    made = access.ApiKey(id=new_id("key", 1), name="CRM", hash="h", scopes=["interactions:read"], created_at_ms=1)
    with database.begin() as connection:
        assert access.create_api_key(connection, "a", made) == made
        assert access.create_api_key(connection, "a", made) == made
        with pytest.raises(UnknownRow):
            access.create_api_key(connection, "b", made)
        assert access.find_api_key(connection, made.id) == ("a", made)
        assert access.find_api_key(connection, "key_none") is None
        access.touch_api_key(connection, "a", made.id, 7)
        assert access.revoke_api_key(connection, "a", made.id, 8).revoked_at_ms == 8
        assert access.revoke_api_key(connection, "a", made.id, 9).revoked_at_ms == 8
        (listed,) = access.list_api_keys(connection, "a").items
        assert (listed.last_used_at_ms, listed.revoked_at_ms) == (7, 8)
        with pytest.raises(UnknownRow):
            access.revoke_api_key(connection, "b", made.id, 9)


def test_people_are_replaced_and_disabled(database: Database) -> None:
    anna = access.User(
        name="anna", role="agent", password_hash="$argon2id$1", scopes=[], created_at_ms=1, agent_id="anna"
    )
    changed = access.User(name="anna", role="supervisor", password_hash="$argon2id$2", scopes=["x"], created_at_ms=2)
    with database.begin() as connection:
        assert access.put_user(connection, "a", anna) == anna
        assert access.put_user(connection, "a", changed).created_at_ms == 1
        found = access.get_user(connection, "a", "anna")
        assert (found.role, found.password_hash, found.scopes, found.agent_id) == (
            "supervisor",
            "$argon2id$2",
            ["x"],
            "",
        )
        assert access.disable_user(connection, "a", "anna", 5).disabled_at_ms == 5
        assert [u.name for u in access.list_users(connection, "a").items] == ["anna"]
        with pytest.raises(UnknownRow):
            access.get_user(connection, "b", "anna")
