"""The pages in the reader's language."""

from __future__ import annotations

import re

import pytest

from routing.desk.catalogues import catalogue, missing, template
from routing.desk.language import ENGLISH, LANGUAGES

TRANSLATED = sorted(set(LANGUAGES) - {ENGLISH})
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|\{\w*\}")


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing(language: str) -> None:
    assert [message.id for message in missing(language)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    wrong = []
    for message in catalogue(language):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, list | tuple) else [message.id]
        strings = message.string if isinstance(message.string, list | tuple) else [message.string]
        wanted = {found for text in ids for found in _PLACEHOLDER.findall(text)}
        # A form for one need not say the number.
        if {found for text in strings for found in _PLACEHOLDER.findall(text or "")} != wanted:
            wrong.append(message.id)
    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_can_be_filled_in(language: str) -> None:
    """Templates fill in every text, also one without a placeholder: a bare percent sign would break its page."""
    strings = [m.string if isinstance(m.string, list | tuple) else [m.string] for m in catalogue(language) if m.id]
    for text in (text for forms in strings for text in forms if text):
        assert text % dict.fromkeys(_PLACEHOLDER.findall(text), "x")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_no_text_that_is_gone(language: str) -> None:
    there = {(message.id, message.context) for message in template()}
    gone = [
        m.id for m in catalogue(language) if m.id and (_key(m.id), m.context) not in {(_key(i), c) for i, c in there}
    ]
    assert gone == []


def _key(text: object) -> object:
    return tuple(text) if isinstance(text, list) else text
