"""What requests are parsed into. Unknown members are refused, and nothing is taken for what it is not."""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """Base of JSON bodies: strict, so that `"1"` is no number and 1 is no text. An empty body is `{}`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def model_validate(cls, obj: Any, **_options: Any) -> Self:
        """As JSON, where a strict model still takes text for enums and times."""
        return cls.model_validate_json(json.dumps(obj))


class Path(BaseModel):
    """Base of parameters in the path. Examples: `json_schema_extra={"example": ...}`."""

    model_config = ConfigDict(extra="forbid")


class Query(BaseModel):
    """Base of parameters behind the question mark; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Of every list; see `routing.api.pagination`."""

    cursor: str = Field(default="", max_length=2000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Most items in the answer")


class Out(BaseModel):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")
