"""Actions for the manager interface, made safe: the only place where values from outside get onto the wire. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from routing.core.commands import GREETING_MS, DetectMachine, DialLeg, PlayPrompts, RecordMessage
from telephony import detection
from telephony.digits import DIGIT_MS
from telephony.rooms import CONTEXT_AGENT, CONTEXT_MACHINE, CONTEXT_MESSAGE, CONTEXT_NONE, CONTEXT_PROMPT
from telephony.safety import CONTROL, UnsafeAction, dtmf, language, leg_name, message, plain, sound, variable_name, word

Fields = Mapping[str, str | Sequence[str]]

# Asterisk throws away an action with a line of more than 1024 bytes, and answers without an ActionID.
MAX_LINE_BYTES = 1000
MAX_PROMPTS = 40

_DIAL_STRING = re.compile(r"[A-Za-z0-9]{1,16}/[A-Za-z0-9_.+*#:@-]{1,128}")
_NOT_DIALABLE = re.compile(r"[^0-9+*#]")
# Separators of Asterisk's argument parser, which splits the Variable header of Originate.
_SPLITTING = re.compile(r'([\\",()\[\]{}])')


def checked(fields: Fields) -> dict[str, str | list[str]]:
    """The same fields when every line of them is safe. Raises UnsafeAction."""
    out: dict[str, str | list[str]] = {}
    for key, value in fields.items():
        values = [value] if isinstance(value, str) else list(value)
        for text in values:
            _check_line(key, text)
        out[key] = value if isinstance(value, str) else values
    return out


def _check_line(key: str, text: str) -> None:
    if not key or ":" in key or CONTROL.search(key):
        raise UnsafeAction(what="a header name")
    if "\r" in text or "\n" in text or "\0" in text:
        raise UnsafeAction(what=f"a line end in {key}")
    if len(key) + 2 + len(text.encode("utf-8", "replace")) > MAX_LINE_BYTES:
        raise UnsafeAction(what=f"a {key} of more than {MAX_LINE_BYTES} bytes")


def caller_id(number: str, name: str) -> str:
    """`"Name" <number>` with nothing that could end the quotes, the brackets or the line."""
    name = re.sub(r'["<>\\]', "", plain(name, 80)).strip()
    number = _NOT_DIALABLE.sub("", number)[:32]
    return f'"{name}" <{number}>' if name else f"<{number}>"


def assignment(name: str, value: str) -> str:
    """One variable for Originate, escaped so that it stays one. Raises UnsafeAction."""
    escaped = _SPLITTING.sub(r"\\\1", plain(value, MAX_LINE_BYTES))
    return f"{variable_name(name)}={escaped}"


def originate(order: DialLeg) -> dict[str, str | list[str]]:
    """Ring the phone; the leg lands in a silent context of ours and has our id. Raises UnsafeAction."""
    if not _DIAL_STRING.fullmatch(order.phone):
        raise UnsafeAction(what=f"the phone {plain(order.phone, 40)!r}")
    # Asterisk refuses a REFER of the telephone where no extension of that context fits: there is none.
    own = {"__SR_IID": order.interaction_id, "SR_LEG": leg_name(order.leg_id), "TRANSFER_CONTEXT": CONTEXT_NONE}
    if order.recording:
        own["SR_RECORD"] = word(order.recording)
    variables = {**order.variables, **own}
    return checked(
        {
            "Action": "Originate",
            "Channel": order.phone,
            "ChannelId": order.leg_id,
            "Context": CONTEXT_AGENT,
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(max(1, order.timeout_s) * 1000),
            "CallerID": caller_id(order.caller_number, order.caller_name),
            "Async": "true",
            "Variable": [assignment(name, value) for name, value in variables.items()],
        }
    )


def set_variable(channel: str, name: str, value: str) -> dict[str, str | list[str]]:
    """On a channel, or global when `channel` is empty. The value is stored as it is, control characters apart.

    Raises UnsafeAction, also for a value of more bytes than a line can carry: nothing is cut in silence.
    """
    fields = {"Action": "Setvar", "Variable": variable_name(name), "Value": plain(value, MAX_LINE_BYTES)}
    return checked({**fields, "Channel": channel} if channel else fields)


def get_variable(channel: str, name: str) -> dict[str, str | list[str]]:
    """Read a channel variable. Only for those which the dialplan filters or codes: others could hold whole messages."""
    return checked({"Action": "Getvar", "Channel": channel, "Variable": variable_name(name)})


def redirect(channels: Sequence[str], context: str, exten: str) -> dict[str, str | list[str]]:
    """Move one channel, or two of one bridge at the same time, to an extension of ours."""
    fields = {"Action": "Redirect", "Channel": channels[0], "Context": context, "Exten": exten, "Priority": "1"}
    if len(channels) > 1:
        extra = {"ExtraChannel": channels[1], "ExtraContext": context, "ExtraExten": exten, "ExtraPriority": "1"}
        fields |= extra
    return checked(fields)


def bridge(one: str, other: str) -> dict[str, str | list[str]]:
    """Join two channels, given by NAME: Asterisk takes a Uniqueid for the beginning of one and may join a stranger."""
    return checked({"Action": "Bridge", "Channel1": one, "Channel2": other, "Tone": "no"})


def mute_recording(channel: str, *, is_muted: bool) -> dict[str, str | list[str]]:
    """Silence in the running recording of a channel, or sound again. Refused where nothing records."""
    fields = {"Action": "MixMonitorMute", "Channel": leg_name(channel), "Direction": "both"}
    return checked({**fields, "State": "1" if is_muted else "0"})


def stop_recording(channel: str) -> dict[str, str | list[str]]:
    return checked({"Action": "StopMixMonitor", "Channel": leg_name(channel)})


def play_digit(channel: str, digit: str) -> dict[str, str | list[str]]:
    """One DTMF digit that the far end of the channel gets. Raises UnsafeAction."""
    fields = {"Action": "PlayDTMF", "Channel": leg_name(channel), "Digit": dtmf(digit), "Duration": str(DIGIT_MS)}
    return checked(fields)


def hang_up(channel: str, cause: int) -> dict[str, str | list[str]]:
    """`cause`: ITU-T Q.850; 26 makes the CANCEL say that the call was completed elsewhere."""
    return checked({"Action": "Hangup", "Channel": leg_name(channel), "Cause": str(cause)})


def play(channel: str, order: PlayPrompts, place: str) -> list[dict[str, str | list[str]]]:
    """Prompts and keys as variables, then the way to the dialplan that obeys them. Raises UnsafeAction."""
    if len(order.prompts) > MAX_PROMPTS:
        raise UnsafeAction(what=f"more than {MAX_PROMPTS} prompts at once")
    values = {f"SR_PROMPT_{number}": _prompt(name) for number, name in enumerate(order.prompts, start=1)}
    values |= {"SR_PROMPTS": str(len(order.prompts)), "SR_PROMPT_LANGUAGE": language(order.language), "SR_KEYS": "0"}
    if order.keys is not None:
        values["SR_KEYS"] = str(max(1, order.keys.max_digits))
        values["SR_KEY_FIRST_S"] = _seconds(order.keys.timeout_ms)
        values["SR_KEY_NEXT_S"] = _seconds(order.keys.next_ms)
    if order.after_silence_ms > 0:  # with the order's id: what another one left behind counts for nothing
        silence_ms = min(order.after_silence_ms, GREETING_MS)
        values["SR_AFTER"] = f"{leg_name(order.id)}:{silence_ms},1,{GREETING_MS // 1000}"
    return _with_variables(channel, order.id, values, CONTEXT_PROMPT, place)


def record_message(channel: str, order: RecordMessage, place: str) -> list[dict[str, str | list[str]]]:
    """The same for a message. Raises UnsafeAction."""
    values = {
        "SR_MESSAGE": word(order.file),
        "SR_MESSAGE_SILENCE_S": str(max(0, order.silence_s)),
        "SR_MESSAGE_MAX_S": str(max(1, order.max_s)),
    }
    return _with_variables(channel, order.id, values, CONTEXT_MESSAGE, place)


def listen(channel: str, order: DetectMachine, place: str) -> list[dict[str, str | list[str]]]:
    """The arguments of AMD(). Raises UnsafeAction."""
    deadline_ms = detection.deadline_ms(order)
    arguments = (
        min(detection.INITIAL_SILENCE_MS, deadline_ms),
        detection.GREETING_MS,
        detection.AFTER_GREETING_MS,
        deadline_ms,
        detection.WORD_MS,
        detection.BETWEEN_WORDS_MS,
        detection.WORDS,
        detection.SILENCE_LEVEL,
    )
    values = {"SR_LISTEN": ",".join(str(argument) for argument in arguments)}
    return _with_variables(channel, order.id, values, CONTEXT_MACHINE, place)


def _with_variables(
    channel: str, ask: str, values: Mapping[str, str], context: str, place: str
) -> list[dict[str, str | list[str]]]:
    """SR_ASK comes first: what still plays there sees that its time is over."""
    named = {"SR_ASK": leg_name(ask), **values}
    variables = [set_variable(channel, name, value) for name, value in named.items()]
    return [*variables, redirect([channel], context, word(place))]


def _prompt(name: str) -> str:
    """The dialplan knows where recordings are."""
    return name if message(name) else sound(name)


def _seconds(duration_ms: int) -> str:
    """WaitDigit takes 0 for no time at all, but nothing for ever."""
    return f"{max(1, duration_ms) / 1000:.3f}"
