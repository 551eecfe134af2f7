"""Advice on a campaign's mode, from its own figures: the policies themselves, in simulated shifts (DIALER-12)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec

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


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a process of its own."""

    agents: int
    measured: Measured
    target: float
    seeds: int


def ask_apart(asked: Ask, timeout_s: float) -> dict[str, Any]:
    """The advice as JSON, computed in another process, so that this one goes on. Raises TimeoutError, OSError."""
    command = [sys.executable, "-m", "routing.sim.pacing.campaign_advice"]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(asked), capture_output=True, timeout=timeout_s, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no advice within {timeout_s:g} s") from error
    except subprocess.CalledProcessError as error:
        raise OSError(error.stderr.decode("utf-8", "replace")[-500:]) from error
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def main() -> None:
    """One question on standard input, its answer on standard output; everything else goes first."""
    os.nice(10)
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Ask)
    found = advise(Question(agents=asked.agents, measured=asked.measured, target=asked.target, seeds=asked.seeds))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
