"""What is done with a call: one sub-resource per verb.

Whatever changes who hears whom is answered with 200 when the PBX has confirmed it, else with 202 and the version to
wait for. Hanging up the telephone itself does the same as `/end`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, model_validator

from routing.api.confirm import Obeyed, obey_confirmed
from routing.api.idempotency import idempotent
from routing.api.interactions import InteractionPath, found, shown_now
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.schemas import Body, Path
from routing.api.views_models import InteractionOut
from routing.core.orders import (
    AddNote,
    CancelOutdial,
    EndInteraction,
    ExtendWrapUp,
    FinishWrapUp,
    Hold,
    Invite,
    OnConsult,
    Order,
    PauseRecording,
    ReplayMessage,
    Resume,
    ResumeRecording,
    SendDigits,
    StartConsult,
    Transfer,
)
from routing.core.roles import Action

api = APIBlueprint("commands", __name__, url_prefix="/v1/interactions/<interaction_id>")
CONFIRMED: dict[Any, Any] = {200: InteractionOut, 202: InteractionOut}
Answer = tuple[dict[str, Any], int, dict[str, str]]


class OfAgent(Body):
    agent_id: str | None = Field(default=None, max_length=64, description="For whom; an agent's own by default")


class TargetType(StrEnum):
    AGENT = "agent"
    QUEUE = "queue"
    ENTRY_POINT = "entry_point"
    NUMBER = "number"


class Target(Body):
    """Where to: an `id` for agent, queue and entry point, a `number` as typed or pasted."""

    type: TargetType
    id: str = Field(default="", max_length=64)
    number: str = Field(default="", max_length=128, examples=["+1 (202) 555-0143"])

    @model_validator(mode="after")
    def _one(self) -> Target:
        wanted, other = (self.number, self.id) if self.type is TargetType.NUMBER else (self.id, self.number)
        if not wanted or other:
            raise ValueError("give number with type number, and id with every other type")
        return self

    def fields(self) -> dict[str, str]:
        """Of the order that takes it."""
        return {f"to_{self.type.value}": self.number or self.id}


class TransferIn(OfAgent):
    to: Target


class ConsultTarget(Target):
    """As of a transfer, but a consult cannot go to an entry point (CONS-02)."""

    @model_validator(mode="after")
    def _no_entry_point(self) -> ConsultTarget:
        if self.type is TargetType.ENTRY_POINT:
            raise ValueError("a consult goes to an agent, a queue or a number")
        return self


class ConsultIn(OfAgent):
    to: ConsultTarget


class DigitsIn(OfAgent):
    digits: str = Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$", examples=["1234#"])


class NoteIn(OfAgent):
    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")


class WrapUpIn(OfAgent):
    reason: str | None = Field(
        default=None, max_length=64, description="One of /v1/wrap-up-reasons; the queue's default"
    )


class ConsultAction(StrEnum):
    HOLD = "hold"
    RESUME = "resume"
    END = "end"
    CANCEL = "cancel"
    EXIT = "exit"
    TRANSFER = "transfer"
    CONFERENCE = "conference"


class ConsultPath(Path):
    interaction_id: str = Field(max_length=64)
    action: ConsultAction


class ConferenceAction(StrEnum):
    END = "end"
    EXIT = "exit"
    TRANSFER = "transfer"


class ConferencePath(Path):
    interaction_id: str = Field(max_length=64)
    action: ConferenceAction


_ON_CONSULT = {
    ConsultAction.HOLD: Action.HOLD_CONSULT,
    ConsultAction.RESUME: Action.RESUME_CONSULT,
    ConsultAction.END: Action.END_CONSULT,
    ConsultAction.CANCEL: Action.CANCEL_CONSULT,
    ConsultAction.EXIT: Action.EXIT_CONSULT,
    ConsultAction.TRANSFER: Action.COMPLETE_TRANSFER,
    ConsultAction.CONFERENCE: Action.CONFERENCE,
}
_ON_CONFERENCE = {
    ConferenceAction.END: Action.END_CONFERENCE,
    ConferenceAction.EXIT: Action.EXIT_CONFERENCE,
    ConferenceAction.TRANSFER: Action.COMPLETE_TRANSFER,
}


def command(kind: type[Order], interaction_id: str, body: OfAgent, **fields: Any) -> Answer:
    """Send it for the agent meant, wait for the PBX, answer with the interaction as it is then."""
    agent_id = current().acts_for(body.agent_id)
    found(interaction_id)
    obeyed = obey_confirmed(kind, interaction_id, agent_id=agent_id, **fields)
    return _answer(obeyed, interaction_id, agent_id)


def _answer(obeyed: Obeyed, interaction_id: str, agent_id: str) -> Answer:
    shown = shown_now(interaction_id, agent_id)
    status = 200 if obeyed.is_confirmed else 202
    return shown, status, {"Location": f"/v1/interactions/{interaction_id}"} if status == 202 else {}


@api.post("/hold", operation_id="holdInteraction", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def hold(path: InteractionPath, body: OfAgent) -> Answer:
    """The customer hears music and nobody else. In a consult: back to the second agent."""
    return command(Hold, path.interaction_id, body)


@api.post("/resume", operation_id="resumeInteraction", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def resume(path: InteractionPath, body: OfAgent) -> Answer:
    """Agent and customer hear each other again; a consulted agent goes on hold."""
    return command(Resume, path.interaction_id, body)


@api.post("/end", operation_id="endInteraction", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def end(path: InteractionPath, body: OfAgent) -> Answer:
    """The agent ends the call, as by hanging up his telephone; not possible while it is on hold (END-03).

    For the server it is over with the answer; the telephones are hung up at once, too.
    """
    return command(EndInteraction, path.interaction_id, body)


@api.post("/cancel", operation_id="cancelOutdial", responses=CONFIRMED)
@needs(Scope.OUTDIAL)
def cancel(path: InteractionPath, body: OfAgent) -> Answer:
    """Give up an outdial that nobody has answered yet (OUT-15)."""
    return command(CancelOutdial, path.interaction_id, body)


@api.post("/transfers", operation_id="transferInteraction", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def transfer(path: InteractionPath, body: TransferIn) -> Answer:
    """Blind: the agent leaves at once and wraps up. To an entry point the call data of equal name and type go along."""
    return command(Transfer, path.interaction_id, body, **body.to.fields())


@api.post("/consults", operation_id="startConsult", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def consult(path: InteractionPath, body: ConsultIn) -> Answer:
    """Seek a second agent while the customer waits with music."""
    return command(StartConsult, path.interaction_id, body, **body.to.fields())


@api.post("/consults/current/<action>", operation_id="actOnConsult", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def on_consult(path: ConsultPath, body: OfAgent) -> Answer:
    """hold, resume, end, cancel (before it is answered), exit (the second agent), transfer, conference."""
    return command(OnConsult, path.interaction_id, body, action=_ON_CONSULT[path.action].value)


@api.post("/conferences", operation_id="startConference", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def conference(path: InteractionPath, body: ConsultIn) -> Answer:
    """Instant form: the second agent joins as soon as he answers, the customer is not held (CONF-07)."""
    return command(Invite, path.interaction_id, body, **body.to.fields())


@api.post("/conferences/current/<action>", operation_id="actOnConference", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def on_conference(path: ConferencePath, body: OfAgent) -> Answer:
    """end (everybody leaves), exit (the second agent), transfer (agent 1 leaves)."""
    return command(OnConsult, path.interaction_id, body, action=_ON_CONFERENCE[path.action].value)


@api.post("/message/replay", operation_id="replayMessage", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def replay_message(path: InteractionPath, body: OfAgent) -> Answer:
    """The agent hears the voicemail once more, from its beginning."""
    return command(ReplayMessage, path.interaction_id, body)


@api.post("/recording/pause", operation_id="pauseRecording", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def pause_recording(path: InteractionPath, body: OfAgent) -> Answer:
    """Silence in the file, until `recording.resume_at` at the latest."""
    return command(PauseRecording, path.interaction_id, body)


@api.post("/recording/resume", operation_id="resumeRecording", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
def resume_recording(path: InteractionPath, body: OfAgent) -> Answer:
    """Before the pause is over by itself."""
    return command(ResumeRecording, path.interaction_id, body)


@api.post("/digits", operation_id="sendDigits", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def send_digits(path: InteractionPath, body: DigitsIn) -> Answer:
    """DTMF to the customer's side; kept in the history, masked while the recording is paused."""
    return command(SendDigits, path.interaction_id, body, digits=body.digits)


