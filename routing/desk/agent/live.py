"""The live page to which the modules of this folder add their regions."""

from __future__ import annotations

from routing.desk.regions import LivePage

page = LivePage("agent", sees=("pbx.link_changed", "config.applied"))
