"""What requests are parsed into: bodies, versions, pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from routing.api.etags import check_version, etag, expected_version
from routing.api.idempotency import parsed_key
from routing.api.pagination import decoded, encoded, live_page
from routing.api.principal import Scope
from routing.api.problems import Problem
from routing.api.requests import parsed
from routing.api.schemas import Body, PageQuery

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


class Wish(Body):
    count: int = 1
    scope: Scope = Scope.OUTDIAL
    names: list[str] = Field(default_factory=list)


def code_of(work: Callable[[], Any]) -> str:
    with pytest.raises(Problem) as caught:
        work()
    return caught.value.code


def outcome(work: Callable[[], Any]) -> str:
    """The type of the result, or the code of the problem; anything else that is raised fails the test."""
    try:
        return type(work()).__name__
    except Problem as problem:
        return problem.code


@given(st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), JSON, max_size=4))
def test_every_object_that_can_be_stored_is_read_as_it_was_sent(value: dict[str, Any]) -> None:
    assert parsed(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_bytes_are_an_object_or_a_problem_and_nothing_else(data: bytes) -> None:
    assert outcome(lambda: parsed(data)) in ("dict", "malformed-request", "invalid-request")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "malformed-request"),
        (b"\xff", "malformed-request"),
        (b'{"a": NaN}', "malformed-request"),
        (b'{"a": 1, "a": 2}', "malformed-request"),
        (b'{"a":' * 5000, "malformed-request"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "malformed-request"),
        (b"[1]", "invalid-request"),
        (b'"{}"', "invalid-request"),
        (b'{"a": "\\u0000"}', "invalid-request"),
        (b'{"a": ["\\ud800"]}', "invalid-request"),
        (b'{"\\ud800": 1}', "invalid-request"),
    ],
)
def test_what_is_no_object_or_cannot_be_stored_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parsed(data)) == code


def test_a_body_takes_nothing_for_what_it_is_not() -> None:
    assert Wish.model_validate({"scope": "outdial", "count": 2}).scope is Scope.OUTDIAL
    for wrong in ({"count": "2"}, {"count": True}, {"count": 2.0}, {"names": [1]}, {"counts": 2}, {"scope": "all"}):
        with pytest.raises(ValidationError):
            Wish.model_validate(wrong)


@pytest.mark.req("API-04")
def test_if_match_is_the_version_that_was_read() -> None:
    app = Flask("etags")

    def version(value: str | None, **options: bool) -> int | None:
        with app.test_request_context(headers={} if value is None else {"If-Match": value}):
            return expected_version(**options)

    assert version(etag(7)) == 7
    assert version('W/"7"') == 7
    assert version("*") is None
    assert version(None, is_required=False) is None
    assert code_of(lambda: version(None)) == "version-needed"
    for wrong in ("7", '"a"', '"1", "2"', '"' + "9" * 30 + '"'):
        assert code_of(lambda wrong=wrong: version(wrong)) == "version-invalid"  # type: ignore[misc]


@pytest.mark.req("API-04")
def test_an_edit_of_an_older_version_is_refused_with_the_current_one() -> None:
    check_version(3, 3)
    check_version(3, None)
    with pytest.raises(Problem) as caught:
        check_version(4, 3)
    assert caught.value.code == "version-conflict"
    assert caught.value.extensions == {"current_version": 4}


@pytest.mark.req("API-09")
@given(st.sets(st.tuples(st.integers(0, 5), st.text(max_size=3)), max_size=30), st.integers(1, 7))
def test_pages_show_every_item_once_and_in_order(items: set[tuple[int, str]], limit: int) -> None:
    found: list[tuple[int, str]] = []
    cursor = ""
    while True:
        page = live_page(items, lambda item: item, PageQuery(cursor=cursor, limit=limit))
        assert len(page.items) <= limit
        found += page.items
        if not (cursor := page.next_cursor):
            break
    assert found == sorted(items)


@pytest.mark.req("API-09")
def test_an_item_that_goes_between_two_pages_shifts_none() -> None:
    items = [(n,) for n in range(6)]
    first = live_page(items, lambda item: item, PageQuery(limit=3))
    rest = live_page(items[1:], lambda item: item, PageQuery(limit=3, cursor=first.next_cursor))
    assert rest.items == ((3,), (4,), (5,))


@pytest.mark.req("API-09")
@given(st.text(max_size=40))
def test_a_cursor_of_somebody_elses_making_is_refused(text: str) -> None:
    assert outcome(lambda: decoded(text)) in ("tuple", "cursor-invalid")


def test_a_cursor_of_another_list_is_refused() -> None:
    query = PageQuery(cursor=encoded(("a",)))
    assert code_of(lambda: live_page([1], lambda item: (item,), query)) == "cursor-invalid"


def test_an_idempotency_key_is_a_string_of_a_structured_header_or_bare() -> None:
    assert parsed_key('"8e03978e-40d5-43dd-bc93-6894a57f9324"') == "8e03978e-40d5-43dd-bc93-6894a57f9324"
    assert parsed_key("order-17") == "order-17"
    assert code_of(lambda: parsed_key(None)) == "idempotency-key-missing"
    for wrong in ("", '""', "k" * 201, "käse", "a\tb"):
        assert code_of(lambda wrong=wrong: parsed_key(wrong)) == "idempotency-key-invalid"  # type: ignore[misc]


def test_a_schema_is_made_once_for_each_way_of_asking() -> None:
    def made(**options: Any) -> dict[str, Any]:
        return PageQuery.model_json_schema(**options)

    assert made() is made()
    assert made(mode="serialization") is made(mode="serialization")
    assert made() is not made(mode="serialization")
    assert set(made()["properties"]) == {"cursor", "limit"}
