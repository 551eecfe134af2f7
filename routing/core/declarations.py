"""What both flows and the configuration around them declare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Skill name and minimum level 1-10, sorted by name: hashable, so that calls can wait by class of requirement.
Requirement = tuple[tuple[str, int], ...]


class CadType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class CadVariable:
    """Declaration of one CAD variable (CAD-02). `order`: place on the agent's form, lowest first."""

    name: str
    label: str
    type: CadType = CadType.STRING
    order: int = 0
    editable: bool = True
    secure: bool = False
    shown: bool = True
