"""The checker of flows (`dialplan.flows`) over the tables: its findings by file and line."""

from __future__ import annotations

from dialplan.flows.check import check_flows
from dialplan.flows.findings import Surroundings
from routing.app.config import resolve
from routing.app.config.models import KEYED
from routing.app.config.positions import KeyPath
from routing.app.config.problems import did_you_mean
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables


def check(sources: Sources, tables: Tables) -> None:
    """Errors and warnings of flows that are right in themselves, whatever is wrong elsewhere."""
    names = {section: frozenset(sources.entries(section)) for section in KEYED}
    around = Surroundings(config=resolve.flow_surroundings(tables), names=names)
    for finding in check_flows(around):
        reason = finding.reason + (did_you_mean(finding.word, finding.known) if finding.word else "")
        path = _written(sources, finding.path)
        (sources.error if finding.is_error else sources.warn)(path, reason)


def _written(sources: Sources, path: KeyPath) -> KeyPath:
    """The path as the file has it: the exit `next` may stand beside the others."""
    if path[-2:] != ("exits", "next"):
        return path
    raw = sources.sections
    for part in path[:-2]:
        raw = raw[part]  # type: ignore[index]
    return (*path[:-2], "next") if "next" in raw else path
