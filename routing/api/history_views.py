"""Rows of the history as an answer shows them: times as RFC 3339, secure CAD masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from routing.api.times import rfc3339
from routing.core.cad import MASK
from routing.core.config import Config
from routing.store.sql.audit import AuditEntry
from routing.store.sql.history import AgentCall, Summary
from routing.store.sql.interaction_history import CadVersion, LegRow, OfferRow, Record, RecordingRow

T = TypeVar("T")
_COMMON = ("kind", "customer_number", "ani", "ani_name", "dnis", "queue")
_TARGETS = ("to_agent", "to_queue", "to_entry_point", "to_number")


def timed(row: Any) -> dict[str, Any]:
    """A row's fields, with every `..._at_ms` as `..._at`."""
    shown = {name: value for name, value in asdict(row).items() if not is_time(name)}
    return shown | {name.removesuffix("_ms"): rfc3339(getattr(row, name)) for name in asdict(row) if is_time(name)}


def is_time(name: str) -> bool:
    return name == "at_ms" or name.endswith("_at_ms")


def agent_call_view(agent_id: str, call: AgentCall) -> dict[str, Any]:
    """`HistoryItemOut`, of an agent's list."""
    own = {"agent_id": agent_id, "role": call.role, "reason": call.reason, "result": call.result}
    clock = {"at": rfc3339(call.joined_at_ms), "left_at": rfc3339(call.left_at_ms)}
    return {"interaction_id": call.interaction_id} | {name: getattr(call, name) for name in _COMMON} | own | clock


def summary_view(call: Summary) -> dict[str, Any]:
    """`HistoryItemOut`, of a list that is nobody's own."""
    own = {"agent_id": call.last_agent, "role": None, "reason": None, "result": call.result}
    clock = {"at": rfc3339(call.entered_at_ms), "left_at": rfc3339(call.ended_at_ms)}
    return {"interaction_id": call.id} | {name: getattr(call, name) or "" for name in _COMMON} | own | clock


def record_view(record: Record, transfers: tuple[AuditEntry, ...], config: Config) -> dict[str, Any]:
    """`HistoryOut`."""
    secure = secure_names(config)
    head = timed(record.interaction)
    return head | {
        "kind": record.interaction.kind or "",
        "cad": masked(secure, record.interaction.cad),
        "legs": [_leg(row) for row in known(record.legs, "joined_at_ms")],
        "offers": [_offer(row) for row in known(record.offers, "offered_at_ms")],
        "holds": [timed(row) for row in record.holds],
        "recordings": [recording_view(record.interaction.id, row) for row in record.recordings],
        "cad_versions": [cad_version_view(row, secure) for row in record.cad_versions],
        "wrap_ups": [timed(row) for row in record.wrap_ups],
        "notes": [timed(row) for row in record.notes],
        "digits": [timed(row) for row in record.digits],
        "transfers": [_transfer(entry) for entry in transfers],
    }


def known(rows: Iterable[T], begin: str) -> list[T]:
    """Those whose begin was recorded. Events can be lost; an end alone tells nothing."""
    return [row for row in rows if getattr(row, begin) is not None]


def _leg(row: LegRow) -> dict[str, Any]:
    return timed(row) | {"role": row.role or ""}


def _offer(row: OfferRow) -> dict[str, Any]:
    return {name: value for name, value in timed(row).items() if name != "leg_id"}


def recording_view(interaction_id: str, row: RecordingRow) -> dict[str, Any]:
    """`RecordingMetadataOut`."""
    told = {name: value for name, value in timed(row).items() if name not in ("file", "marks")}
    marks = [timed(mark) | {"by": mark.by or "", "how": mark.how or ""} for mark in row.marks]
    return told | {"id": row.file, "interaction_id": interaction_id, "marks": marks}


def cad_version_view(row: CadVersion, secure: frozenset[str]) -> dict[str, Any]:
    return timed(row) | {"author": row.author or "", "changes": masked(secure, row.changes or {})}


def secure_names(config: Config) -> frozenset[str]:
    """Variables that are secure now, of whatever entry point: also what was saved before they became so."""
    declared = (*config.cad, *(v for entry in config.entry_points.values() for v in entry.cad))
    return frozenset(v.name for v in declared if v.secure)


def masked(secure: frozenset[str], values: Mapping[str, str]) -> dict[str, str]:
    """The history holds masks already (CAD-05); this is for what was not secure when it was saved."""
    return {name: MASK if name in secure and value else value for name, value in values.items()}


def _transfer(entry: AuditEntry) -> dict[str, Any]:
    details = entry.details or {}
    about = {"at": rfc3339(entry.at_ms), "by": entry.actor, "agent_id": entry.agent_id, "outcome": entry.outcome}
    return about | {name: details.get(name) for name in _TARGETS}
