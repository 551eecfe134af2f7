"""Dial numbers: what a person typed or pasted made dialable, or refused by a named rule. Pure, nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import StrEnum

from routing.core.config import Numbers
from routing.core.dial_rights import DialRights
from routing.core.errors import NumberRefused

SPECIALS = "+#*:"  # DIAL-01
MIN_DIGITS = 3  # DIAL-04
MAX_CHARACTERS = 32  # digits and special characters together
MAX_TYPED = 128
NATIONAL_MIN_DIGITS = 7  # a shorter one is internal or a service, and not a number of the home country

_DIGITS = "0123456789"
# North American Numbering Plan: area and exchange begin with 2-9.
_US = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")
# 8-15 digits: A3, and ITU-T E.164 6.2.1 for the upper end.
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_NATIONAL_SIGNIFICANT = re.compile(r"[1-9][0-9]{7,14}")


class NumberForm(StrEnum):
    """Which form matched (A3); PLAIN is any other 3-14 digits, good for transfer and consult alone (A2)."""

    US = "us"
    E164 = "e164"
    IDD = "idd"
    PLAIN = "plain"


EXTERNAL = frozenset({NumberForm.US, NumberForm.E164, NumberForm.IDD})


class NumberRule(StrEnum):
    """Why a number is refused: the first rule that it breaks."""

    NAME = "name"
    NO_DIGITS = "no_digits"
    PLUS_INSIDE = "plus_inside"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_EXTERNAL = "not_external"
    ENTRY_POINT = "entry_point"
    EXTENSION = "extension"
    NOT_ALLOWED = "not_allowed"
    DENIED = "denied"
    PROFILE_LENGTH = "profile_length"
    INTERNATIONAL = "international"
    PREMIUM = "premium"
    NO_TRUNK = "no_trunk"
    COLON_UNMAPPED = "colon_unmapped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialNumber:
    """`text`: digits and `+ # * :` alone, as it is dialed but for the mapping of ":"."""

    text: str
    form: NumberForm


def sanitize(text: str) -> str:
    """Special characters other than `+ # * :` are stripped (DIAL-02): `+1 (201) 553-2447` -> `+12015532447`.

    Raises NumberRefused NAME where there are letters, or digits of other scripts: that is a name (DIAL-10).
    """
    if len(text) > MAX_TYPED:
        raise _refused(text, NumberRule.TOO_LONG, f"more than {MAX_TYPED} characters were given")
    if any(c.isalnum() and c not in _DIGITS for c in text):
        raise _refused(text, NumberRule.NAME, "it holds letters, so it is a name and not a number")
    return "".join(c for c in text if c in _DIGITS or c in SPECIALS)


def parse(text: str, rules: Numbers, *, is_outdial: bool = False) -> DialNumber:
    """What was typed or pasted as a number that may be dialed as far as its form goes (DIAL-03..09).

    Raises NumberRefused with the rule. An outdial demands one of the three external forms (A2).
    """
    clean = sanitize(text)
    digits = digits_of(clean)
    if not digits:
        raise _refused(text, NumberRule.NO_DIGITS, "it holds no digit")
    if "+" in clean[1:]:
        raise _refused(clean, NumberRule.PLUS_INSIDE, "+ may only come first")
    if len(digits) < MIN_DIGITS:
        raise _refused(clean, NumberRule.TOO_SHORT, f"it has {len(digits)} digits, at least {MIN_DIGITS} are needed")
    if len(digits) > rules.max_digits:
        reason = f"it has {len(digits)} digits, at most {rules.max_digits} are allowed"
        raise _refused(clean, NumberRule.TOO_LONG, reason)
    if len(clean) > MAX_CHARACTERS:
        raise _refused(clean, NumberRule.TOO_LONG, f"it has more than {MAX_CHARACTERS} characters")
    number = DialNumber(text=clean, form=form_of(clean, rules))
    if is_outdial:
        require_external(number)
    return number


def require_external(number: DialNumber) -> None:
    """Raises NumberRefused unless it is of one of the three external forms, as an outdial demands (A2)."""
    if number.form not in EXTERNAL:
        raise _refused(number.text, NumberRule.NOT_EXTERNAL, "an outdial needs +country, +1 area or an IDD prefix")


def require_telephone(number: DialNumber) -> None:
    """Raises NumberRefused unless it can be a customer's: a whole number after a +, else digits alone, and not as few
    as a service has.
    """
    is_national = number.text == digits_of(number.text) and len(number.text) >= NATIONAL_MIN_DIGITS
    if number.form not in EXTERNAL and not is_national:
        raise _refused(number.text, NumberRule.NOT_EXTERNAL, "it is not the number of a customer's telephone")


def form_of(clean: str, rules: Numbers) -> NumberForm:
    """DIAL-07..09, the narrowest that matches."""
    if _US.fullmatch(clean):
        return NumberForm.US
    if _E164.fullmatch(clean):
        return NumberForm.E164
    if any(_NATIONAL_SIGNIFICANT.fullmatch(clean.removeprefix(p)) for p in rules.idd if clean.startswith(p)):
        return NumberForm.IDD
    return NumberForm.PLAIN


def digits_of(text: str) -> str:
    """The digits alone: what counts for the length (DIAL-05)."""
    return "".join(c for c in text if c in _DIGITS)


def readings(text: str, rules: Numbers) -> frozenset[str]:
    """Every way in which a network may take this number; a rule that forbids must not be slipped past by any of them.

    The text itself, its digits, and `+country...` as far as prefixes tell.
    """
    digits = digits_of(text)
    found = {text, digits, f"+{digits}"}
    found |= {f"+{digits.removeprefix(p)}" for p in rules.idd if digits.startswith(p)}
    if rules.country and not text.startswith("+") and len(digits) >= NATIONAL_MIN_DIGITS:
        found |= {f"+{rules.country}{digits}", f"+{rules.country}{digits.lstrip('0')}"}
    return frozenset(found)


def all_readings(texts: Iterable[str], rules: Numbers) -> frozenset[str]:
    """Of all these numbers together: two ways of writing may reach the same number if they have a reading in common."""
    return frozenset(reading for text in texts for reading in readings(text, rules) if digits_of(reading))


def is_abroad(text: str, rules: Numbers) -> bool:
    """A number or a prefix leaves the home country; where none is configured, each `+` and each IDD prefix does."""
    digits = digits_of(text)
    after_idd = [digits.removeprefix(p) for p in rules.idd if digits.startswith(p)]
    abroad = [digits] if text.startswith("+") else after_idd
    return any(not (rules.country and rest.startswith(rules.country)) for rest in abroad)


def permit(number: DialNumber, rights: DialRights, rules: Numbers) -> None:
    """Raises NumberRefused unless these rights allow the number to be dialed (SAFE-04).

    Nothing is allowed that no prefix allows. What is denied or premium is so in every reading of the number.
    """
    text, taken = number.text, readings(number.text, rules)
    plus = {f"+{digits_of(text.removeprefix(p))}" for p in rules.idd if text.startswith(p)}
    if not _begins({text, *plus}, rights.allowed):
        raise _refused(text, NumberRule.NOT_ALLOWED, "the profile allows no number that begins so")
    if _begins(taken, rights.denied):
        raise _refused(text, NumberRule.DENIED, "the profile denies numbers that begin so")
    if not rights.min_digits <= len(digits_of(text)) <= rights.max_digits:
        reason = f"the profile allows {rights.min_digits} to {rights.max_digits} digits"
        raise _refused(text, NumberRule.PROFILE_LENGTH, reason)
    if not rights.premium and _begins(taken, rules.premium):
        raise _refused(text, NumberRule.PREMIUM, "the profile allows no premium numbers")
    if not rights.international and is_abroad(text, rules):
        raise _refused(text, NumberRule.INTERNATIONAL, "the profile allows no international numbers")


def render(number: DialNumber, template: str, colon: str | None) -> str:
    """The PBX's dial string: `{number}` of the template replaced, ":" mapped to `colon` (A4).

    Raises NumberRefused where there is no trunk, or a ":" that nothing stands for.
    """
    if not template:
        raise _refused(number.text, NumberRule.NO_TRUNK, "the PBX has no trunk for dialing")
    if ":" in number.text and colon is None:
        raise _refused(number.text, NumberRule.COLON_UNMAPPED, "the PBX has no mapping of ':'")
    return template.replace("{number}", number.text.replace(":", colon or ""))


def refuse_entry_point(number: DialNumber, entries: frozenset[str], rules: Numbers) -> None:
    """Raises NumberRefused for the number of an entry point: it is reached as one, not dialed (DIAL-11, CONS-02).

    `entries`: `all_readings` of the numbers of all entry points.
    """
    if not entries.isdisjoint(readings(number.text, rules)):
        raise _refused(number.text, NumberRule.ENTRY_POINT, "it is the number of an entry point")


def extension_of(phone: str) -> str:
    """The digits under which a PBX's own telephone is reached: `PJSIP/1001` -> `1001`; empty where it has a name."""
    user = phone.partition("/")[2].partition("@")[0].rpartition("/")[2]
    return digits_of(user) if all(c in _DIGITS or c in SPECIALS for c in user) else ""


def refuse_extension(number: DialNumber, extensions: Container[str], rules: Numbers) -> None:
    """Raises NumberRefused for the number of a telephone of ours (DIAL-13)."""
    if any(digits_of(reading) in extensions for reading in readings(number.text, rules)):
        raise _refused(number.text, NumberRule.EXTENSION, "it is the extension of one of our own telephones")


def _begins(texts: Iterable[str], prefixes: tuple[str, ...]) -> bool:
    return any(text.startswith(prefixes) for text in texts)


def _refused(number: str, rule: NumberRule, reason: str) -> NumberRefused:
    return NumberRefused(number=number[:MAX_CHARACTERS], rule=rule.value, reason=reason)
