"""What requests are parsed into. Unknown members are refused, and nothing is taken for what it is not."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

At = Annotated[str, Field(description="RFC 3339, UTC", examples=["2026-11-21T14:30:00.123Z"])]

_SCHEMAS: dict[type[BaseModel], dict[str, Any]] = {}


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

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """As pydantic's. Without options it is made once: flask-openapi3 asks for it with every request."""
        if arguments or options:
            return super().model_json_schema(*arguments, **options)
        if cls not in _SCHEMAS:
            _SCHEMAS[cls] = super().model_json_schema()
        return _SCHEMAS[cls]


class PageQuery(Query):
    """Of every list; see `routing.api.pagination`."""

    cursor: str = Field(default="", max_length=2000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Most items in the answer")


class Out(BaseModel):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")
