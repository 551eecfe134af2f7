"""Orders as lines of the event socket, made safe: what comes from outside gets into them here alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from routing.core.commands import DialLeg
from routing.core.recording import RecordingState
from telephony.digits import DIGIT_MS
from telephony.rooms import CONTEXT_AGENT, CONTEXT_NONE
from telephony.safety import UnsafeAction, dtmf, leg_name, plain, variable_name, word

# A dialled leg may ring so much longer than asked: FreeSWITCH counts whole seconds and fires up to one early.
SPARE_S = 2
MAX_VALUE_BYTES = 16_000

# Where a leg falls when the one it was joined with is gone. FreeSWITCH forgets it when it has used it: every place of
# our dialplan says it anew.
AFTER_BRIDGE = "s:XML:switchroom-idle"

CAUSES = {16: "NORMAL_CLEARING", 26: "LOSE_RACE"}

# No comma, bar or `:_:` (further telephones), no brackets, quotes or `$`, which are syntax of a dial string.
_DIAL_STRING = re.compile(r"(?!.*:_:)[a-z][a-z0-9_]{0,15}(?:/[A-Za-z0-9_.+*#:@;=-]{1,128}){1,4}")
# A carrier may say where a number is really reached. A telephone that forwards its calls has refused: otherwise it
# would send them to somebody whom nobody chose, and a caller who rings it himself into nothing.
CARRIER = "sofia/gateway/"
_NOT_SHOWN = re.compile(r"[^\w .&@()/-]")
_NOT_DIALABLE = re.compile(r"[^0-9+*#]")
_PATH = re.compile(r"[^\x00-\x1f\x7f]{1,1000}")


@dataclass(frozen=True, slots=True)
class Api:
    """A command that answers at once. `moves`: the channels that go elsewhere by it."""

    line: str
    moves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A command that runs in the background under this id."""

    line: str
    id: str


@dataclass(frozen=True, slots=True)
class RingFor:
    """A waiting channel rings a telephone itself, and is joined with it in the moment of the answer."""

    uuid: str
    dial: str
    leg_id: str


EslAction = Api | Job | RingFor


def one_word(text: str) -> str:
    """An argument of a command, such that FreeSWITCH's splitting, quotes and escapes give back this very text."""
    return text.replace("\\", "\\\\").replace("'", "\\'").replace(" ", "\\s")


def originate(order: DialLeg) -> Job:
    """Ring the phone; the answered leg lands in our context. Raises UnsafeAction."""
    return Job(f"originate {_dial(order)} s XML {CONTEXT_AGENT}", leg_name(order.leg_id))


def ring_for(order: DialLeg, uuid: str) -> RingFor:
    """Have that waiting channel ring the phone. Raises UnsafeAction."""
    return RingFor(leg_name(uuid), _dial(order), leg_name(order.leg_id))


def tried(leg_id: str) -> str:
    """The event by which a channel says that ringing for that leg is over, without success as a rule."""
    return f"Event-Name=CUSTOM,Event-Subclass=switchroom::tried,Tried-Leg={leg_name(leg_id)}"


def _dial(order: DialLeg) -> str:
    """The variables of the order are not in it: braces and commas are syntax there. They follow when there is a
    channel."""
    if not _DIAL_STRING.fullmatch(order.phone):
        raise UnsafeAction(what=f"the phone {plain(order.phone, 40)!r}")
    leg_id = leg_name(order.leg_id)
    own = {
        "origination_uuid": leg_id,
        "SR_LEG": leg_id,
        "SR_IID": leg_name(order.interaction_id),
        "origination_caller_id_number": _NOT_DIALABLE.sub("", order.caller_number)[:32],
        "origination_caller_id_name": shown_name(order.caller_name) or _NOT_DIALABLE.sub("", order.caller_number)[:32],
        "originate_timeout": str(max(1, order.timeout_s) + SPARE_S),
        "ignore_early_media": "true",
        "hangup_after_bridge": "false",
        "transfer_after_bridge": AFTER_BRIDGE,
        "force_transfer_context": CONTEXT_NONE,
    }
    if not order.phone.startswith(CARRIER):
        own["outbound_redirect_fatal"] = "true"
    if order.recording:
        own["SR_RECORD"] = word(order.recording)
    variables = ",".join(f"{name}='{value}'" for name, value in own.items() if value)
    return f"{{{variables}}}{order.phone}"


def shown_name(text: str) -> str:
    """A caller's name with nothing in it that is syntax in braces, at most 80 bytes."""
    return plain(_NOT_SHOWN.sub("", plain(text, 200)), 80).strip()


def hang_up(uuid: str, cause: int) -> Api:
    return Api(f"uuid_kill {leg_name(uuid)} {CAUSES.get(cause, 'NORMAL_CLEARING')}")


def transfer(uuids: Sequence[str], context: str, exten: str) -> Api:
    """Move one leg, or the two that are joined, to an extension of ours. Raises UnsafeAction."""
    both = "-both " if len(uuids) > 1 else ""
    return Api(f"uuid_transfer {leg_name(uuids[0])} {both}{word(exten)} XML {word(context)}", tuple(uuids))


def bridge(one: str, other: str) -> Api:
    return Api(f"uuid_bridge {leg_name(one)} {leg_name(other)}", (one, other))


def set_variable(uuid: str, name: str, value: str) -> Api:
    """Stored as it is, control characters apart; an empty value unsets. Raises UnsafeAction, also for a long value."""
    if len(value.encode("utf-8", "replace")) > MAX_VALUE_BYTES:
        raise UnsafeAction(what=f"a value of more than {MAX_VALUE_BYTES} bytes")
    text = plain(value, MAX_VALUE_BYTES)
    return Api(f"uuid_setvar {leg_name(uuid)} {variable_name(name)} {one_word(text)}".rstrip(" "))


def record(uuid: str, verb: str, path: str) -> Api:
    """`verb`: start, stop, mask, unmask. Raises UnsafeAction for a path that is none."""
    if not _PATH.fullmatch(path):
        raise UnsafeAction(what="the path of a recording")
    return Api(f"uuid_record {leg_name(uuid)} {verb} {one_word(path)}")


def stop_recordings(uuid: str) -> Api:
    return Api(f"uuid_record {leg_name(uuid)} stop all")


VERBS = {RecordingState.OFF: "stop", RecordingState.PAUSED: "mask"}


def play_digit(uuid: str, digit: str) -> Api:
    """One DTMF digit that the far end of the channel gets. Raises UnsafeAction."""
    return Api(f"uuid_send_dtmf {leg_name(uuid)} {dtmf(digit)}@{DIGIT_MS}")
