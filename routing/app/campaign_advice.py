"""Advice on a campaign's mode, from its own figures: the policies themselves, in simulated shifts (DIALER-12)."""

from __future__ import annotations

from routing.core.campaign_rules import AttemptResult, Campaign
from routing.core.errors import DomainError
from routing.sim.pacing.adviser import Advice, Question, advise
from routing.sim.pacing.measured import Measured
from routing.store.sql.campaign_measures import Measures

LEAST_ATTEMPTS = 100  # fewer say little
MEASURED_DAYS = 30

# As the simulator knows them; what is not here is a number that cannot be reached.
_RESULTS = {
    AttemptResult.NO_ANSWER: "noanswer",
    AttemptResult.CANCELLED: "noanswer",
    AttemptResult.MACHINE: "machine",
    AttemptResult.BUSY: "busy",
    AttemptResult.REJECTED: "busy",
    AttemptResult.CONGESTION: "busy",
}


class TooFewAttempts(DomainError):
    """`attempts` there are, `needed` would be."""

    code = "advice-not-possible"
    template = "{attempts} attempts of the last 30 days say too little, {needed} are needed; give a rate"


def measured(found: Measures, wrap_up_s: float, rate: float = 0.0) -> Measured:
    """`rate`: of answers, where it is known from elsewhere. Raises TooFewAttempts."""
    known = {} if rate else _known(found)
    talk = {"talk_s": found.talk_s} if found.talk_s else {}
    return Measured(answer_rate=rate or found.persons / found.attempts, wrap_up_s=wrap_up_s, **known, **talk)  # type: ignore[arg-type]


def _known(found: Measures) -> dict[str, object]:
    if found.attempts < LEAST_ATTEMPTS or not found.persons:
        raise TooFewAttempts(attempts=found.attempts, needed=LEAST_ATTEMPTS)
    shares: dict[str, float] = {}
    for result, count in found.results.items():
        name = _RESULTS.get(AttemptResult(result), "invalid")
        shares[name] = shares.get(name, 0) + count / found.attempts
    return {"results": shares or None, "ring_s": found.ring_s}


def advice(campaign: Campaign, agents: int, figures: Measured, seeds: int = 0) -> Advice:
    """Takes some seconds for a small team, up to minutes for a large one."""
    return advise(Question(agents=agents, measured=figures, target=campaign.pacing.cap, seeds=seeds))
