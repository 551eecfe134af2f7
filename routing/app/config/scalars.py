"""What a single value in the files may look like: ids, labels, numbers, prefixes, dial strings."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

ID_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
CAD_NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
PREFIX_PATTERN = r"^(\+|\+?[0-9*#]{1,15})$"
NUMBER_PATTERN = r"^\+?[0-9*#]{1,20}$"
KEY_PATTERN = r"^[0-9*#]$"
PIN_PATTERN = r"^[0-9]{3,12}$"
PHONE_PATTERN = r"^(\+?[0-9]{1,20}|[A-Za-z0-9_]{1,16}(/[A-Za-z0-9_.@:+-]{1,80}){1,4})$"
MAX_LEVEL = 10

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
CadName = Annotated[str, StringConstraints(pattern=CAD_NAME_PATTERN)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Level = Annotated[int, Field(ge=1, le=MAX_LEVEL)]
Rank = Annotated[int, Field(ge=1, le=99)]
Priority = Annotated[int, Field(ge=1, le=10)]
Phone = Annotated[str, StringConstraints(pattern=PHONE_PATTERN)]
# What these may be in detail depends on the kind of PBX: see dial_strings.
DialString = Annotated[str, StringConstraints(min_length=1, max_length=160)]
Extension = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Number = Annotated[str, StringConstraints(pattern=NUMBER_PATTERN)]
Prefix = Annotated[str, StringConstraints(pattern=PREFIX_PATTERN)]
Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
Pin = Annotated[str, StringConstraints(pattern=PIN_PATTERN)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")]
PlainText = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


def _ranked(value: Any) -> Any:
    """A list of queues is a table in which each has rank 1."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return dict.fromkeys(value, 1)
    return value


def _network(value: str) -> str:
    """Raises ValueError."""
    return str(ip_network(value))


Network = Annotated[str, AfterValidator(_network)]
Queues = Annotated[dict[Id, Rank], BeforeValidator(_ranked)]
Skills = dict[Id, Level]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)
