"""The story of an interaction as lines of a table: the same that the time line draws, for who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from routing.desk.language import DASH, seconds
from routing.desk.language import gettext as _
from routing.desk.supervisor.clock import ms_of
from routing.desk.supervisor.names import cad_label, name_of, queue_label
from routing.desk.supervisor.story_facts import Facts, Row
from routing.desk.supervisor.story_words import requirement, sentence
from routing.desk.words_calls import cad_author, outcome, party_role
from routing.desk.words_work import ended_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`kind`: one of the legend, or empty. `about`: values and texts of people. `link`: within the page."""

    at: str
    kind: str
    text: str
    about: str = ""
    link: str = ""


def moments(facts: Facts) -> list[Moment]:
    """By time; what came in the same moment, as it is told."""
    found = [*_of_events(facts), *_of_decisions(facts), *_of_history(facts)]
    if not facts.events and facts.first("ended_at"):
        text = _("Ends; ended by %(who)s") % {"who": name_of(ended_by(facts.first("ended_by") or "")) or DASH}
        found.append(Moment(at=facts.first("ended_at"), kind="", text=text))
    return sorted(found, key=lambda moment: ms_of(moment.at))


def _of_events(facts: Facts) -> Iterator[Moment]:
    modes: dict[str, str] = {}  # of those who listen
    for event in facts.events:
        if event["type"].startswith("supervision.") and _listens_the_same(event, modes):
            continue
        text = sentence(event, has_history=facts.history is not None)
        if text:
            yield Moment(at=event["at"], kind=_kind(event["type"]), text=text, about=_about(event["data"]))


def _listens_the_same(event: Row, modes: dict[str, str]) -> bool:
    """Whether nothing has changed but whether the PBX has confirmed it."""
    told = event["data"]
    before, now = modes.get(told["supervision_id"]), str(told["mode"])
    modes[told["supervision_id"]] = now
    return event["type"] == "supervision.changed" and before == now


def _kind(type_: str) -> str:
    if type_.startswith("flow."):
        return "flow"
    if type_.startswith("supervision."):
        return "listen"
    return "wait" if type_ in ("interaction.queued", "interaction.requeued") else ""


def _about(told: Row) -> str:
    parts = [_("skills: %(skills)s") % {"skills": requirement(told["requires"])} if told.get("requires") else ""]
    parts += [str(told[name]) for name in ("digits", "reason", "holiday", "text") if told.get(name)]
    if isinstance(told.get("cad"), dict):
        parts.append(values(told["cad"]))
    return "; ".join(part for part in parts if part)


def values(cad: dict[str, str]) -> str:
    return "; ".join(f"{cad_label(name)}: {value}" for name, value in cad.items())


def _of_decisions(facts: Facts) -> Iterator[Moment]:
    for place, decision in enumerate(facts.decisions):
        names = ", ".join(name_of(agent_id) for agent_id in decision["winners"]) or _("nobody")
        text = _("Routing decision for queue %(queue)s: %(agents)s") % {
            "queue": queue_label(decision["queue"]),
            "agents": names,
        }
        yield Moment(at=decision["at"], kind="decision", text=text, link=f"#decision-{place + 1}")


def _of_history(facts: Facts) -> Iterator[Moment]:
    history = facts.history
    if history is None:
        return
    for leg in history["legs"]:
        yield from _leg(leg)
    for offer in history["offers"]:
        yield from _offer(offer)
    for hold in history["holds"]:
        yield from _hold(hold)
    for recording in history["recordings"]:
        yield from _recording(recording)
    yield from _versions(history["cad_versions"])
    yield from _written(history)


def _leg(leg: Row) -> Iterator[Moment]:
    who = name_of(leg["agent_id"]) or str(leg["number"] or party_role(leg["role"]))
    text = _("%(who)s joins: %(role)s") % {"who": who, "role": party_role(leg["role"])}
    yield Moment(at=leg["joined_at"], kind="call" if leg["role"] == "customer" else "talk", text=text)
    if leg["left_at"]:
        yield Moment(at=leg["left_at"], kind="", text=_("%(who)s leaves the call") % {"who": who})


def _offer(offer: Row) -> Iterator[Moment]:
    who = name_of(offer["agent_id"]) or str(offer["number"] or "")
    yield Moment(at=offer["offered_at"], kind="offer", text=_("Offered to %(who)s") % {"who": who})
    if offer["ended_at"]:
        rang = seconds((ms_of(offer["ended_at"]) - ms_of(offer["offered_at"])) / 1000)
        told = {"who": who, "outcome": outcome(offer["outcome"] or DASH), "time": rang}
        yield Moment(at=offer["ended_at"], kind="", text=_("Offer to %(who)s: %(outcome)s after %(time)s") % told)


def _hold(hold: Row) -> Iterator[Moment]:
    yield Moment(at=hold["held_at"], kind="hold", text=_("On hold"))
    if hold["resumed_at"]:
        time = seconds((ms_of(hold["resumed_at"]) - ms_of(hold["held_at"])) / 1000)
        yield Moment(at=hold["resumed_at"], kind="", text=_("The hold ends after %(time)s") % {"time": time})


def _recording(recording: Row) -> Iterator[Moment]:
    who = name_of(recording["agent_id"])
    if recording["started_at"]:
        yield Moment(
            at=recording["started_at"], kind="record", text=_("The recording of %(who)s begins") % {"who": who}
        )
    for mark in recording["marks"]:
        is_pause = mark["kind"] == "paused"
        text = _("The recording pauses") if is_pause else _("The recording goes on")
        by = name_of(mark["by"].removeprefix("agent:"))
        yield Moment(at=mark["at"], kind="pause" if is_pause else "record", text=text, about=by)
    if recording["stopped_at"]:
        yield Moment(at=recording["stopped_at"], kind="", text=_("The recording ends"))


def _versions(versions: list[Row]) -> Iterator[Moment]:
    """Each with what it made of what was there before."""
    known: dict[str, str] = {}
    for version in versions:
        author = name_of(cad_author(version["author"])) or _("as the call brought it")
        text = _("Call data, version %(version)s (%(who)s)") % {"version": version["version"], "who": author}
        yield Moment(at=version["at"], kind="data", text=text, about=changes(known, version["changes"]))
        known |= version["changes"]


def changes(before: dict[str, str], now: dict[str, str]) -> str:
    parts = [f"{before[name]} → {value}" if before.get(name) else value for name, value in now.items()]
    return "; ".join(f"{cad_label(name)}: {part}" for name, part in zip(now, parts, strict=True))


def _written(history: Row) -> Iterator[Moment]:
    """What agents wrote, sent and chose."""
    for note in history["notes"]:
        text = _("Note of %(who)s") % {"who": name_of(note["author"].removeprefix("agent:"))}
        yield Moment(at=note["at"], kind="note", text=text, about=note["text"])
    for digits in history["digits"]:
        text = _("%(who)s sends digits") % {"who": name_of(digits["agent_id"])}
        yield Moment(at=digits["at"], kind="digits", text=text, about=digits["digits"])
    for wrap_up in history["wrap_ups"]:
        who = name_of(wrap_up["agent_id"])
        if wrap_up["started_at"]:
            yield Moment(at=wrap_up["started_at"], kind="wrap", text=_("%(who)s wraps up") % {"who": who})
        if wrap_up["ended_at"]:
            told = {"who": who, "reason": wrap_up["reason"] or DASH}
            text = _("%(who)s has wrapped up: %(reason)s") % told
            yield Moment(at=wrap_up["ended_at"], kind="", text=text)
