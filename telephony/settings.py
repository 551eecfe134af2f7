"""How to reach one PBX, and how long things may take there: what all kinds have in common."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.link import LinkTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxSettings:
    """`pbx` is the node's id in facts and commands; times are in seconds.

    `action_timeout_s`: for the answer to one action. `step_timeout_s`: for a leg to be seen where it was sent;
    `step_attempts`: so often it is tried. `beat_interval_s`: how often the dialplan gets a sign of life.
    `sweep_interval_s`: how often the PBX's list of channels is compared with what events told.
    """

    pbx: str
    secret: str
    host: str = "127.0.0.1"
    port: int
    ping_interval_s: float = 1.0
    ping_deadline_s: float = 1.75
    connect_timeout_s: float = 3.0
    boot_timeout_s: float = 60.0
    snapshot_timeout_s: float = 10.0
    backoff_first_s: float = 0.2
    backoff_max_s: float = 5.0
    denied_retry_s: float = 30.0
    action_timeout_s: float = 3.0
    step_timeout_s: float = 2.0
    step_attempts: int = 4
    beat_interval_s: float = 5.0
    sweep_interval_s: float = 30.0
    max_outstanding: int = 2000

    def link_times(self) -> LinkTimes:
        """The same for the link's machine."""
        return LinkTimes(
            connect_ms=_ms(self.connect_timeout_s),
            authenticate_ms=_ms(self.connect_timeout_s),
            boot_ms=_ms(self.boot_timeout_s),
            sync_ms=_ms(self.snapshot_timeout_s),
            ping_interval_ms=_ms(self.ping_interval_s),
            ping_deadline_ms=_ms(self.ping_deadline_s),
            backoff_first_ms=_ms(self.backoff_first_s),
            backoff_max_ms=_ms(self.backoff_max_s),
            denied_ms=_ms(self.denied_retry_s),
        )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
