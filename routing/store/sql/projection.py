"""Events as rows of the history. Pure: the same events give the same rows, however often and in whatever portions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.core.config import Numbers
from routing.core.events import Event, EventType
from routing.core.interaction import OfferPurpose, Role
from routing.store.port import StoredEvent, Undecodable
from routing.store.sql import history_tables as tables
from routing.store.sql.access_tables import audit
from routing.store.sql.history import customer_of
from routing.store.sql.report_steps import put_steps, refused_id
from routing.store.sql.rows import BadValue, Rows
from routing.store.sql.search import lookup_number

_FIRST_WINS = (
    "interactions.entered_at_ms",
    "interactions.first_agent",
    "interactions.answered_at_ms",
    "interactions.bridged_at_ms",
    "legs.joined_at_ms",
    "recordings.started_at_ms",
)


class Projection:
    """Collects the rows of one portion of events. `rules`: how numbers are written in this tenant's country."""

    def __init__(self, tenant: str, rules: Numbers, now_ms: int) -> None:
        self.rows = Rows(_FIRST_WINS)
        self._tenant, self._rules, self._now_ms = tenant, rules, now_ms

    def add(self, stored: StoredEvent) -> str:
        """Take one event in. What cannot be recorded is kept as it came; then returns why, else an empty text."""
        event = stored.event
        if isinstance(event, Undecodable):
            return self.keep(stored, event.type, event.reason)
        write = _WRITERS.get(event.type)
        try:
            if write is not None:
                write(self, stored.position, event)
            put_steps(self.rows, self._tenant, stored.position, event)
        except (BadValue, KeyError, TypeError, AttributeError) as error:
            return self.keep(stored, event.type.value, f"{type(error).__name__}: {error}")
        return ""

    def keep(self, stored: StoredEvent, type_: str, reason: str) -> str:
        """Write the event down as it came; the reason again."""
        event = stored.event
        body = event.data.decode("utf-8", "replace") if isinstance(event, Undecodable) else str(event)
        what = {"type": type_, "body": body, "reason": reason, "at_ms": self._now_ms}
        self.rows.put(tables.unread_events, tenant=self._tenant, position=stored.position, **what)
        return reason

    # ------------------------------------------------------------------ the interaction itself

    def put(self, table: Any, **values: Any) -> None:
        self.rows.put(table, tenant=self._tenant, **values)

    def _interaction(self, event: Event, **values: Any) -> None:
        self.put(tables.interactions, id=event.interaction_id, **values)

    def arrived(self, _position: str, event: Event) -> None:
        """Also an outdial, which has no leg of the customer yet."""
        values = event.values
        # Events of servers that knew no outdial do not tell the kind.
        kind = str(values.get("kind") or ("outdial" if event.type is EventType.OUTDIAL_STARTED else "inbound"))
        number = customer_of(kind, str(values.get("ani") or ""), str(values.get("dnis") or ""))
        name = values.get("ani_name") or values.get("name")
        told = {key: values.get(key) for key in ("pbx", "ani", "dnis", "entry_point")}
        self._interaction(
            event,
            **told,
            kind=kind,
            ani_name=name,
            queue=event.queue,
            entered_at_ms=event.at_ms,
            customer_number=lookup_number(number, self._rules),
        )
        if leg_id := values.get("leg_id"):
            self._leg(event, leg_id, role="customer", number=number, joined_at_ms=event.at_ms)
        if "cad" in values:
            self._cad(event, values["cad"], 1, "")

    def attempted(self, _position: str, event: Event) -> None:
        """A campaign's call is one from its dialing on; a preview that was not dialed is none."""
        values = event.values
        self._interaction(
            event,
            kind="campaign",
            queue=event.queue or None,
            ani=values.get("ani"),
            dnis=values.get("number"),
            entered_at_ms=event.at_ms,
            customer_number=lookup_number(str(values.get("number") or ""), self._rules),
        )

    def queued(self, _position: str, event: Event) -> None:
        self._interaction(event, queue=event.queue)

    def connected(self, _position: str, event: Event) -> None:
        self._interaction(event, answered_at_ms=event.at_ms)

    def bridged(self, _position: str, event: Event) -> None:
        self._interaction(event, bridged_at_ms=event.at_ms)

    def transferred(self, _position: str, event: Event) -> None:
        self._interaction(event, queue=event.queue, entry_point=event.values.get("to_entry_point"))

    def ended(self, position: str, event: Event) -> None:
        values = event.values
        names = ("kind", "result", "ended_by", "waited_ms", "talked_ms", "held_ms")
        told = {name: values.get(name) for name in names}
        if event.interaction_id:
            self._interaction(event, ended_at_ms=event.at_ms, **told)
            if leg_id := values.get("leg_id"):
                self._leg(event, leg_id, left_at_ms=event.at_ms)
            return
        # Not let in at all: it never was an interaction, but somebody did call.
        told |= {"ani": values.get("ani"), "dnis": values.get("dnis"), "queue": event.queue, "kind": "inbound"}
        number = lookup_number(str(values.get("ani") or ""), self._rules)
        clock = {"entered_at_ms": event.at_ms, "ended_at_ms": event.at_ms}
        self.put(tables.interactions, id=refused_id(position), customer_number=number, **told, **clock)

    # ------------------------------------------------------------------ parties, offers, holds

    def _leg(self, event: Event, leg_id: object, **values: Any) -> None:
        self.put(tables.legs, id=leg_id, interaction_id=event.interaction_id, **values)

    def joined(self, _position: str, event: Event) -> None:
        values = event.values
        about = {"role": values["role"], "number": values.get("number"), "agent_id": event.agent_id or None}
        self._leg(event, values["leg_id"], joined_at_ms=event.at_ms, **about)
        self._owner(event)

    def role_changed(self, _position: str, event: Event) -> None:
        self._leg(event, event.values["leg_id"], role=event.values["role"])
        self._owner(event)

    def left(self, _position: str, event: Event) -> None:
        self._leg(event, event.values["leg_id"], left_at_ms=event.at_ms)

    def _owner(self, event: Event) -> None:
        if event.agent_id and event.values["role"] == Role.OWNER.value:
            self._interaction(event, first_agent=event.agent_id, last_agent=event.agent_id)

    def _offer(self, event: Event, **clocks: Any) -> None:
        values = event.values
        if values.get("purpose") == OfferPurpose.SEAT.value:
            return  # he waits for a campaign's contacts: no call yet
        about = {name: values.get(name) for name in ("leg_id", "purpose", "number")}
        about |= {"agent_id": event.agent_id or None, "queue": event.queue or None}
        self.put(tables.offers, id=values["offer_id"], interaction_id=event.interaction_id, **about, **clocks)

    def offered(self, _position: str, event: Event) -> None:
        self._offer(event, offered_at_ms=event.at_ms)

    def ringing(self, _position: str, event: Event) -> None:
        self._offer(event, ringing_at_ms=event.at_ms)

    def offer_ended(self, _position: str, event: Event) -> None:
        outcome = event.values.get("end") or event.values.get("outcome")
        self._offer(event, ended_at_ms=event.at_ms, outcome=outcome)

    def held(self, _position: str, event: Event) -> None:
        self.put(tables.holds, interaction_id=event.interaction_id, held_at_ms=event.values["held_at_ms"])

    def resumed(self, _position: str, event: Event) -> None:
        held_at_ms = event.values["held_at_ms"]
        about = {"held_at_ms": held_at_ms, "resumed_at_ms": event.at_ms}
        self.put(tables.holds, interaction_id=event.interaction_id, **about)

    # ------------------------------------------------------------------ recordings

    def _recording(self, event: Event, **clocks: Any) -> None:
        about = {"interaction_id": event.interaction_id, "agent_id": event.agent_id or None}
        self.put(tables.recordings, file=event.values["file"], **about, **clocks)

    def recording_started(self, _position: str, event: Event) -> None:
        self._recording(event, started_at_ms=event.at_ms, leg_id=event.values.get("leg_id"))

    def recording_confirmed(self, _position: str, event: Event) -> None:
        """Also of a consulted agent, whose file may hold nothing but silence: it has to be deleted one day, too."""
        self._recording(event, leg_id=event.values.get("leg_id"))

    def recording_stopped(self, _position: str, event: Event) -> None:
        self._recording(event, stopped_at_ms=event.at_ms)

    def message_left(self, _position: str, event: Event) -> None:
        """A voicemail is a recording, too: kept, heard and deleted as those of agents."""
        said_ms: Any = event.values["duration_ms"]
        self._recording(event, started_at_ms=event.at_ms - said_ms, stopped_at_ms=event.at_ms)

    def recording_marked(self, position: str, event: Event) -> None:
        """Who paused or resumed it, when, by hand or by the server: here and in the audit (REC-08)."""
        kind, values = event.type.value.removeprefix("recording."), event.values
        about = {"interaction_id": event.interaction_id, "at_ms": event.at_ms}
        mark = {"file": values["file"], "kind": kind, "by": values.get("by"), "how": values.get("how")}
        self.put(tables.recording_marks, **about, **mark)
        details = {"how": values.get("how"), "file": values["file"]}
        actor = {"actor": values.get("by"), "action": event.type.value, "agent_id": event.agent_id}
        self.put(audit, id=f"evt_{position}", **about, **actor, outcome="ok", subject="", details=details)

    # ------------------------------------------------------------------ what people did

    def cad_changed(self, _position: str, event: Event) -> None:
        author = event.values.get("author") or event.agent_id
        self._cad(event, event.values["cad"], event.values["cad_version"], author)

    def _cad(self, event: Event, changes: object, version: object, author: object) -> None:
        about = {"interaction_id": event.interaction_id, "at_ms": event.at_ms}
        self.put(tables.cad_versions, **about, version=version, author=author, changes=changes)

    def _wrap_up(self, event: Event, **values: Any) -> None:
        about = {"interaction_id": event.interaction_id, "agent_id": event.agent_id, "queue": event.queue or None}
        self.put(tables.wrap_ups, leg_id=event.values["leg_id"], **about, **values)

    def wrap_up_started(self, _position: str, event: Event) -> None:
        self._wrap_up(event, started_at_ms=event.at_ms)

    def wrap_up_ended(self, _position: str, event: Event) -> None:
        self._wrap_up(event, ended_at_ms=event.at_ms, reason=event.values.get("reason"), by=event.values.get("by"))

    def noted(self, _position: str, event: Event) -> None:
        about = {"id": event.values["note_id"], "interaction_id": event.interaction_id, "at_ms": event.at_ms}
        author = event.values.get("author") or event.agent_id
        self.put(tables.notes, **about, author=author, text=event.values["text"])

    def digits_sent(self, _position: str, event: Event) -> None:
        about = {"id": event.values["command_id"], "interaction_id": event.interaction_id, "at_ms": event.at_ms}
        self.put(tables.digits, **about, agent_id=event.agent_id, digits=event.values["digits"])

    def ordered(self, position: str, event: Event) -> None:
        values = dict(event.values)
        actor, order, code = (values.pop(name) for name in ("actor", "order", "code"))
        about = {"interaction_id": event.interaction_id, "agent_id": event.agent_id, "at_ms": event.at_ms}
        what = {"actor": actor, "action": order, "outcome": code, "subject": "", "details": values}
        self.put(audit, id=f"evt_{position}", **about, **what)


