"""What may be sent to a PBX: names and texts from outside, made safe or refused. Pure."""

from __future__ import annotations

import re

from routing.core.commands import RECORDED
from routing.core.errors import PbxError

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_VARIABLE_NAME = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,78}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,77}")
_LEG = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
# No segment begins with a dot: nothing leads upwards.
_SOUND = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_-][A-Za-z0-9_.+-]*)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})?")
MAX_SOUND = 500
_DTMF = re.compile(r"[0-9*#A-D]")


class UnsafeAction(PbxError):
    """A key or value that must not reach the wire."""

    code = "action-unsafe"
    template = "{what} cannot be sent to the PBX"


def plain(text: str, max_bytes: int = 900) -> str:
    """Text without control characters, at most so many bytes of UTF-8 (never half a character)."""
    text = CONTROL.sub(" ", text.encode("utf-8", "replace").decode())
    return text.encode()[:max_bytes].decode("utf-8", "ignore")


def leg_name(leg_id: str) -> str:
    """A leg id that may be sent. Raises UnsafeAction."""
    if not _LEG.fullmatch(leg_id):
        raise UnsafeAction(what="this leg id")
    return leg_id


def word(text: str) -> str:
    """A name that may be an extension of our contexts: a music class, a conference. Raises UnsafeAction."""
    if not _WORD.fullmatch(text) or text == "h":
        raise UnsafeAction(what=f"the name {plain(text, 40)!r}")
    return text


def variable_name(text: str) -> str:
    """The name of a channel variable. Raises UnsafeAction."""
    if not _VARIABLE_NAME.fullmatch(text):
        raise UnsafeAction(what=f"the variable {plain(text, 40)!r}")
    return text


def dtmf(digit: str) -> str:
    """One DTMF digit. Raises UnsafeAction."""
    if not _DTMF.fullmatch(digit):
        raise UnsafeAction(what="this digit")
    return digit


def sound(text: str) -> str:
    """An absolute path without ending, or the name of one of the PBX's own sounds. Raises UnsafeAction."""
    if len(text) > MAX_SOUND or not _SOUND.fullmatch(text):
        raise UnsafeAction(what=f"the prompt {plain(text, 40)!r}")
    return text


def message(prompt: str) -> str:
    """The name of the recorded file that this prompt is, empty when it is another one. Raises UnsafeAction."""
    return word(prompt.removeprefix(RECORDED)) if prompt.startswith(RECORDED) else ""


def language(text: str) -> str:
    """`en`, `de_AT`, `pt-BR`. Raises UnsafeAction."""
    if not _LANGUAGE.fullmatch(text):
        raise UnsafeAction(what=f"the language {plain(text, 40)!r}")
    return text
