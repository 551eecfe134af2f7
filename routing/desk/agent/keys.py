"""Keys that do what a button does; the buttons show them, and a dialog lists them all."""

from __future__ import annotations

from dataclasses import dataclass

from routing.desk.language import noop


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A key presses what carries it as `data-key` and can be pressed now. What cannot be taken back needs Shift."""

    key: str
    label: str


SHORTCUTS = (
    Shortcut(key="a", label=noop("Available, or start work")),
    Shortcut(key="i", label=noop("Idle: choose a reason")),
    Shortcut(key="h", label=noop("Hold and resume the customer")),
    Shortcut(key="j", label=noop("Hold and resume the second party")),
    Shortcut(key="t", label=noop("Transfer")),
    Shortcut(key="c", label=noop("Consult")),
    Shortcut(key="f", label=noop("Conference")),
    Shortcut(key="shift+t", label=noop("Hand over to the second party")),
    Shortcut(key="shift+x", label=noop("End or leave the consult")),
    Shortcut(key="shift+e", label=noop("End or cancel the call")),
    Shortcut(key="p", label=noop("Pause and resume the recording")),
    Shortcut(key="r", label=noop("Play the message again")),
    Shortcut(key="d", label=noop("Keypad")),
    Shortcut(key="n", label=noop("Write a note")),
    Shortcut(key="shift+w", label=noop("Finish wrap-up")),
    Shortcut(key="m", label=noop("More time for wrap-up")),
    Shortcut(key="o", label=noop("Call a number")),
    Shortcut(key="g", label=noop("Get a record of a campaign")),
    Shortcut(key="y", label=noop("Call the contact of the record")),
    Shortcut(key="s", label=noop("Skip the record")),
    Shortcut(key="?", label=noop("This list")),
)
