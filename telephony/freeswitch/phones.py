"""States of the watched telephones (ROUTE-15), from registrations and from the channels of each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from routing.core.facts import PhoneState

_USER = re.compile(r"user/([^@/]+)(?:@(.+))?")


@dataclass(slots=True)
class _Phone:
    """`calls`: its channels, True where somebody talks or dials, False where it only rings."""

    user: str
    domain: str
    calls: dict[str, bool] = field(default_factory=dict)
    told: PhoneState = PhoneState.UNKNOWN


class Phones:
    """Only watched phones have a state here; the list survives a lost link.

    A phone is named `user/NUMBER` or `user/NUMBER@DOMAIN`, and is reachable while somebody is registered as that user.
    Another dial string names a thing that FreeSWITCH tells no state of: it counts as free while no channel of ours is
    there.
    """

    def __init__(self) -> None:
        self._phones: dict[str, _Phone] = {}
        self._by_user: dict[str, list[str]] = {}
        self._registered: dict[str, set[str]] = {}
        self._channels: dict[str, list[str]] = {}
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
        self._channels.clear()
        for phone in self._phones.values():
            phone.calls.clear()
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
        names = [name for name in self._by_user.get(user, ()) if self._phones[name].domain in ("", domain)]
        self._channels[uid] = names
        self._touched.update(names)
        for name in names:
            self._phones[name].calls[uid] = is_busy or self._phones[name].calls.get(uid, False)

    def hung_up(self, uid: str) -> None:
        for name in self._channels.pop(uid, ()):
            self._touched.add(name)
            if name in self._phones:
                self._phones[name].calls.pop(uid, None)

    def changes(self) -> dict[str, PhoneState]:
        """Phones whose state is another one than when this was asked last."""
        touched, self._touched = self._touched, set()
        states = {name: self._state(self._phones[name]) for name in sorted(touched) if name in self._phones}
        changed = {name: state for name, state in states.items() if self._phones[name].told is not state}
        for name, state in changed.items():
            self._phones[name].told = state
        return changed

    def _state(self, phone: _Phone) -> PhoneState:
        if any(phone.calls.values()):
            return PhoneState.BUSY
        if phone.calls:
            return PhoneState.RINGING
        if not phone.user:
            return PhoneState.FREE
        domains = self._registered.get(phone.user, set())
        is_there = phone.domain in domains if phone.domain else bool(domains)
        return PhoneState.FREE if is_there else PhoneState.UNREACHABLE


def _parsed(name: str) -> _Phone:
    found = _USER.fullmatch(name)
    return _Phone(found.group(1), found.group(2) or "") if found else _Phone("", "")
