"""The outdial as a value: a call that an agent places to a customer, and the ways in which it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutdialSource(StrEnum):
    """Where the agent has the number from (OUT-07, HIST-03)."""

    DIAL_PAD = "dial_pad"
    ADDRESS_BOOK = "address_book"
    HISTORY = "history"


class OutdialFailure(StrEnum):
    """Why the customer was not reached: stable codes (OUT-16..20)."""

    NOT_CONNECTED = "not_connected"
    AGENT_DECLINED = "agent_declined"
    CUSTOMER_REJECTED = "customer_rejected"
    CUSTOMER_NO_ANSWER = "customer_no_answer"
    LOST_TO_INBOUND = "lost_to_inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdialCall:
    """Who calls whom. `phone`: the PBX's dial string for the customer's `number`; `name`: his, as far as known.

    `failure`: empty unless it failed; then `outcome` says what became of the leg that failed, e.g. busy.
    """

    agent_id: str
    number: str
    form: str
    phone: str
    source: OutdialSource
    name: str = ""
    failure: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdialRules:
    """Calls to customers. `entry_point` gives them queue and CAD; empty: there are none.

    `default_ani`: the caller's number where none is chosen (OUT-12), empty = the PBX's `dial_caller_id`.
    """

    entry_point: str = ""
    default_ani: str = ""
    agent_ring_timeout_s: int = 20
    customer_ring_timeout_s: int = 30
