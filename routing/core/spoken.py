"""Numbers and digits as names of the PBX's own sounds, which Asterisk's and FreeSWITCH's packages share.

English is composed of 0 to 20, the tens, `hundred` and `thousand`. Of other languages only whole numbers up to 99 are
known to have a sound each: word order and gender beyond that differ, so larger ones are said digit by digit.
"""

from __future__ import annotations

_ENGLISH_BELOW = 1_000_000
_ONE_SOUND_BELOW = 100


def digits(text: str) -> tuple[str, ...]:
    """Digit by digit; what is no digit is not said."""
    return tuple(f"digits/{char}" for char in text if char in "0123456789")


def number(text: str, language: str) -> tuple[str, ...]:
    """A whole number of 0 or more as a number, anything else digit by digit."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
    if value is None:
        return digits(text)
    if language.lower().startswith("en"):
        return _english(value) if value < _ENGLISH_BELOW else digits(text)
    return (f"digits/{value}",) if value < _ONE_SOUND_BELOW else digits(text)


def _english(value: int) -> tuple[str, ...]:
    thousands, rest = divmod(value, 1000)
    hundreds, small = divmod(rest, 100)
    said: tuple[str, ...] = ()
    if thousands:
        said += (*_english(thousands), "digits/thousand")
    if hundreds:
        said += (f"digits/{hundreds}", "digits/hundred")
    if small > 20:
        tens, ones = divmod(small, 10)
        said += (f"digits/{tens * 10}",) + ((f"digits/{ones}",) if ones else ())
    elif small or not said:
        said += (f"digits/{small}",)
    return said
