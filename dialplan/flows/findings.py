"""What the checker finds, and what it must know of the configuration around the flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from routing.core.config import Config
from routing.core.declarations import CadVariable
from routing.core.flow import Flow, FlowStep

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake. `path`: keys of the configuration files, from `flows` on. `is_error`: else it is a warning.

    `word`: a name that is unknown, `known`: those that it may have been meant for.
    """

    path: Path
    reason: str
    is_error: bool = True
    word: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`config`: what is right in itself, at least flows, prompts, entry points, CAD and languages.

    `names`: section of the files -> the names that exist there, those of wrong entries included.
    """

    config: Config
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, section: str, name: str) -> bool:
        return name in self.names.get(section, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The step that is looked at, with the variables of each entry point that leads to it, by entry point.

    Where none leads to it, the tenant's and the flow's own are under the empty name.
    """

    around: Surroundings
    flow: Flow
    step: FlowStep
    cad: Mapping[str, Mapping[str, CadVariable]]

    def path(self, *keys: str | int) -> Path:
        return ("flows", self.flow.id, "steps", self.step.id, *keys)

    def error(self, reason: str, *keys: str | int, word: str = "", known: Iterable[str] = ()) -> Finding:
        return Finding(path=self.path(*keys), reason=reason, word=word, known=tuple(sorted(known)))

    def warning(self, reason: str, *keys: str | int) -> Finding:
        return Finding(path=self.path(*keys), reason=reason, is_error=False)

    def variables(self, name: str) -> list[CadVariable]:
        """The declarations of that name, of all entry points that lead here."""
        return [declared[name] for declared in self.cad.values() if name in declared]
