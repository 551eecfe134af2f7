"""Texts, dates and numbers in the reader's language.

Catalogues are gettext `.po` files under `locales/`, read as they are: nothing has to be compiled. English is in the
code. Whose language: what he chose (a cookie), else what his browser prefers of those there are.
"""

from __future__ import annotations

import io
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from zoneinfo import available_timezones

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import g, has_request_context, request

COOKIE, ZONE_COOKIE = "switchroom_language", "switchroom_zone"  # the other one is set by static/clocks.js
UTC = "UTC"
_LONGEST_ZONE = 64
ENGLISH = "en"
DASH = "\N{EN DASH}"
LANGUAGES = {
    ENGLISH: "English",
    "de": "Deutsch",
    "it": "Italiano",
    "ja": "日本語",
    "zh_Hans": "简体中文",
    "zh_Hant": "繁體中文",
}
_BROWSER = {"en": ENGLISH, "de": "de", "it": "it", "ja": "ja", "zh-Hant": "zh_Hant", "zh-TW": "zh_Hant",
            "zh-HK": "zh_Hant", "zh-Hans": "zh_Hans", "zh-CN": "zh_Hans", "zh": "zh_Hans"}  # fmt: skip


def current() -> str:
    """One of LANGUAGES, for this request."""
    if not has_request_context():
        return ENGLISH
    if "desk_language" not in g:
        g.desk_language = _chosen()
    return str(g.desk_language)


def _chosen() -> str:
    if (cookie := request.cookies.get(COOKIE, "")) in LANGUAGES:
        return cookie
    best = request.accept_languages.best_match(list(_BROWSER), ENGLISH)
    return _BROWSER[best]


def gettext(text: str) -> str:
    return _catalogue(current()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    return _catalogue(current()).ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    return _catalogue(current()).pgettext(context, text)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    return _catalogue(current()).npgettext(context, one, many, count)


def noop(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    source = files("routing.desk") / "locales" / language / "LC_MESSAGES" / "desk.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def html_language() -> str:
    """For the attribute `lang`."""
    return current().replace("_", "-")


def number(value: float, digits: int = 0) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return numbers.format_decimal(value, pattern, locale=_locale(current()))


def percent(value: float | None, digits: int = 1) -> str:
    """Of a value from 0 to 100; None: a dash."""
    if value is None:
        return DASH
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return numbers.format_percent(value / 100, pattern, locale=_locale(current()))


def seconds(value: float | None) -> str:
    """A length of time as m:ss or h:mm:ss; None: a dash."""
    if value is None:
        return DASH
    whole = max(0, int(value))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def zone() -> str:
    """The reader's own time zone (IANA), as his browser tells it in a cookie; UTC where it has not."""
    if not has_request_context():
        return UTC
    if "desk_zone" not in g:
        told = request.cookies.get(ZONE_COOKIE, "")
        g.desk_zone = told if len(told) <= _LONGEST_ZONE and told in available_timezones() else UTC
    return str(g.desk_zone)


def date_time(value: str | None, zone_: str = "") -> str:
    """Of an RFC 3339 text, in words of the reader's language and by his clock, or by that of `zone_`; None: a dash."""
    if not value:
        return DASH
    return dates.format_datetime(
        datetime.fromisoformat(value), "short", tzinfo=dates.get_timezone(zone_ or zone()), locale=_locale(current())
    )


FILTERS = {"number": number, "percent": percent, "seconds": seconds, "date_time": date_time}
