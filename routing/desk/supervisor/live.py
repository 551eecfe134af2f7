"""The live pages to which the modules of this folder add their regions."""

from __future__ import annotations

from routing.desk.regions import LivePage

wallboard = LivePage("wallboard")
