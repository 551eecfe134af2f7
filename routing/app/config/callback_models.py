"""The table of courtesy callbacks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from routing.app.config.call_models import DialTable
from routing.app.config.scalars import Id, Seconds, Table


class CallbacksTable(Table):
    """Callbacks to callers who did not want to wait. Without `dial.allowed` nobody is called back."""

    max_attempts: int = Field(default=3, ge=1, le=20, description="How often a customer is dialed at most")
    retry_s: Annotated[list[Seconds], Field(min_length=1, max_length=20)] = Field(
        default=[300, 900, 3600], description="Seconds until the next attempt, after each; the last one repeats"
    )
    expire_s: int = Field(
        default=86_400, ge=60, le=604_800, description="Seconds after the request when a callback is given up"
    )
    hours: Id | None = Field(default=None, description="Hours within which customers are dialed; none: at any time")
    dial: DialTable = Field(
        default_factory=DialTable, description="Numbers that may be called back: a caller's number is a stranger's word"
    )
    ani: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{2,15})?$")] = Field(
        default="", description="Number that the customer sees; empty: the one he had called, where it is known"
    )
    ring_timeout_s: int = Field(default=30, ge=15, le=300, description="Seconds that the customer is rung")
    retry_unchecked_s: Seconds = Field(
        default=30, description="Seconds until it is asked again whether a number may be called, if nobody could say"
    )
