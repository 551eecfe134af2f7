"""The table of a queue, with what stands in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.prompt_models import Parts
from routing.app.config.scalars import CadName, Id, Key, Label, PlainText, Priority, Seconds, Skills, Table
from routing.core.config import AfterMiss, RonaCause, Strategy
from routing.core.treatment import OverflowCause, OverflowTo


class RelaxationTable(Table):
    """What is required after some waiting, instead of what was before."""

    after_s: Seconds = Field(description="Seconds of waiting")
    requires: Skills = Field(description="The whole requirement from then on; `{}` takes any agent of the queue")


class MissTable(Table):
    """What a failed offer does to the agent and the call."""

    then: Annotated[AfterMiss, Field(strict=False)] = Field(
        default=AfterMiss.RONA, description="State that the agent takes"
    )
    skip_s: int = Field(
        default=0, ge=0, le=86_400, description="How long this call skips that agent; 0: as long as it waits"
    )
    idle_reason: PlainText | None = Field(
        default=None, description='Reason of the idle state; only and always with `then = "idle"`'
    )


class WrapUpTable(Table):
    """Time after a call for the agent's notes."""

    timeout_s: int = Field(default=0, ge=0, le=86_400, description="Seconds; 0: no wrap-up")
    until_reason: bool = Field(default=False, description="No time limit: wrap-up lasts until the agent gives a reason")
    default_reason: PlainText | None = Field(default=None, description="Reason that is noted when the time is over")
    extension_s: Seconds = Field(default=60, description="Seconds that one extension adds")
    max_extensions: int = Field(default=3, ge=0, le=100, description="How often an agent may extend")

    @model_validator(mode="after")
    def _one_end(self) -> WrapUpTable:
        if self.until_reason and self.timeout_s:
            raise ValueError("until_reason has no time limit: leave timeout_s out")
        return self


class OverflowTable(Table):
    """Where a caller goes who leaves the queue, or presses a key in an announcement."""

    to: Annotated[OverflowTo, Field(strict=False)] = Field(default=OverflowTo.RETURN, description="What becomes of him")
    target: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None,
        description="Id of the queue or entry point, or the number; with `callback` and `voicemail` the queue that it "
        "belongs to, not given: this one",
    )
    prompts: Parts = Field(default_factory=list, description="What is played before a voicemail is recorded")

    @model_validator(mode="after")
    def _target(self) -> OverflowTable:
        if self.to in {OverflowTo.QUEUE, OverflowTo.ENTRY_POINT, OverflowTo.NUMBER} and not self.target:
            raise ValueError(f"target is required with to = {self.to.value!r}")
        if self.to is OverflowTo.RETURN and self.target is not None:
            raise ValueError("target has no meaning with to = 'return'")
        if self.to is not OverflowTo.VOICEMAIL and self.prompts:
            raise ValueError("prompts has no meaning without to = 'voicemail'")
        return self


class AnnouncementTable(Table):
    """What who waits hears."""

    prompts: Annotated[Parts, Field(min_length=1)] = Field(
        description='What is played: `["you_are_number", { number = "position" }]`'
    )
    after_s: int = Field(default=0, ge=0, le=86_400, description="Seconds of waiting before it is played first")
    every_s: int | None = Field(default=None, ge=5, le=86_400, description="Again every so many seconds; none: once")
    keys: dict[Key, OverflowTable] = Field(
        default_factory=dict, description='What a key does in it or after it: `{ 1 = { to = "callback" } }`'
    )
    timeout_s: int = Field(default=3, ge=0, le=30, description="Seconds after it in which keys still count")


class ServiceLevelTable(Table):
    """The aim of a queue: so many percent of calls answered within so many seconds."""

    percent: int = Field(default=80, ge=1, le=100, description="Percent of calls")
    within_s: int = Field(default=20, ge=1, le=3600, description="Seconds until an agent has answered")
    short_abandon_s: int = Field(
        default=5, ge=0, le=600, description="Who gives up within so many seconds does not count"
    )


class QueueTable(Table):
    """A queue; the table's name is its id."""

    label: Label | None = Field(default=None, description="Name for people; the id where it is not given")
    strategy: Annotated[Strategy, Field(strict=False)] = Field(
        default=Strategy.LONGEST_IDLE, description="Order of its eligible agents within a rank"
    )
    requires: Skills = Field(default_factory=dict, description="Skills with the minimum level that an agent needs")
    relaxation: list[RelaxationTable] = Field(default_factory=list, description="What is required later")
    priority: Priority = Field(default=5, description="Priority of its calls, 10 is served first")
    aging_per_min: float = Field(
        default=1.0, ge=0, le=1000, description="Points of priority that a minute of waiting is worth"
    )
    ring_timeout_s: int = Field(default=20, ge=1, le=300, description="Seconds that an agent's phone rings")
    on_miss: dict[Annotated[RonaCause, Field(strict=False)], MissTable] = Field(
        default_factory=dict, description="What a failed offer does, per cause"
    )
    wrap_up: WrapUpTable = Field(default_factory=WrapUpTable, description="Time after a call")
    max_talking: int | None = Field(default=None, ge=1, description="At most so many of its agents talk at once")
    max_wait_s: Seconds | None = Field(default=None, description="A caller leaves the queue after so long (`timeout`)")
    max_waiting: int | None = Field(default=None, ge=1, description="More callers are not taken (`full`)")
    leave_when_no_agents: bool = Field(
        default=False, description="Callers leave while no agent of it is signed in (`no_agents`)"
    )
    leave_when_no_skills: bool = Field(
        default=False,
        description="Callers leave while no agent with the skills is signed in, neither those required now nor later "
        "(`no_skills`)",
    )
    hours: Id | None = Field(default=None, description="Opening hours; outside of them callers leave (`closed`)")
    overflow: dict[Annotated[OverflowCause, Field(strict=False)], OverflowTable] = Field(
        default_factory=dict,
        description="Where they go that it does not take or keep, per cause; not given: back to the dialplan",
    )
    announcements: list[AnnouncementTable] = Field(
        default_factory=list, max_length=20, description="What who waits hears"
    )
    preferred_wait_s: int = Field(
        default=0,
        ge=0,
        le=3600,
        description="Seconds that a call waits for the agent it prefers; 0: a preference has no effect",
    )
    callback_after_abandon_s: int | None = Field(
        default=None, ge=0, le=86_400, description="Who gives up after so long or later is called back; none: nobody is"
    )
    service_level: ServiceLevelTable = Field(
        default_factory=ServiceLevelTable, description="Aim, which is measured and shown"
    )
    music: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2}[A-Za-z0-9_.-]{0,62}$")] = Field(
        default="default", description="Class of music on hold of the PBX"
    )
    offer_variables: list[CadName] = Field(default_factory=list, description="CAD variables that an offer shows")
    consult_variables: list[CadName] = Field(
        default_factory=list, max_length=6, description="CAD variables that a consult offer shows, at most 6"
    )
