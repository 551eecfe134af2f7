"""Lets a virtual clock follow the real one, for a running server with no PBX at hand."""

from __future__ import annotations

import asyncio

from telephony.simulated.clock import VirtualClock

# A submitted command plans its step from outside; it is seen at the latest after this.
LONGEST_NAP_S = 0.005


async def follow_real_time(clock: VirtualClock) -> None:
    """Advance `clock` as real time passes, until cancelled. Commands to its port are carried out within 5 ms."""
    loop = asyncio.get_running_loop()
    start_s, start_ms = loop.time(), clock.now_ms
    while True:
        clock.run_until(start_ms + round((loop.time() - start_s) * 1000))
        due_ms = clock.next_at_ms()
        until_due_s = (due_ms - clock.now_ms) / 1000 if due_ms is not None else LONGEST_NAP_S
        await asyncio.sleep(min(max(until_due_s, 0.001), LONGEST_NAP_S))
