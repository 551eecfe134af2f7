"""Pieces of FreeSWITCH's XML: those that belong to this version, and those that a FreeSWITCH has loaded. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from xml.parsers import expat

_NO_ENTITIES = "entities are not read"


@dataclass(slots=True)
class Piece:
    """An element without its text, of which neither dialplans nor settings have any; two are equal with all below."""

    tag: str
    attributes: dict[str, str]
    children: list[Piece] = field(default_factory=list)

    def all(self, tag: str) -> list[Piece]:
        """Everywhere below."""
        found = [child for child in self.children if child.tag == tag]
        return found + [below for child in self.children for below in child.all(tag)]

    def params(self) -> dict[str, str]:
        """Its settings; names have no case, the last one counts."""
        return {p.attributes.get("name", "").lower(): p.attributes.get("value", "") for p in self.all("param")}


def piece_of(text: str) -> Piece | None:
    """None when it is no XML, as FreeSWITCH's words for `there is none`."""
    root = Piece("", {})
    path = [root]
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        path[-1].children.append(Piece(tag, attributes))
        path.append(path[-1].children[-1])

    def refuse(*_: object) -> None:
        raise ValueError(_NO_ENTITIES)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        return None
    return root.children[0]


def shipped_contexts() -> dict[str, Piece]:
    """The dialplan of this version, by context."""
    return {piece.attributes["name"]: piece for piece in _shipped("switchroom.xml").all("context")}


def shipped_profile() -> Piece:
    """The conference profile of this version."""
    return _shipped("conference.xml").all("profile")[0]


def _shipped(name: str) -> Piece:
    piece = piece_of((files("dialplan") / "freeswitch" / name).read_text(encoding="utf-8"))
    if piece is None:
        raise ValueError(f"{name} is no XML")
    return piece
