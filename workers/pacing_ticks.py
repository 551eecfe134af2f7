"""When a campaign's next pacing job is due: once in its period while it runs and agents have joined it."""

from __future__ import annotations

from routing.core.campaign import CampaignState
from routing.core.campaign_rules import DialMode
from routing.store.front import Front
from workers.jobs import Jobs


class PacingTicks:
    """Of one tenant, in its ticker."""

    def __init__(self, front: Front, jobs: Jobs) -> None:
        self._front, self._jobs = front, jobs
        self._next_ms: dict[str, int] = {}

    def __call__(self, now_ms: int) -> int:
        """Make the jobs that are due; how many. Raises StoreError."""
        live = [c for c in self._front.campaigns().values() if c.state is CampaignState.RUNNING and c.joined]
        if not live:
            self._next_ms.clear()
            return 0
        declared = self._front.config().campaigns
        due = []
        for campaign in live:
            rules = declared.get(campaign.id)
            if rules is None or rules.mode is not DialMode.PREDICTIVE or now_ms < self._next_ms.get(campaign.id, 0):
                continue
            # A little early, so that a tick that comes a moment sooner than a period ago does not skip one.
            self._next_ms[campaign.id] = now_ms + round(rules.pacing.period_s * 900)
            due.append(campaign.id)
        return len(due) if self._jobs.pace(due) else 0
