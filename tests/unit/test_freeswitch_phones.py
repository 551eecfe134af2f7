"""States of telephones on a FreeSWITCH (ROUTE-15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.facts import PhoneState
from telephony.freeswitch.phones import Phones

pytestmark = pytest.mark.req("ROUTE-15")
S = PhoneState
ANNA, BEN = "user/1001", "user/1002@b.example"


def watched(*names: str) -> Phones:
    phones = Phones()
    phones.watch(names or (ANNA, BEN))
    phones.changes()
    return phones


def test_a_telephone_is_reachable_while_somebody_is_registered_as_its_user() -> None:
    phones = watched()
    assert phones.states == {ANNA: S.UNREACHABLE, BEN: S.UNREACHABLE}
    phones.registered("1001", "a.example")
    assert phones.changes() == {ANNA: S.FREE}
    phones.unregistered("1001", "a.example")
    assert phones.changes() == {ANNA: S.UNREACHABLE}


def test_a_telephone_of_a_domain_is_reached_in_that_domain_alone() -> None:
    phones = watched()
    phones.registered("1002", "a.example")
    assert phones.changes() == {}
    phones.registered("1002", "b.example")
    assert phones.changes() == {BEN: S.FREE}
    phones.unregistered("1002", "a.example")
    assert phones.changes() == {}
    assert phones.states[BEN] is S.FREE


def test_a_telephone_without_a_domain_is_reachable_in_any() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.registered("1001", "b.example")
    phones.unregistered("1001", "a.example")
    assert phones.states[ANNA] is S.FREE
    phones.unregistered("1001", "b.example")
    assert phones.states[ANNA] is S.UNREACHABLE


def test_it_rings_and_is_busy_and_is_free_again() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.changes()
    phones.call("u", "1001", "a.example", is_busy=False)
    assert phones.changes() == {ANNA: S.RINGING}
    phones.call("u", "1001", "a.example", is_busy=True)
    assert phones.changes() == {ANNA: S.BUSY}
    phones.hung_up("u")
    assert phones.changes() == {ANNA: S.FREE}


def test_early_media_behind_the_answer_makes_no_telephone_ring_again() -> None:
    phones = watched()
    phones.call("u", "1001", "a.example", is_busy=True)
    phones.call("u", "1001", "a.example", is_busy=False)
    assert phones.states[ANNA] is S.BUSY


def test_of_two_calls_each_counts_until_its_own_end() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.call("u", "1001", "a.example", is_busy=True)
    phones.call("v", "1001", "a.example", is_busy=False)
    assert phones.states[ANNA] is S.BUSY
    phones.hung_up("u")
    assert phones.states[ANNA] is S.RINGING
    phones.call("w", "1001", "a.example", is_busy=True)
    phones.hung_up("v")
    assert phones.states[ANNA] is S.BUSY
    phones.hung_up("w")
    assert phones.states[ANNA] is S.FREE


def test_who_loses_its_registration_while_talking_talks_on_and_is_unreachable_then() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.call("u", "1001", "a.example", is_busy=True)
    phones.changes()
    phones.unregistered("1001", "a.example")
    assert phones.changes() == {}
    phones.hung_up("u")
    assert phones.changes() == {ANNA: S.UNREACHABLE}


def test_a_call_in_another_domain_is_another_telephones() -> None:
    phones = watched()
    phones.call("u", "1002", "a.example", is_busy=True)
    assert phones.states[BEN] is S.UNREACHABLE
    phones.call("v", "1002", "b.example", is_busy=True)
    assert phones.states[BEN] is S.BUSY


def test_one_user_under_two_names_has_one_state() -> None:
    phones = watched(ANNA, "user/1001@a.example")
    phones.registered("1001", "a.example")
    phones.call("u", "1001", "a.example", is_busy=True)
    assert set(phones.changes().values()) == {S.BUSY}
    phones.hung_up("u")
    assert phones.changes() == {ANNA: S.FREE, "user/1001@a.example": S.FREE}


def test_an_address_that_is_no_user_counts_as_free() -> None:
    phones = watched("sofia/gateway/carrier/12025550123")
    assert phones.states == {"sofia/gateway/carrier/12025550123": S.FREE}


def test_strangers_are_not_told() -> None:
    phones = watched()
    phones.registered("1009", "a.example")
    phones.call("u", "1009", "a.example", is_busy=True)
    phones.hung_up("u")
    phones.hung_up("never heard of")
    phones.unregistered("1008", "a.example")
    assert phones.changes() == {}


def test_a_change_is_told_once_and_one_that_was_taken_back_never() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    assert phones.changes() == {ANNA: S.FREE}
    assert phones.changes() == {}
    phones.unregistered("1001", "a.example")
    phones.registered("1001", "a.example")
    assert phones.changes() == {}


def test_a_new_list_keeps_what_is_known_of_those_who_stay_and_forgets_the_others() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.call("u", "1001", "a.example", is_busy=True)
    phones.watch([ANNA, "user/1003"])
    assert phones.states == {ANNA: S.BUSY, "user/1003": S.UNREACHABLE}
    phones.watch(["user/1003"])
    phones.hung_up("u")
    assert list(phones.states) == ["user/1003"]
    assert set(phones.changes()) == {"user/1003"}


def test_who_was_registered_before_it_was_watched_is_reachable() -> None:
    phones = Phones()
    phones.registered("1001", "a.example")
    phones.watch([ANNA])
    assert phones.changes() == {ANNA: S.FREE}


def test_who_talked_before_it_was_watched_is_busy() -> None:
    """The core names the telephones only after the snapshot, and more of them with every new configuration."""
    phones = watched()
    phones.call("u", "1003", "a.example", is_busy=True)
    phones.call("v", "1003", "b.example", is_busy=False)
    phones.watch(["user/1003", "user/1003@b.example"])
    assert phones.changes() == {"user/1003": S.BUSY, "user/1003@b.example": S.RINGING}
    phones.hung_up("u")
    phones.hung_up("v")
    assert set(phones.changes().values()) == {S.UNREACHABLE}


def test_a_snapshot_begins_with_nobody_registered_and_nobody_talking() -> None:
    phones = watched()
    phones.registered("1001", "a.example")
    phones.call("u", "1001", "a.example", is_busy=True)
    phones.changes()
    phones.clear()
    assert phones.states == {ANNA: S.UNREACHABLE, BEN: S.UNREACHABLE}
    assert phones.changes() == {ANNA: S.UNREACHABLE}
    phones.hung_up("u")
    assert phones.states[ANNA] is S.UNREACHABLE


STEPS = st.lists(
    st.tuples(st.sampled_from(["reg", "unreg", "ring", "talk", "end"]), st.sampled_from("uvw")), max_size=30
)


@given(STEPS)
def test_in_any_order_the_state_is_that_of_the_live_calls_and_what_is_told_adds_up(
    steps: list[tuple[str, str]],
) -> None:
    phones, calls, is_there, told = watched(ANNA), dict[str, bool](), False, S.UNREACHABLE
    for step, uid in steps:
        match step:
            case "reg" | "unreg":
                is_there = step == "reg"
                (phones.registered if is_there else phones.unregistered)("1001", "a")
            case "end":
                calls.pop(uid, None)
                phones.hung_up(uid)
            case _:
                calls[uid] = calls.get(uid, False) or step == "talk"
                phones.call(uid, "1001", "a", is_busy=step == "talk")
        told = phones.changes().get(ANNA, told)
        there = S.FREE if is_there else S.UNREACHABLE
        wanted = S.BUSY if any(calls.values()) else S.RINGING if calls else there
        assert phones.states[ANNA] is told is wanted
