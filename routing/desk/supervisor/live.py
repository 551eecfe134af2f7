"""The live pages to which the modules of this folder add their regions."""

from __future__ import annotations

from routing.desk.regions import LivePage

wallboard = LivePage("wallboard")
agents = LivePage("agents")
calls = LivePage("calls")
story = LivePage("story")
campaigns = LivePage("campaigns")
campaign = LivePage("campaign")
callbacks = LivePage("callbacks")
ALL = (wallboard, agents, calls, story, campaigns, campaign, callbacks)
