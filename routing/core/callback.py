"""The courtesy callback as a value: a caller who did not want to wait, and keeps his place (CBQ)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.dial_rights import DialRights


class CallbackSource(StrEnum):
    """Who asked for it: the caller in a flow or while he waited, a program, or nobody: he gave up waiting."""

    FLOW = "flow"
    QUEUE = "queue"
    API = "api"
    ABANDON = "abandon"


class CallbackState(StrEnum):
    """CHECKING: whether the number may be called is being asked. RESTING: until `not_before_ms`. DUE: it waits for an
    agent. CALLING: an agent has it, or is rung.
    """

    CHECKING = "checking"
    RESTING = "resting"
    DUE = "due"
    CALLING = "calling"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackCall:
    """`number`, `form`: as in `routing.core.numbers`. `origin_id`: the interaction in which it was asked for.

    `attempts`: how often the customer was dialed. `not_before_ms`: no attempt before, 0: at once. `expires_ms`: when
    the callback is given up. `check_id`: of the look-up that is under way. `failure`: how the last attempt ended.
    `waited_ms`: how long it had waited when the customer answered.
    """

    number: str
    form: str
    source: CallbackSource
    state: CallbackState = CallbackState.CHECKING
    origin_id: str = ""
    attempts: int = 0
    not_before_ms: int = 0
    expires_ms: int = 0
    check_id: str = ""
    failure: str = ""
    waited_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRules:
    """`max_attempts` dials at most, spaced by `retry_s` (the last one repeats); given up `expire_s` after the request.

    `hours`: calling window, empty: at any time. `dial`: which numbers may be called back, none by default: a caller's
    number is a stranger's word (SAFE-04). `ani`: shown to the customer, empty = the number he had called, where it
    is known. `retry_unchecked_s`: when to ask again whether a number may be called, and nobody could say.
    """

    max_attempts: int = 3
    retry_s: tuple[int, ...] = (300, 900, 3600)
    expire_s: int = 86_400
    hours: str = ""
    dial: DialRights = field(default_factory=DialRights)
    ani: str = ""
    ring_timeout_s: int = 30
    retry_unchecked_s: int = 30
