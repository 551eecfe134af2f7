"""The table of supervisors, who hear live calls."""

from __future__ import annotations

from pydantic import Field

from routing.app.config.scalars import Extension, Id, Label, Phone, Table


class SupervisorTable(Table):
    """Who may listen to live calls, and at which telephone; the table's name is his id, and that of his user."""

    name: Label = Field(description="Name for people")
    phone: Phone = Field(
        description="His telephone, written as an agent's. Where it is an agent's, he listens as that agent, who is "
        "offered nothing meanwhile"
    )
    extension: Extension | None = Field(
        default=None, description="Number by which other PBXs dial it (`trunks`); not given: the one in `phone`"
    )
    pbx: Id | None = Field(default=None, description="PBX of his telephone; may be left out where there is only one")
    teams: list[Id] = Field(
        default_factory=list, description="He hears calls of their agents alone; none given: everybody's"
    )
