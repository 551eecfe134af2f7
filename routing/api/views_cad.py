"""CAD as an answer shows it: masked for whoever lacks the permission, with what a form needs to edit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.core import cad
from routing.core.config import Config
from routing.core.declarations import CadType, CadVariable
from routing.core.interaction import Interaction

# What an input of that type must look like, in the words of JSON Schema where it has one (CAD-10, CAD-13).
FORMATS = {
    CadType.INTEGER: "integer",
    CadType.DECIMAL: "decimal",
    CadType.BOOLEAN: "boolean",
    CadType.DATE: "date",
    CadType.DATETIME: "date-time",
}


def cad_view(config: Config, interaction: Interaction, *, may_see_secure: bool) -> dict[str, Any]:
    """The form of the first 30 in their order, and every value by name (CAD-03, 05, 13, A17)."""
    declared = config.cad_of(interaction.entry_point)
    values = interaction.cad if may_see_secure else cad.masked(declared, interaction.cad)
    return {
        "version": interaction.cad_version,
        "author": interaction.cad_author or None,
        "max_length": cad.MAX_CODE_POINTS,
        "form": [_row(variable, values) for variable in cad.shown(declared)],
        "variables": dict(values),
    }


def _row(variable: CadVariable, values: Mapping[str, str]) -> dict[str, Any]:
    return declaration(variable) | {"value": values.get(variable.name, "")}


def declaration(variable: CadVariable) -> dict[str, Any]:
    """A variable without a value."""
    return {
        "name": variable.name,
        "label": variable.label,
        "type": variable.type.value,
        "format": FORMATS.get(variable.type),
        "editable": variable.editable,
        "secure": variable.secure,
    }
