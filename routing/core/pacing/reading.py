"""What a snapshot says, whatever of it is there: missing keys are worked out from the others or taken as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BUSY = ("talk", "wrap", "inbound")


class Reading:
    """One snapshot, read once. Ages in seconds."""

    __slots__ = ("amd", "counters", "idle", "inbound", "lines_free", "logged", "ringing", "talk", "waiting", "wrap")

    def __init__(self, snap: Mapping[str, Any]) -> None:
        by_state: dict[str, list[float]] = {name: [] for name in _BUSY}
        agents = snap.get("agents") or ()
        idle = logged = 0
        for agent in agents:
            logged += 1
            if agent[0] == "idle":
                idle += 1
            else:
                by_state.get(agent[0], by_state["talk"]).append(float(agent[1]))
        self.talk, self.wrap, self.inbound = (self._aged(snap, name, by_state[name], agents) for name in _BUSY)
        self.idle = idle if agents else int(snap.get("n_idle") or 0)
        self.logged = logged if agents else int(snap.get("n_logged") or self._sum())
        self.ringing: list[float] = []
        self.amd: list[float] = []
        calls = snap.get("calls")
        for call in calls or ():
            (self.amd if call[1] == "amd" else self.ringing).append(float(call[0]))
        if calls is None:
            self.ringing = [5.0] * int(snap.get("n_inflight") or 0)
        waiting = snap.get("waiting")
        self.waiting = [0.0] * int(snap.get("live_waiting") or 0) if waiting is None else [float(w) for w in waiting]
        lines = snap.get("lines_free")
        self.lines_free = None if lines is None else max(0, int(lines))
        self.counters: Mapping[str, Any] = snap.get("counters") or {}

    @staticmethod
    def _aged(snap: Mapping[str, Any], name: str, ages: list[float], agents: Any) -> list[float]:
        """Without a list of agents their number is all there is: take them as in the middle of things."""
        return ages if agents else [10.0 if name == "wrap" else 50.0] * int(snap.get("n_" + name) or 0)

    def _sum(self) -> int:
        return self.idle + len(self.talk) + len(self.wrap) + len(self.inbound)

    @property
    def under_way(self) -> int:
        """Calls out that an agent may be needed for: ringing, being examined, waiting."""
        return len(self.ringing) + len(self.amd) + len(self.waiting)

    def count(self, name: str) -> int:
        return int(self.counters.get(name) or 0)