_T, _P = EventType, Projection

_WRITERS: dict[EventType, Callable[[Projection, str, Event], None]] = {
    _T.INTERACTION_ARRIVED: _P.arrived,
    _T.OUTDIAL_STARTED: _P.arrived,
    _T.ATTEMPT_STARTED: _P.attempted,
    _T.INTERACTION_QUEUED: _P.queued,
    _T.INTERACTION_CONNECTED: _P.connected,
    _T.INTERACTION_BRIDGED: _P.bridged,
    _T.INTERACTION_TRANSFERRED: _P.transferred,
    _T.INTERACTION_ENDED: _P.ended,
    _T.PARTY_JOINED: _P.joined,
    _T.PARTY_ROLE_CHANGED: _P.role_changed,
    _T.PARTY_LEFT: _P.left,
    _T.OFFER_RESERVED: _P.offered,
    _T.OFFER_RINGING: _P.ringing,
    _T.OFFER_ENDED: _P.offer_ended,
    _T.DIAL_STARTED: _P.offered,
    _T.DIAL_RINGING: _P.ringing,
    _T.DIAL_ENDED: _P.offer_ended,
    _T.HOLD_STARTED: _P.held,
    _T.HOLD_ENDED: _P.resumed,
    _T.VOICEMAIL_LEFT: _P.message_left,
    _T.RECORDING_STARTED: _P.recording_started,
    _T.RECORDING_CONFIRMED: _P.recording_confirmed,
    _T.RECORDING_PAUSED: _P.recording_marked,
    _T.RECORDING_RESUMED: _P.recording_marked,
    _T.RECORDING_STOPPED: _P.recording_stopped,
    _T.CAD_CHANGED: _P.cad_changed,
    _T.WRAP_UP_STARTED: _P.wrap_up_started,
    _T.WRAP_UP_ENDED: _P.wrap_up_ended,
    _T.NOTE_ADDED: _P.noted,
    _T.DIGITS_SENT: _P.digits_sent,
    _T.ORDER_OBEYED: _P.ordered,
    _T.ORDER_REFUSED: _P.ordered,
}
