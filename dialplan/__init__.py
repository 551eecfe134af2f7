"""Dialplan parts which integrators include in their PBX, as data files."""
