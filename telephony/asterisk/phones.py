"""States of the watched telephones (ROUTE-15). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from routing.core.facts import PhoneState

# Device states as DeviceStateChange and DeviceStateList write them; DEVICE_STATE() writes some of them the same way.
BY_DEVICE_STATE: dict[str, PhoneState] = {
    "NOT_INUSE": PhoneState.FREE,
    "RINGING": PhoneState.RINGING,
    "INUSE": PhoneState.BUSY,
    "BUSY": PhoneState.BUSY,
    "ONHOLD": PhoneState.BUSY,
    "RINGINUSE": PhoneState.BUSY,
    "UNAVAILABLE": PhoneState.UNREACHABLE,
    "INVALID": PhoneState.UNREACHABLE,
    "UNKNOWN": PhoneState.UNKNOWN,
}


class Phones:
    """Only watched phones have a state here; the list survives a lost link."""

    def __init__(self) -> None:
        self._states: dict[str, PhoneState] = {}

    @property
    def states(self) -> dict[str, PhoneState]:
        return dict(self._states)

    def watch(self, phones: Iterable[str]) -> None:
        """The complete new list; a phone that was watched before keeps its state."""
        self._states = {phone: self._states.get(phone, PhoneState.UNKNOWN) for phone in phones}

    def take(self, device: str, state: str) -> PhoneState | None:
        """The new state, or None when nothing has changed or nobody watches."""
        if device not in self._states:
            return None
        new = BY_DEVICE_STATE.get(state, PhoneState.UNKNOWN)
        if self._states[device] is new:
            return None
        self._states[device] = new
        return new
