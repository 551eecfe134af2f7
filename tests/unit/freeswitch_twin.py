"""How FreeSWITCH 1.10 takes a line of a command apart, said again in Python from its behaviour (switch_utils.c)."""

from __future__ import annotations

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def cleaned(text: str, delimiter: str = "") -> str:
    """A piece without its quotes and escapes, and without the blanks around it."""
    text = text.lstrip(" ")
    out: list[str] = []
    end = position = 0
    is_quoted = False
    while position < len(text):
        here, after = text[position], text[position + 1 : position + 2]
        if here == "\\" and (after in {"'", '"', "\\", delimiter} - {""} or after in _ESCAPES):
            is_plain = after in {"'", '"', "\\", delimiter}
            out.append(after if is_plain else _ESCAPES[after])
            position += 1
            end = len(out)
        elif here == "'" and (is_quoted or "'" in text[position + 1 :]):
            is_quoted = not is_quoted
            end = len(out) if is_quoted else end
        else:
            out.append(here)
            end = len(out) if here != " " or is_quoted else end
        position += 1
    return "".join(out[:end])


def by_blanks(text: str, most: int) -> list[str]:
    """At most so many words; the last one has all the rest."""
    words: list[str] = []
    position = 0
    while position < len(text) and len(words) < most:
        begin = position
        if len(words) == most - 1:
            words.append(text[begin:])
            break
        while position < len(text) and text[position] == " ":
            position += 1
        position = _end_of_word(text, position)
        words.append(text[begin:position])
        while position < len(text) and text[position] == " ":
            position += 1
    return [cleaned(word) for word in words]


def _end_of_word(text: str, position: int) -> int:
    is_quoted = False
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "'":
            is_quoted = not is_quoted
        elif text[position] == " " and not is_quoted:
            return position
        position += 1
    return len(text)


def by(delimiter: str, text: str) -> list[str]:
    """As for `,` and `=` in braces."""
    pieces, begin, position, is_quoted = list[str](), 0, 0, False
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "'" and (is_quoted or "'" in text[position + 1 :]):
            is_quoted = not is_quoted
        elif text[position] == delimiter and not is_quoted:
            pieces.append(text[begin:position])
            begin = position + 1
        position += 1
    return [cleaned(piece, delimiter) for piece in [*pieces, text[begin:]] if piece]


def dialed(text: str) -> tuple[dict[str, str], str]:
    """`{name=value,...}dial string`: what becomes of it."""
    depth, end = 1, 0
    while depth:
        end += 1
        depth += (text[end] == "{") - (text[end] == "}")
    pairs = (by("=", pair) for pair in by(",", text[1:end]))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}, text[end + 1 :]
