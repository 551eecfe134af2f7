"""Whether the server's own processes run and the files are applied."""

from __future__ import annotations

from routing.app.config.plan import make_plan
from routing.app.doctor.findings import Findings
from routing.core.config import Config
from routing.core.world import WorldState
from routing.store.port import StoreHealth
from routing.store.sealing import SealKeys

_LATE_MS = 2000


def engine(findings: Findings, health: StoreHealth) -> None:
    """The lease is the engine's heartbeat; the lag tells whether it keeps up."""
    if health.owner is None:
        findings.error("engine", "no engine runs", "start one: switchroom up, or switchroom engine")
    else:
        findings.ok("engine", f"{health.owner} leads")
    if health.lag_ms > _LATE_MS:
        detail = f"{health.waiting_inputs} inputs wait, {health.lag_ms} ms behind"
        findings.warn("lag", detail, "see the engine's log; is the machine overloaded?")
    else:
        findings.ok("lag", f"{health.waiting_inputs} inputs wait")


def links(findings: Findings, state: WorldState) -> None:
    """A connector per PBX, with its link up."""
    for pbx in state.config.pbxs.values():
        if pbx.kind == "simulated":
            continue
        if state.links.get(pbx.id):
            findings.ok("link", f"the connector of {pbx.id} has its link")
        else:
            mend = f"start it: switchroom up, or switchroom connector {pbx.id}; then see its log"
            findings.error("link", f"the connector of {pbx.id} does not run or has no link", mend)


def configuration(findings: Findings, state: WorldState, files: Config | None) -> None:
    """Whether something is applied, and whether it is what the files say. `files` None: they hold errors."""
    revision = state.config.revision
    if not revision:
        findings.error("configuration", "nothing is applied", "switchroom apply")
    elif files is None:
        findings.warn("configuration", f"revision {revision} runs; the files hold errors", "switchroom check")
    elif changes := len(make_plan(state, files).changes):
        detail = f"revision {revision} runs; the files differ in {changes} place{'' if changes == 1 else 's'}"
        findings.warn("configuration", detail, "switchroom plan, then switchroom apply")
    else:
        findings.ok("configuration", f"revision {revision} runs, as in the files")


def cad_key(findings: Findings, keys: SealKeys, config: Config | None) -> None:
    """Whether call-associated data is encrypted at rest (SAFE-06). `config` None: what runs is not known."""
    if keys.problem:
        mend = "give it to every process, from your back-up, or correct server.cad_key_file"
        findings.error("cad_key", f"{keys.source}: {keys.problem}", mend)
    elif keys.keys:
        findings.ok("cad_key", f"{keys.keys[0].id} encrypts call-associated data, {len(keys.keys)} can be read")
    elif names := _secure(config):
        mend = "switchroom cad-key, server.cad_key_file; then restart"
        findings.warn("cad_key", f"Redis holds secure variables unencrypted: {', '.join(names)}", mend)


def _secure(config: Config | None) -> list[str]:
    points = config.entry_points.values() if config else ()
    common = config.cad if config else ()
    return sorted({v.name for v in (*common, *(v for point in points for v in point.cad)) if v.secure})
