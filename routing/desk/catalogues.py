"""The catalogues of texts: `python -m routing.desk.catalogues` brings each in line with what the pages say now.

New texts are added without a translation, those that are gone are removed; what is translated stays.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from routing.api.problem_kinds import KINDS
from routing.desk.language import ENGLISH, LANGUAGES

FOLDER = Path(__file__).parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}


def template() -> Catalog:
    """Every text that the pages show, in English."""
    found = Catalog(project="Switchroom", charset="utf-8")
    for name, _, text, comments, context in _extracted():
        found.add(text, None, [(name, 0)], auto_comments=comments, context=context)
    for code, kind in KINDS.items():
        found.add(kind.title, None, [(f"problem {code}", 0)])
    return found


def _extracted() -> Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    return extract_from_dir(
        FOLDER, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    )


def path_of(language: str) -> Path:
    return FOLDER / "locales" / language / "LC_MESSAGES" / "desk.po"


def catalogue(language: str) -> Catalog:
    """As it is on the disk; empty where there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Switchroom", charset="utf-8")
    return read_po(io.BytesIO(path.read_bytes()), locale=language)


def missing(language: str) -> list[Message]:
    """Texts of the pages without a translation."""
    there = catalogue(language)
    found = []
    for wanted in template():
        kept = there.get(wanted.id, wanted.context) if wanted.id else None
        if wanted.id and (kept is None or kept.fuzzy or not _is_full(kept)):
            found.append(wanted)
    return found


def _is_full(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, list | tuple) else bool(message.string)


def main() -> None:
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        kept = catalogue(language)
        kept.update(template(), no_fuzzy_matching=True)
        kept.obsolete.clear()
        kept.fuzzy = False
        kept.header_comment = "# Texts of the pages; made by `python -m routing.desk.catalogues`, translated by hand."
        out = io.BytesIO()
        write_po(out, kept, width=120, sort_output=True, no_location=True, omit_header=False)
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        # When it was written says nothing, and would differ at every run.
        lines = [line for line in out.getvalue().decode().splitlines() if not _is_of_the_moment(line)]
        path_of(language).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _is_of_the_moment(line: str) -> bool:
    return line.startswith(('"POT-Creation-Date:', '"PO-Revision-Date:', '"Generated-By:', '"Last-Translator:'))


if __name__ == "__main__":
    main()
