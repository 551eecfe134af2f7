"""Seeded scenarios of the whole core against the simulated PBX, on a virtual clock."""
