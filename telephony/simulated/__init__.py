"""A PBX in memory, on a virtual clock: SimulatedPbx, SimulatedPort, VirtualClock and the habits of people."""

from telephony.simulated.clock import VirtualClock
from telephony.simulated.pbx import SimulatedPbx
from telephony.simulated.port import LinkTimings, SimulatedPort

__all__ = ["LinkTimings", "SimulatedPbx", "SimulatedPort", "VirtualClock"]
