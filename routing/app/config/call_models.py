"""The tables of outdials, of limits and of numbers, and the profile's part in outdials."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.scalars import Id, Label, Prefix, Table
from routing.core.config import PREMIUM

ShownNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,15}$")]


class DialTable(Table):
    """Which outside numbers may be dialed. A prefix is digits, `*`, `#`, with `+` first or `+` alone."""

    allowed: list[Prefix] = Field(
        default_factory=list,
        description="Numbers that begin so, written as here or with an IDD prefix for `+`; none: nothing is dialed",
    )
    denied: list[Prefix] = Field(
        default_factory=list, description="But not those that begin so, in whatever way they are written"
    )
    min_digits: int = Field(default=3, ge=3, le=15, description="Fewest digits")
    max_digits: int = Field(default=15, ge=3, le=15, description="Most digits")
    international: bool = Field(default=False, description="Also numbers outside `numbers.country`")
    premium: bool = Field(default=False, description="Also numbers of `numbers.premium`")

    @model_validator(mode="after")
    def _range(self) -> DialTable:
        if self.min_digits > self.max_digits:
            raise ValueError(f"nothing has {self.min_digits} digits or more and at most {self.max_digits}")
        return self


class OutdialRights(Table):
    """What a profile says of outdials."""

    outdial: bool = Field(default=False, description="May call customers; with `dial_pad`, `address_book` or both")
    dial_pad: bool = Field(default=False, description="May enter the number of an outdial freely")
    address_book: bool = Field(default=False, description="May choose the number of an outdial from the address book")
    outdial_anis: dict[Label, ShownNumber] = Field(
        default_factory=dict,
        description='Numbers that he may choose to show to the customer, by label: `{ Sales = "+12015550100" }`',
    )
    outdial_to_queue: bool = Field(
        default=False, description="May transfer an outdial call to a queue or an entry point"
    )
    available_after_outdial: bool = Field(
        default=False,
        description="Is available after an outdial in which he took up his phone, even if he was idle before; off: he "
        "is what he was",
    )
    reschedule: bool = Field(default=False, description="May schedule callbacks of campaign calls")
    reschedule_personal: bool = Field(default=False, description="Also for himself alone; with `reschedule`")
    reschedule_before_dial: bool = Field(
        default=False, description="Also before a record that is before him was called; with `reschedule`"
    )
    other_number: bool = Field(
        default=False, description="May call campaigns' contacts at numbers that their records do not have"
    )


class OutdialTable(Table):
    """Calls that agents place to customers."""

    entry_point: Id | None = Field(
        default=None, description="Entry point that gives them queue and CAD; without it nobody can place one"
    )
    default_ani: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{2,15})?$")] = Field(
        default="", description="Number that the customer sees where the agent chose none; empty: `pbx.dial_caller_id`"
    )
    agent_ring_timeout_s: int = Field(default=20, ge=1, le=300, description="Seconds that the agent's own phone rings")
    customer_ring_timeout_s: int = Field(default=30, ge=1, le=300, description="Seconds that the customer is rung")


class LimitsTable(Table):
    """How many calls this tenant may have, and how fast outside numbers are dialed."""

    tenant_calls: int | None = Field(
        default=None, ge=1, description="Live customer calls, in and out; more are refused with reason code 27"
    )
    dials_per_minute: int | None = Field(
        default=30, ge=1, le=1000, description="Outside numbers that one agent may dial within a minute"
    )
    tenant_dials_per_minute: int | None = Field(
        default=None, ge=1, le=100_000, description="Outside numbers that all agents may dial within a minute"
    )


class NumbersTable(Table):
    """Rules for the numbers that agents dial: 3 digits at least."""

    max_digits: int = Field(default=14, ge=14, le=15, description="Most digits")
    idd: list[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")]] = Field(
        default_factory=lambda: ["011", "00"],
        description='Prefixes for dialing abroad, which stand for `+`; `["011", "00"]` where it is not given',
    )
    country: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{0,2})?$")] = Field(
        default="", description="Code of the home country, e.g. `1`; empty: every number with `+` is international"
    )
    premium: list[Prefix] = Field(
        default_factory=lambda: list(PREMIUM),
        description="Expensive ranges, for profiles with `premium`; where it is not given: "
        + ", ".join(f"`{prefix}`" for prefix in PREMIUM),
    )
    ring_timeout_s: int = Field(default=30, ge=1, le=300, description="Seconds that an outside number is rung")
