"""Whether campaigns that run can dial at all: their records, their pacing, their drops (OPS-01, DIALER-05)."""

from __future__ import annotations

from routing.app.doctor.findings import Findings
from routing.app.live.campaigns import CampaignRow, campaign_rows
from routing.core.campaign import CampaignState
from routing.core.campaign_rules import DialMode
from routing.core.world import World
from routing.store.front import Front

UNPACED_S = 10.0


def check(findings: Findings, front: Front, now_ms: int) -> None:
    """Raises StoreError."""
    running = [row for row in campaign_rows(World(front.load())) if row.state == CampaignState.RUNNING]
    for row in running:
        _check(findings, row, now_ms)
    if running:
        findings.ok("campaigns", f"{len(running)} running: {', '.join(row.id for row in running)}")


def _check(findings: Findings, row: CampaignRow, now_ms: int) -> None:
    where = f"campaign {row.id}"
    if row.joined and not row.hopper:
        findings.warn(where, "agents have joined, and no record is ready", f"see switchroom campaign why {row.id}")
    silent_s = (now_ms - max(row.paced_at_ms or 0, row.since_ms or 0)) / 1000
    if row.mode == DialMode.PREDICTIVE and silent_s > UNPACED_S and row.joined:
        detail = f"it runs, and nothing has paced it for {silent_s:.0f} s"
        findings.error(where, detail, "start a worker and a ticker; then see the worker's log")
    if row.drops.drop_rate is not None and row.drops.cap and row.drops.drop_rate > row.drops.cap:
        detail = f"{row.drops.drop_rate:.1%} of its answered calls were dropped, over its cap of {row.drops.cap:.1%}"
        findings.error(where, detail, f"see switchroom campaign drops {row.id}; pause it, or make it progressive")
