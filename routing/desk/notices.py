"""What a page tells at once, with a sound or a notification of the browser: a kind and the text for the reader."""

from __future__ import annotations

from routing.core.events import Event, EventType
from routing.desk.door import Person
from routing.desk.language import gettext as _

_T = EventType


def notice_of(event: Event, who: Person) -> dict[str, str] | None:
    """None for what makes no noise."""
    if event.type is _T.OFFER_RINGING and event.agent_id == who.agent_id:
        caller = str(event.values.get("ani") or "")
        return {"kind": "offer", "text": _("Incoming call") + (f" {caller}" if caller else "")}
    return None
