"""Values of call data as they are saved or refused through the API, on one call."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.lab.redis import RedisServer
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center, checked


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer) -> Iterator[tuple[Site, str]]:
    """A call that many saves are tried on."""
    with center(redis_server, configuration("saves")) as made:
        yield made, made.call(case="17")


def values_of(site: Site, call: str, who: str = "crm") -> dict[str, str]:
    found: dict[str, str] = site.get(f"interactions/{call}/cad", who)["variables"]
    return found


def saved(site: Site, call: str, values: dict[str, Any], who: str = "anna") -> Any:
    return checked(site.save(call, values, who), 200)


@pytest.mark.req("CAD-06", "CAD-04")
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"origin": "web"}, "not editable"),
        ({"unheard": "1"}, "not declared"),
        ({"age": "seven"}, "integer"),
        ({"due": "21.11.2026"}, "ISO 8601"),
        ({"case": "x" * 257}, "256"),
    ],
)
def test_one_wrong_value_saves_none_of_them(shared: tuple[Site, str], wrong: dict[str, str], why: str) -> None:
    site, call = shared
    before = site.everything()
    refused = checked(site.save(call, {"card": "5"} | wrong), 422)
    assert refused["code"] == "cad-refused"
    assert why in refused["problems"][next(iter(wrong))]
    assert list(refused["problems"]) == list(wrong)
    assert site.everything() == before


@pytest.mark.req("CAD-08", "A18")
def test_a_value_has_256_characters_at_most_counted_after_composition(shared: tuple[Site, str]) -> None:
    site, call = shared
    longest = "e\u0301" * 256  # two code points each, one after NFC
    assert len(longest) == 512
    told = saved(site, call, {"case": longest})
    assert told["variables"]["case"] == unicodedata.normalize("NFC", longest)
    assert told["max_length"] == 256
    before = site.everything()
    for too_long in (longest + "x", "x" * 257, "𝄞" * 257):
        refused = checked(site.save(call, {"case": too_long}), 422)
        assert refused["problems"] == {"case": "257 characters, at most 256 are allowed"}
    assert site.everything() == before
    saved(site, call, {"case": "𝄞" * 256})


@pytest.mark.req("CAD-10")
@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("due", "2026-11-21", "2026-11-21"),
        ("due", "20261121", "2026-11-21"),
        ("due", "21.11.2026", None),
        ("due", "11/21/2026", None),
        ("due", "2026-02-30", None),
        ("due", "2026-11-21T10:00Z", None),
        ("at", "2026-11-21T14:30:00Z", "2026-11-21T14:30:00+00:00"),
        ("at", "2026-11-21T14:30+01:00", "2026-11-21T14:30:00+01:00"),
        ("at", "2026-11-21 14:30", None),
        ("at", "tomorrow", None),
    ],
)
def test_dates_and_times_are_iso_8601(shared: tuple[Site, str], name: str, text: str, kept: str | None) -> None:
    site, call = shared
    before = site.everything()
    answer = site.save(call, {name: text})
    if kept is None:
        assert "ISO 8601" in checked(answer, 422)["problems"][name] or "2026-02-30" in text
        assert site.everything() == before
    else:
        assert checked(answer, 200)["variables"][name] == kept


@pytest.mark.parametrize(
    "body",
    [
        {"case": 17},
        {"case": True},
        {"case": ["17"]},
        {"case": {"a": "b"}},
        {"": "1"},
        {"x" * 65: "1"},
        {"case": "x" * 4097},
        {"case": "\0"},
        {"case": "\ud800"},
        ["case"],
        {f"n{n}": "1" for n in range(201)},
    ],
)
def test_what_is_no_save_is_refused_and_saves_nothing(shared: tuple[Site, str], body: Any) -> None:
    site, call = shared
    before = site.everything()
    assert checked(site.save(call, body, "crm"), 422)["code"] == "invalid-request"
    assert site.everything() == before


NAMES = st.one_of(st.sampled_from(["case", "card", "age", "due", "at", "origin", "internal"]), st.text(max_size=70))


@given(body=st.dictionaries(NAMES, st.one_of(st.none(), st.text(max_size=300), st.integers()), max_size=4))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_saved_is_saved_as_a_whole_or_refused_with_a_reason(
    shared: tuple[Site, str], body: dict[str, Any]
) -> None:
    site, call = shared
    before = site.everything()
    answer = site.save(call, body, "crm")
    if answer.status_code == 200:
        kept = values_of(site, call)
        for name, text in body.items():
            if text is None or not text:
                assert not kept.get(name)
            elif name in ("case", "card", "origin", "internal"):
                assert kept[name] == unicodedata.normalize("NFC", text)
    else:
        assert answer.status_code in (400, 422), answer.text
        assert checked(answer, answer.status_code)["detail"]
        assert site.everything() == before