@api.post("/notes", operation_id="addNote", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def add_note(path: InteractionPath, body: NoteIn) -> dict[str, Any]:
    """A note for the history, during the call or its wrap-up; a key may leave the agent out."""
    agent_id = current().agent_id or body.agent_id or ""
    agent_id = current().acts_for(agent_id) if agent_id else ""
    found(path.interaction_id)
    obey(AddNote, agent_id=agent_id, interaction_id=path.interaction_id, text=body.text)
    return shown_now(path.interaction_id, agent_id)


@api.post("/wrap-up", operation_id="finishWrapUp", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_CONTROL)
def finish_wrap_up(path: InteractionPath, body: WrapUpIn) -> dict[str, Any]:
    """Give the reason; the agent may be offered calls again."""
    agent_id = current().acts_for(body.agent_id)
    found(path.interaction_id)
    obey(FinishWrapUp, agent_id=agent_id, reason=body.reason, interaction_id=path.interaction_id)
    return shown_now(path.interaction_id, agent_id)


@api.post("/wrap-up/extend", operation_id="extendWrapUp", responses={200: InteractionOut})
@needs(Scope.INTERACTIONS_CONTROL)
def extend_wrap_up(path: InteractionPath, body: OfAgent) -> dict[str, Any]:
    """More time, as often as the queue allows."""
    agent_id = current().acts_for(body.agent_id)
    found(path.interaction_id)
    obey(ExtendWrapUp, agent_id=agent_id, interaction_id=path.interaction_id)
    return shown_now(path.interaction_id, agent_id)
