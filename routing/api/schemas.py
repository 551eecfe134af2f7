"""What requests are parsed into. Unknown members are refused, and nothing is taken for what it is not."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

At = Annotated[str, Field(description="RFC 3339, UTC", examples=["2026-11-21T14:30:00.123Z"])]

_SCHEMAS: dict[Hashable, dict[str, Any]] = {}


class Described(BaseModel):
    """Base of everything that the document of the API describes."""

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """As pydantic's, made once: flask-openapi3 asks for it with every route that names it, and every request."""
        key = (cls, arguments, tuple(sorted(options.items())))
        if key not in _SCHEMAS:
            _SCHEMAS[key] = super().model_json_schema(*arguments, **options)
        return _SCHEMAS[key]


class Body(Described):
    """Base of JSON bodies: strict, so that `"1"` is no number and 1 is no text. An empty body is `{}`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def model_validate(cls, obj: Any, **_options: Any) -> Self:
        """As JSON, where a strict model still takes text for enums and times."""
        return cls.model_validate_json(json.dumps(obj))


class Path(Described):
    """Base of parameters in the path. Examples: `json_schema_extra={"example": ...}`."""

    model_config = ConfigDict(extra="forbid")


class Query(Described):
    """Base of parameters behind the question mark; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Of every list; see `routing.api.pagination`."""

    cursor: str = Field(default="", max_length=2000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Most items in the answer")


class Out(Described):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")
