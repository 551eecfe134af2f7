"""The table of a CAD variable: of the tenant, a flow or an entry point."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from routing.app.config.scalars import Label, Table
from routing.core.declarations import CadType


class CadTable(Table):
    """A variable of call-associated data; the table's name is its name, by which the dialplan hands it over."""

    label: Label | None = Field(default=None, description="Name for people; the variable's where it is not given")
    type: Annotated[CadType, Field(strict=False)] = Field(default=CadType.STRING, description="What a value must be")
    order: int = Field(default=0, ge=0, le=1_000_000, description="Place on the agent's form, lowest first")
    editable: bool = Field(default=True, description="Agents may change it")
    secure: bool = Field(default=False, description="Sensitive: masked in logs and events")
    shown: bool = Field(default=True, description="On the agent's form; the first 30 are")
