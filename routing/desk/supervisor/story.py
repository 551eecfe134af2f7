"""The story of one interaction, live and afterwards: a time line, the same as a table, and why it went to whom."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.api.services import services
from routing.core.events import Event
from routing.desk.door import person
from routing.desk.regions import Region
from routing.desk.site import pages
from routing.desk.supervisor import story_words
from routing.desk.supervisor.calls import telephones
from routing.desk.supervisor.frame import show
from routing.desk.supervisor.live import story
from routing.desk.supervisor.names import cad_label, name_of, queue_label, team_label
from routing.desk.supervisor.story_bars import kinds_of, time_line
from routing.desk.supervisor.story_decisions import decisions_of
from routing.desk.supervisor.story_facts import facts_of
from routing.desk.supervisor.story_moments import moments


def _asked_for() -> str:
    return str((request.view_args or {})["interaction_id"])


def _story() -> str:
    facts = facts_of(_asked_for())
    line = time_line(facts, services().clock.now_ms())
    return render_template(
        "supervisor/story_parts.html",
        facts=facts,
        line=line,
        legend=[(kind, story_words.LEGEND[kind]) for kind in kinds_of(line)],
        moments=moments(facts),
        decisions=decisions_of(facts),
    )


def _concerns(event: Event) -> bool:
    return event.interaction_id == _asked_for()


story.add(Region(name="story", render=_story, touched_by=("*",), throttle_s=0.5, refresh_s=2.0, concerns=_concerns))


@pages.get("/supervisor/interactions/<interaction_id>")
def story_page(interaction_id: str) -> str | AnyResponse:
    listeners = None if person().agent_id else telephones()
    return show("supervisor/story.html", live=story, interaction_id=interaction_id, listeners=listeners)


@pages.get("/supervisor/recordings/<recording_id>")
def recording_file(recording_id: str) -> Response:
    """The sound, or the part of it that the browser's player asks for; each access is in the audit."""
    part = request.headers.get("Range")
    return person().api.file(f"recordings/{recording_id}/file", headers={"Range": part} if part else None)


def may_listen_to(recording: dict[str, object]) -> bool:
    """Whether there is a whole file, for who may hear it."""
    is_there = bool(recording["stopped_at"]) and not recording["deleted_at"]
    return is_there and Scope.RECORDINGS_READ in person().principal.scopes


pages.add_app_template_filter(may_listen_to, "may_listen_to")
pages.add_app_template_filter(name_of, "agent_name")
pages.add_app_template_filter(queue_label, "queue_label")
pages.add_app_template_filter(cad_label, "cad_label")
pages.add_app_template_filter(team_label, "team_label")
pages.add_app_template_filter(story_words.listening_mode, "listening_mode")
pages.add_app_template_filter(story_words.listening_state, "listening_state")
