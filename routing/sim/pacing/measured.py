"""A campaign's own figures as a scene: what a file says of it, or what the dialer has learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from routing.core.errors import ConfigError
from routing.sim.pacing.laws import Exponential, Gamma, LogNormal, Weibull
from routing.sim.pacing.scene import LAWS, REST, Laws, Scene

_RING_SHAPE = 2.0
_WRAP_UP_STAGES = 2
_SETUP_STAGES = 4


class MeasuredRefused(ConfigError):
    code = "measured-refused"
    template = "{reason}"


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Means in seconds; what is not given is as in the simulator's own traffic. `answer_rate`: 0-1, of all calls.

    `results`: shares of the calls that nobody answers, of noanswer, machine, busy and invalid; they are scaled to 1.
    `talk_variation`: standard deviation over mean. `patience_s`: how long people wait who wait for an agent.
    """

    answer_rate: float
    results: dict[str, float] | None = None
    setup_s: float | None = None
    ring_s: float | None = None
    ring_timeout_s: float = 25.0
    talk_s: float = 110.0
    talk_variation: float = 1.0
    wrap_up_s: float = 20.0
    patience_s: float | None = None
    lines: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.answer_rate <= 1:
            raise MeasuredRefused(reason="answer_rate is more than 0 and at most 1")
        spans = (self.setup_s, self.ring_s, self.ring_timeout_s, self.talk_s, self.talk_variation, self.patience_s)
        if any(span is not None and span <= 0 for span in spans) or self.wrap_up_s < 0:
            raise MeasuredRefused(reason="times are more than 0 seconds")
        if self.results is not None and not _is_shares(self.results):
            raise MeasuredRefused(reason=f"results are shares of {', '.join(REST)}")
        if self.lines is not None and self.lines < 1:
            raise MeasuredRefused(reason="lines are 1 or more")

    def scene(self, agents: int = 1) -> Scene:
        """One shift of it, with no scenario yet."""
        total = sum((self.results or REST).values())
        return Scene(
            agents=agents,
            answer_rate=self.answer_rate,
            rest={name: share / total for name, share in (self.results or REST).items()},
            laws=self._laws(),
            lines=self.lines,
            ring_timeout_s=self.ring_timeout_s,
        )

    def _laws(self) -> Laws:
        laws = replace(LAWS, talk=LogNormal(self.talk_s, self.talk_variation))
        laws = replace(laws, wrap_up=Gamma(max(self.wrap_up_s, 1e-3), _WRAP_UP_STAGES))
        if self.setup_s is not None:
            laws = replace(laws, setup=Gamma(self.setup_s, _SETUP_STAGES))
        if self.ring_s is not None:
            laws = replace(laws, ring=Weibull(self.ring_s / math.gamma(1 + 1 / _RING_SHAPE), _RING_SHAPE))
        if self.patience_s is not None:
            laws = replace(laws, patience=Exponential(self.patience_s))
        return laws


def _is_shares(results: Mapping[str, float]) -> bool:
    return results.keys() <= REST.keys() and all(share >= 0 for share in results.values()) and sum(results.values()) > 0


def read_measured(path: Path) -> Measured:
    """A JSON object with the fields of `Measured`. Raises MeasuredRefused."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    except OSError as error:
        raise MeasuredRefused(reason=f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise MeasuredRefused(reason=f"{path}: {error}") from error
