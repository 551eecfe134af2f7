"""The form of a call's data: what the API says of each variable, and what somebody has typed over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from routing.desk.words_calls import cad_author

VALUE, BEFORE = "cad.", "was."  # prefixes of the fields' names in the form


@dataclass(frozen=True, slots=True, kw_only=True)
class CadRow:
    """`value`: what the field shows; `saved`: what the server has. `error`: what is wrong with the value.
    `yours`: what he had typed where somebody else's value has come first; None: nothing is lost.
    """

    name: str
    label: str
    type: str
    is_editable: bool
    is_secure: bool
    value: str
    saved: str
    error: str = ""
    yours: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CadForm:
    """`author` in words; `is_late`: somebody else has saved first."""

    call_id: str
    version: int
    author: str
    max_length: int
    rows: tuple[CadRow, ...]
    is_late: bool = False

    @property
    def id(self) -> str:
        return f"cad-{self.call_id}"

    @property
    def is_editable(self) -> bool:
        return any(row.is_editable for row in self.rows)

    @classmethod
    def of(cls, call_id: str, cad: Mapping[str, Any], names: Mapping[str, str]) -> CadForm:
        """As the API shows it (`CadOut`); `names`: of agents, by id."""
        rows = tuple(
            CadRow(
                name=row["name"],
                label=row["label"],
                type=row["type"],
                is_editable=row["editable"],
                is_secure=row["secure"],
                value=row["value"],
                saved=row["value"],
            )
            for row in cad["form"]
        )
        return cls(
            call_id=call_id,
            version=cad["version"],
            author=cad_author(cad["author"] or "", names),
            max_length=cad["max_length"],
            rows=rows,
        )

    def with_errors(self, typed: Typed, errors: Mapping[str, str]) -> CadForm:
        """What he typed, with what is wrong; the version stays that on which it is based."""
        rows = tuple(_as_typed(row, typed, errors.get(row.name, "")) for row in self.rows)
        return replace(self, rows=rows, version=typed.version)

    def after_conflict(self, typed: Typed) -> CadForm:
        """The winner's values; of what he typed only what the winner has left as it was (CAD-11, CAD-12)."""
        return replace(self, rows=tuple(_settled(row, typed) for row in self.rows), is_late=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a form brought: `values` and what they were `before`, by name, and the `version` that was shown."""

    version: int
    values: Mapping[str, str]
    before: Mapping[str, str]

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Typed:
        """Raises ValueError for a version that is no number."""
        values, before = _named(sent, VALUE), _named(sent, BEFORE)
        return cls(version=int(sent.get("version", "")), values=values, before=before)

    @property
    def changes(self) -> dict[str, str]:
        return {name: value for name, value in self.values.items() if value != self.before.get(name)}


def _named(sent: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Browsers send every line end as CR and LF."""
    return {
        name.removeprefix(prefix): value.replace("\r\n", "\n")
        for name, value in sent.items()
        if name.startswith(prefix)
    }


def _as_typed(row: CadRow, typed: Typed, error: str) -> CadRow:
    if not row.is_editable:
        return replace(row, error=error)
    value, saved = typed.values.get(row.name, row.value), typed.before.get(row.name, row.saved)
    return replace(row, value=value, saved=saved, error=error)


def _settled(row: CadRow, typed: Typed) -> CadRow:
    mine = typed.changes.get(row.name)
    if mine is None or mine == row.saved:
        return row
    if row.saved == typed.before.get(row.name):
        return replace(row, value=mine)
    return replace(row, yours=mine)
