"""States of the watched telephones (ROUTE-15), from registrations and from the channels of each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from routing.core.facts import PhoneState

_USER = re.compile(r"user/([^@/]+)(?:@(.+))?")


@dataclass(slots=True)
class _Phone:
    user: str
    domain: str
    told: PhoneState = PhoneState.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Call:
    """One channel. `is_busy`: somebody talks or dials there; else it only rings."""

    domain: str
    is_busy: bool


class Phones:
    """Only watched phones have a state here; the list survives a lost link. Who is registered and who talks is known of
    everybody: a phone may be watched only later.

    A phone is named `user/NUMBER` or `user/NUMBER@DOMAIN`, and is reachable while somebody is registered as that user.
    Another dial string names a thing that FreeSWITCH tells no state of: it counts as free while no channel of ours is
    there.
    """

    def __init__(self) -> None:
        self._phones: dict[str, _Phone] = {}
        self._by_user: dict[str, list[str]] = {}
        self._registered: dict[str, set[str]] = {}
        self._calls: dict[str, dict[str, _Call]] = {}  # by user and channel
        self._users: dict[str, str] = {}  # by channel
        self._touched: set[str] = set()

    @property
    def states(self) -> dict[str, PhoneState]:
        return {name: self._state(phone) for name, phone in self._phones.items()}

    def watch(self, names: Iterable[str]) -> None:
        """The complete new list."""
        self._phones = {name: self._phones.get(name) or _parsed(name) for name in names}
        self._by_user = {}
        for name, phone in self._phones.items():
            self._by_user.setdefault(phone.user, []).append(name)
        self._touched = set(self._phones)

    def clear(self) -> None:
        """A snapshot follows: who is registered and who talks."""
        self._registered.clear()
        self._calls.clear()
        self._users.clear()
        self._touched = set(self._phones)

    # ------------------------------------------------------------------ what happens

    def registered(self, user: str, domain: str) -> None:
        self._registered.setdefault(user, set()).add(domain)
        self._touched.update(self._by_user.get(user, ()))

    def unregistered(self, user: str, domain: str) -> None:
        self._registered.get(user, set()).discard(domain)
        self._touched.update(self._by_user.get(user, ()))

    def call(self, uid: str, user: str, domain: str, *, is_busy: bool) -> None:
        """A channel of that user: he talks or dials (`is_busy`), or it rings there."""
        calls = self._calls.setdefault(user, {})
        was_busy = uid in calls and calls[uid].is_busy
        calls[uid] = _Call(domain, is_busy or was_busy)
        self._users[uid] = user
        self._touched.update(self._by_user.get(user, ()))

    def hung_up(self, uid: str) -> None:
        user = self._users.pop(uid, "")
        self._touched.update(self._by_user.get(user, ()))
        calls = self._calls.get(user, {})
        calls.pop(uid, None)
        if not calls:
            self._calls.pop(user, None)

    def named(self, phone: str, domain: str) -> str:
        """The watched name of the telephone `user/NUMBER` in that domain; the same where none is watched."""
        user = _parsed(phone).user
        names = (name for name in self._by_user.get(user, ()) if self._phones[name].domain in ("", domain))
        return next(names, phone) if user else phone

    def changes(self) -> dict[str, PhoneState]:
        """Phones whose state is another one than when this was asked last."""
        touched, self._touched = self._touched, set()
        states = {name: self._state(self._phones[name]) for name in sorted(touched) if name in self._phones}
        changed = {name: state for name, state in states.items() if self._phones[name].told is not state}
        for name, state in changed.items():
            self._phones[name].told = state
        return changed

    def _state(self, phone: _Phone) -> PhoneState:
        calls = [c for c in self._calls.get(phone.user, {}).values() if phone.domain in ("", c.domain)]
        if calls:
            return PhoneState.BUSY if any(call.is_busy for call in calls) else PhoneState.RINGING
        if not phone.user:
            return PhoneState.FREE
        domains = self._registered.get(phone.user, set())
        is_there = phone.domain in domains if phone.domain else bool(domains)
        return PhoneState.FREE if is_there else PhoneState.UNREACHABLE


def _parsed(name: str) -> _Phone:
    found = _USER.fullmatch(name)
    return _Phone(found.group(1), found.group(2) or "") if found else _Phone("", "")
