"""What search compares with: names without case and accents, numbers without their punctuation."""

from __future__ import annotations

import unicodedata

from sqlalchemy import and_, or_, true
from sqlalchemy.sql.elements import ColumnElement

from routing.core.config import Numbers

MAX_WORDS = 8
MAX_KEY = 256  # characters: PostgreSQL refuses index rows over 2704 bytes, and NFKD may make 18 characters of one
_OF_NUMBERS = frozenset("0123456789+*#:()-./ \u00a0")
NATIONAL_DIGITS = 7  # a shorter number is internal and has no country


def name_key(name: str) -> str:
    """`Émile  Zola` -> `emile zola`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())[:MAX_KEY].rstrip()


def digits_of(text: str) -> str:
    """ASCII digits alone."""
    return "".join(c for c in text if c in "0123456789")


def lookup_number(text: str, rules: Numbers) -> str:
    """The same text for every usual way to write one telephone number, for comparing and not for dialing.

    `+1 (202) 555-0143`, `0112025550143...` with IDD 011 and, at home in country 1, `2025550143` and `12025550143`
    become `+12025550143`. What has no country stays as its digits; what has no digits as it is, in lower case.
    """
    digits = digits_of(text)
    if not digits:
        return text.strip().casefold()
    if text.strip().startswith("+"):
        return f"+{digits}"
    for prefix in sorted(rules.idd, key=len, reverse=True):
        if digits.startswith(prefix) and len(digits) >= len(prefix) + NATIONAL_DIGITS:
            return f"+{digits[len(prefix) :]}"
    if not rules.country or len(digits) < NATIONAL_DIGITS:
        return digits
    if rules.country == "1":  # North American Numbering Plan: 10 digits, with or without the country
        return f"+1{digits[-10:]}" if len(digits) == 10 or digits[:-10] == "1" else digits
    return f"+{rules.country}{digits.removeprefix('0')}"


def same_numbers(text: str, rules: Numbers) -> list[str]:
    """Every form under which `lookup_number` may have kept this number, also under other rules than today's."""
    found = lookup_number(text, rules)
    forms = {found, lookup_number(text, Numbers()), digits_of(text)}
    home = f"+{rules.country}"
    if rules.country and found.startswith(home):
        national = found.removeprefix(home)
        forms |= {found[1:], national, f"0{national}"}
    return sorted(forms - {""})


def matches(words: str, name: ColumnElement[str], number: ColumnElement[str]) -> ColumnElement[bool]:
    """Every word is part of `name` (a name key), or the whole is part of `number` (a looked-up number).

    A text without letters and digits matches everything.
    """
    parts = name_key(words).split()[:MAX_WORDS]
    if not parts:
        return true()
    by_name = and_(*(name.contains(part, autoescape=True) for part in parts))
    digits = digits_of(words)
    is_number = digits and set(words) <= _OF_NUMBERS
    return or_(by_name, number.contains(digits, autoescape=True)) if is_number else by_name
