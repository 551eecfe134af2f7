"""The page that a desktop opens when a call is offered: an entry point's URL template with the call filled in (API-10).

`https://crm.example/open?case={cad.case_id}&from={ani}&id={interaction_id}`; values are percent-encoded (RFC 3986), so
that none of them adds to the URL more than the text of a path segment or of a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from routing.core.config import Config
from routing.core.interaction import Interaction

PLACEHOLDERS = ("ani", "dnis", "queue", "entry_point", "interaction_id", "agent_id")
CAD = "cad."
MAX_TEMPLATE = 1000

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Scheme and host are the administrator's alone: no placeholder, no user name.
_BEGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?=[/?#]|$)", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]*")


def screen_pop(config: Config, interaction: Interaction, agent_id: str) -> str:
    """The URL for this agent and call; empty where its entry point has none.

    Values that are missing are empty, and so are variables that are secure: a URL stays in histories and logs.
    """
    entry_point = config.entry_points.get(interaction.entry_point)
    if entry_point is None or not entry_point.screen_pop:
        return ""
    values = _values(config, interaction, agent_id)
    return _PLACEHOLDER.sub(lambda found: _encoded(values.get(found[1], "")), entry_point.screen_pop)


def _values(config: Config, interaction: Interaction, agent_id: str) -> dict[str, str]:
    declared = config.cad_of(interaction.entry_point)
    open_ = {n: v for n, v in interaction.cad.items() if n in declared and not declared[n].secure}
    return {CAD + name: value for name, value in open_.items()} | {
        "ani": interaction.ani,
        "dnis": interaction.dnis,
        "queue": interaction.queue,
        "entry_point": interaction.entry_point,
        "interaction_id": interaction.id,
        "agent_id": agent_id,
    }


def _encoded(value: str) -> str:
    """As text alone; dots alone could be steps of a path even when encoded, and are left out."""
    return quote(value, safe="", errors="replace") if value.strip(".") else ""


def mistakes(template: str, is_secure: Mapping[str, bool]) -> Iterator[str]:
    """What is wrong with a template, in words; `is_secure`: by name, of the CAD variables of its entry point."""
    if len(template) > MAX_TEMPLATE or not _PLAIN.fullmatch(template):
        yield f"at most {MAX_TEMPLATE} characters of ASCII without spaces; encode others, as in %20"
    if not _BEGIN.match(template):
        yield "must begin with http:// or https:// and a host name without placeholders"
    if {"{", "}"} & {*_PLACEHOLDER.sub("", template)}:
        yield "'{' and '}' enclose the name of a placeholder; encode others, as in %7B"
    for name in dict.fromkeys(_PLACEHOLDER.findall(template)):
        variable = name.removeprefix(CAD)
        if name in PLACEHOLDERS:
            continue
        if name == variable:
            yield f"there is no placeholder {{{name}}}; there are {', '.join(PLACEHOLDERS)} and {CAD}NAME"
        elif variable not in is_secure:
            yield f"no CAD variable {variable!r} is declared for it"
        elif is_secure[variable]:
            yield f"the CAD variable {variable!r} is secure and must not get into a URL"
