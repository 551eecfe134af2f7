"""Dial strings of each kind of PBX: their form, and the telephone that a bare number means there (SAFE-03).

A dial string reaches the PBX as it stands here, but for the number. So it holds nothing at which the PBX would split
it, expand it or read options from it: `&` and `,` for Asterisk; `, | [ ] { } $ :_:` and quotes for FreeSWITCH. What
is accepted here the connectors accept, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from routing.app.settings import PbxKind

NUMBER = "{number}"
_BARE = re.compile(r"\+?[0-9]{1,20}")
_EXTENSION = re.compile(r"[A-Za-z0-9_.+*#-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DialForm:
    """`phone`, `template`: what the whole text must match. `usual`: template of its telephones where none is given."""

    phone: re.Pattern[str]
    template: re.Pattern[str]
    usual: str
    trunk: str


_ASTERISK = DialForm(
    phone=re.compile(r"(?!user/|sofia/)[A-Za-z0-9]{1,16}/[A-Za-z0-9_.@:+-]{1,80}"),
    template=re.compile(
        r"[A-Za-z0-9]{1,16}/[A-Za-z0-9_.+*#-]{0,24}\{number\}[A-Za-z0-9_.+*#@-]{0,64}(:[0-9]{1,5})?",
    ),
    usual="PJSIP/{number}",
    trunk="PJSIP/{number}@trunk",
)
_FREESWITCH = DialForm(
    phone=re.compile(r"[a-z][a-z0-9_]{0,15}(/[A-Za-z0-9_.@+-]{1,80}){1,4}(:[0-9]{1,5})?"),
    template=re.compile(
        r"[a-z][a-z0-9_]{0,15}(/[A-Za-z0-9_.@+-]{1,64}){0,3}"
        r"/[A-Za-z0-9_.+*#-]{0,16}\{number\}[A-Za-z0-9_.+*#@-]{0,40}(:[0-9]{1,5})?",
    ),
    usual="user/{number}",
    trunk="sofia/gateway/trunk/{number}",
)
FORMS = {
    PbxKind.ASTERISK: _ASTERISK,
    PbxKind.FREESWITCH: _FREESWITCH,
    PbxKind.SIMULATED: DialForm(
        phone=re.compile(f"{_ASTERISK.phone.pattern}|{_FREESWITCH.phone.pattern}"),
        template=re.compile(f"{_ASTERISK.template.pattern}|{_FREESWITCH.template.pattern}"),
        usual="SIM/{number}",
        trunk="SIM/{number}@trunk",
    ),
}


def address_of(phone: str, template: str) -> str:
    """The telephone that `phone` of an agent means: a bare number by the template of its PBX, all else as it is."""
    return phone if "/" in phone else template.replace(NUMBER, phone)


def phone_mistake(kind: PbxKind, phone: str) -> str:
    """What is wrong with an agent's `phone`, empty when nothing is."""
    form = FORMS[kind]
    if _BARE.fullmatch(phone) or form.phone.fullmatch(phone):
        return ""
    example = form.usual.replace(NUMBER, "1001")
    return f"{phone!r} is not of the form '1001' or {example!r}, the address of a telephone on this {_NAMES[kind]}"


def extension_mistake(number: str) -> str:
    """What is wrong with a number by which other PBXs shall dial a telephone, empty when nothing is."""
    if _EXTENSION.fullmatch(number):
        return ""
    return f"{number!r} is no number that another PBX can dial: digits, letters and '_.+*#-' alone"


def template_mistake(kind: PbxKind, text: str, *, is_trunk: bool = True) -> str:
    """What is wrong with a dial string that holds `{number}`, empty when nothing is."""
    form = FORMS[kind]
    if form.template.fullmatch(text) and text.count(NUMBER) == 1:
        return ""
    example = form.trunk if is_trunk else form.usual
    if NUMBER not in text:
        return f"{text!r} has no {NUMBER}: it stands where the number goes, as in {example!r}"
    return f"{text!r} is not of the form {example!r}: one {NUMBER}, and nothing that a dial string splits at"


_NAMES = {PbxKind.ASTERISK: "Asterisk", PbxKind.FREESWITCH: "FreeSWITCH", PbxKind.SIMULATED: "simulated PBX"}
