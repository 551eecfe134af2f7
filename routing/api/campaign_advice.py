"""`/v1/campaigns/ID/advice`: which mode fits, by simulated shifts in a process of their own (DIALER-12)."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.campaign_models import CampaignPath
from routing.api.campaigns import configured, now_ms, world_now
from routing.api.database import reading
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Out, Query
from routing.app.live.campaigns import state_of
from routing.sim.pacing.campaign_advice import MEASURED_DAYS, Ask, TooFewAttempts, ask_apart, measured
from routing.store.sql.campaign_measures import measures

api = APIBlueprint("campaign_advice", __name__, url_prefix="/v1/campaigns/<campaign_id>")
log = structlog.get_logger()

MOST_AGENTS = 30  # simulated here: some seconds of one processor
TIMEOUT_S = 55.0
_RETRY_S = 30
_turn = threading.Lock()  # one at a time in a process


class AdviceQuery(Query):
    agents: int | None = Field(default=None, ge=1, le=2000, description="The team; by default who has joined")
    rate: float | None = Field(
        default=None, gt=0, le=1, description="Share of calls that a person answers; by default as measured"
    )
    wrap_up_s: float = Field(default=20, ge=0, le=3600, description="Mean")


class ExpectedOut(Out):
    """What a mode gives. Shares are 0 to 1, `_low` and `_high` of the worst and the best shift."""

    mode: str
    utilization: float = Field(description="Of the agents' time")
    utilization_low: float
    utilization_high: float
    calls_per_agent_hour: float
    abandonment: float = Field(description="Of the calls that a person answers")
    abandonment_high: float
    abandoned_per_hour: float
    dialed_per_connection: float
    is_allowed: bool = Field(description="It keeps to the campaign's cap")
    why_not: str


class AdviceOut(Out):
    mode: str
    reasons: list[str] = Field(description="In plain words, the most important one first")
    expected: list[ExpectedOut]
    simulated_agents: int
    shifts: int
    shift_hours: float


@api.get("/advice", operation_id="adviseCampaign", responses={200: AdviceOut})
@needs(Scope.CAMPAIGNS_READ)
def get_advice(path: CampaignPath, query: AdviceQuery) -> dict[str, Any]:
    """Preview, progressive or predictive, by its attempts of the last 30 days: the policies themselves, simulated.

    It takes some seconds. The answer is the same for the same figures.
    """
    world = world_now()
    campaign = configured(world.config, path.campaign_id)
    with reading() as connection:
        found = measures(connection, current().tenant, campaign.id, now_ms() - MEASURED_DAYS * 86_400_000)
    agents = query.agents or len(state_of(world, campaign.id).joined)
    if not agents:
        raise Problem("advice-not-possible", "nobody has joined it: say for how many agents")
    try:
        figures = measured(found, query.wrap_up_s, query.rate or 0.0)
    except TooFewAttempts as error:
        raise Problem.of(error) from error
    simulated = min(agents, MOST_AGENTS)
    seeds = 2 if simulated < MOST_AGENTS // 3 else 1
    return _asked(Ask(agents=simulated, measured=figures, target=campaign.pacing.cap, seeds=seeds))


def _asked(asked: Ask) -> dict[str, Any]:
    """Raises Problem."""
    if not _turn.acquire(blocking=False):
        raise Problem("too-many-requests", "this server is at one already", {"Retry-After": str(_RETRY_S)})
    try:
        return ask_apart(asked, TIMEOUT_S)
    except TimeoutError as error:
        raise Problem("advice-not-possible", str(error)) from error
    except OSError as error:
        log.error("advice_failed", reason=str(error))
        raise Problem("internal-error", "the simulation failed; the log of the server says why") from error
    finally:
        _turn.release()
