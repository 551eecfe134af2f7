"""An interaction as an answer shows it: what its card, its panes and its controls need, for the one who asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from routing.api.principal import Principal, Scope
from routing.api.times import rfc3339
from routing.api.views_cad import cad_view
from routing.api.views_campaign import campaign_call_view
from routing.app.live.calls import clocks_of
from routing.core.agent import Agent, EngagementState
from routing.core.callback import CallbackCall
from routing.core.config import Config
from routing.core.flow import FlowPlace
from routing.core.guard import allowed_actions
from routing.core.interaction import CUSTOMER_ON_HOLD, TALKING, Consult, Interaction, InteractionState, Message, Role
from routing.core.record import RecordLive
from routing.core.screen_pop import screen_pop
from routing.store.front import CallView

_S = InteractionState

# OFFER-03, HOLD-04, CONS-06, CONS-09, CONS-10, END-05
STATUS = {
    _S.ARRIVED: "Waiting",
    _S.IN_FLOW: "In flow",
    _S.CALLING_AGENT: "Ringing",
    _S.CALLING_CUSTOMER: "Ringing",
    _S.QUEUED: "Waiting",
    _S.OFFERED: "Ringing",
    _S.CONNECTED: "Connected",
    _S.HELD: "on hold",
    _S.CONSULT_REQUESTED: "consult requested",
    _S.INVITING: "consult requested",
    _S.CONSULTING: "consulting",
    _S.CONSULT_HELD: "consult on hold",
    _S.CONFERENCE: "conference",
    _S.LISTENING: "Connected",
    _S.PREVIEWING: "Preview",
    _S.SEATED: "Waiting for a contact",
    _S.REACHED: "Answered",
    _S.ENDED: "Ended",
}
LABELS = {
    "inbound": "incoming call",
    "outdial": "outdial call",
    "callback": "callback",
    "voicemail": "voicemail",
    "campaign": "campaign call",
    "seat": "campaign seat",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom an answer is made. `agent`: whose actions are told; None where nobody's are asked for.

    `position`, `estimated_wait_ms`: of the call, where it waits. `record`: of a campaign's call.
    """

    principal: Principal
    agent: Agent | None
    now_ms: int
    position: int | None = None
    estimated_wait_ms: int | None = None
    record: RecordLive | None = None


def actions_of(config: Config, interaction: Interaction, agent: Agent | None) -> list[str]:
    """What this agent may do with it now (API-05), sorted; nothing for one who has no part in it."""
    engagement = agent.engagements.get(interaction.id) if agent else None
    if agent is None or engagement is None:
        return []
    live = None if interaction.state is _S.ENDED else interaction
    return sorted(action.value for action in allowed_actions(config, live, agent, engagement))


def interaction_view(config: Config, view: CallView, viewer: Viewer) -> dict[str, Any]:
    """`views_models.InteractionOut`."""
    interaction, may_see = view.interaction, may_see_secure(viewer.principal, view)
    return {
        **_identity(config, interaction),
        "position": viewer.position,
        "estimated_wait_ms": viewer.estimated_wait_ms,
        **_progress(interaction, viewer),
        "is_live": view.is_live,
        "parties": [_party(config, view, index) for index in range(len(interaction.parties))],
        "offers": _offers(config, interaction),
        "consult": _consult(interaction.consult, interaction.state),
        "recording": _recording(interaction),
        "cad_version": interaction.cad_version,
        "cad": cad_view(config, interaction, may_see_secure=may_see),
        **_failure(interaction),
        "callback": _callback(interaction.callback),
        "message": _message(interaction.message),
        "campaign": campaign_call_view(config, interaction, viewer.record, may_see_secure=may_see),
        "supervision": _supervision(config, view, viewer),
        "flow": asdict(FlowPlace(flow=place.flow, step=place.step)) if (place := interaction.flow) else None,
        "screen_pop": screen_pop(config, interaction, viewer.agent.id if viewer.agent else "") or None,
        "allowed_actions": actions_of(config, interaction, viewer.agent),
        "allowed_for": viewer.agent.id if viewer.agent else None,
        "wrap_up_deadline_at": rfc3339(_wrap_up_deadline_ms(interaction, viewer.agent)),
    }


def _identity(config: Config, interaction: Interaction) -> dict[str, Any]:
    queue = config.queues.get(interaction.queue)
    return {
        "id": interaction.id,
        "kind": interaction.kind,
        "version": interaction.version,
        "label": LABELS.get(interaction.kind, interaction.kind),
        "pbx": interaction.pbx,
        "ani": interaction.ani,
        "ani_name": interaction.ani_name,
        "dnis": interaction.dnis,
        "queue": interaction.queue,
        "queue_label": queue.label if queue else interaction.queue,
        "entry_point": interaction.entry_point,
        "priority": interaction.priority,
    }


def _progress(interaction: Interaction, viewer: Viewer) -> dict[str, Any]:
    clocks = clocks_of(interaction, viewer.now_ms)
    return {
        "state": interaction.state.value,
        "status": STATUS[interaction.state],
        "customer_status": _customer_status(interaction),
        "is_confirmed": interaction.rooms_reached == interaction.rooms_version,
        "entered_at": rfc3339(interaction.entered_at_ms),
        "answered_at": rfc3339(interaction.answered_at_ms),
        "bridged_at": rfc3339(interaction.bridged_at_ms),
        "ended_at": rfc3339(interaction.ended_at_ms),
        "clocks": {
            "waited_s": clocks.waited_ms // 1000,
            "talked_s": clocks.talked_ms // 1000,
            "held_s": clocks.held_ms // 1000,
            "waiting_since": rfc3339(interaction.waiting_since_ms),
            "held_since": rfc3339(interaction.held_since_ms),
        },
        "result": interaction.result.value if interaction.result else None,
        "ended_by": interaction.ended_by or None,
    }


def _customer_status(interaction: Interaction) -> str:
    """The customer's pane beside that of a consult (CONS-09)."""
    if interaction.state in CUSTOMER_ON_HOLD:
        return STATUS[_S.HELD]
    return STATUS[_S.CONNECTED] if interaction.state in TALKING else STATUS[interaction.state]


def _party(config: Config, view: CallView, index: int) -> dict[str, Any]:
    party = view.interaction.parties[index]
    return {
        "agent_id": party.agent_id or None,
        "name": name_of(config, party.agent_id),
        "number": party.number or None,
        "role": party.role.value,
        "joined_at": rfc3339(party.joined_at_ms),
        "allowed_actions": actions_of(config, view.interaction, view.agents.get(party.agent_id)),
    }


def name_of(config: Config, agent_id: str) -> str:
    """His name; his id where he is not configured any more, "" for an external party."""
    agent = config.agents.get(agent_id)
    return agent.name if agent else agent_id


def _offers(config: Config, interaction: Interaction) -> list[dict[str, Any]]:
    return [
        {
            "agent_id": offer.agent_id or None,
            "name": name_of(config, offer.agent_id),
            "number": offer.number or None,
            "purpose": offer.purpose.value,
            "state": offer.state.value,
            "offered_at": rfc3339(offer.offered_at_ms),
            "deadline_at": rfc3339(offer.deadline_ms),
        }
        for offer in interaction.offers
    ]


def _consult(consult: Consult | None, state: InteractionState) -> dict[str, Any] | None:
    if consult is None:
        return None
    return {
        "id": consult.id,
        "asked_at": rfc3339(consult.asked_at_ms),
        "status": STATUS[state],
        "to_agent": consult.agent_id or None,
        "to_queue": consult.queue or None,
        "to_number": consult.number or None,
    }


def _recording(interaction: Interaction) -> dict[str, Any]:
    """REC-07."""
    recording = interaction.recording
    return {
        "state": recording.state.value,
        "agent_id": recording.agent_id or None,
        "since": rfc3339(recording.since_ms),
        "resume_at": rfc3339(recording.resume_at_ms),
    }


def _supervision(config: Config, view: CallView, viewer: Viewer) -> dict[str, Any] | None:
    """Agents see of it what the configuration says, of their own calls, once it is heard."""
    supervision, principal = view.interaction.supervision, viewer.principal
    if supervision is None:
        return None
    if Scope.INTERACTIONS_SUPERVISE not in principal.scopes:
        is_his = bool(principal.agent_id) and view.interaction.role_of(principal.agent_id) is not None
        if not is_his or not supervision.is_up or not config.show_supervision.shows(supervision.mode):
            return None
    supervisor = config.supervisors.get(supervision.supervisor)
    return {
        "id": supervision.id,
        "by": supervision.by,
        "supervisor": supervision.supervisor or None,
        "agent_id": supervision.agent_id or None,
        "name": supervisor.name if supervisor else supervision.supervisor or name_of(config, supervision.agent_id),
        "mode": supervision.mode.value,
        "state": supervision.state.value,
        "asked_at": rfc3339(supervision.asked_at_ms),
        "since": rfc3339(supervision.since_ms),
    }


def _failure(interaction: Interaction) -> dict[str, Any]:
    """OUT-16..20."""
    outdial = interaction.outdial
    return {
        "failure": (outdial.failure or None) if outdial else None,
        "outcome": (outdial.outcome or None) if outdial else None,
    }


def _callback(call: CallbackCall | None) -> dict[str, Any] | None:
    if call is None:
        return None
    return {
        "number": call.number,
        "source": call.source.value,
        "state": call.state.value,
        "attempts": call.attempts,
        "not_before_at": rfc3339(call.not_before_ms or None),
        "expires_at": rfc3339(call.expires_ms),
        "origin_id": call.origin_id or None,
        "failure": call.failure or None,
    }


def _message(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        "recording": message.file,
        "duration_s": message.duration_ms / 1000,
        "left_at": rfc3339(message.left_at_ms),
        "origin_id": message.origin_id or None,
    }


def _wrap_up_deadline_ms(interaction: Interaction, agent: Agent | None) -> int | None:
    engagement = agent.engagements.get(interaction.id) if agent else None
    return engagement.deadline_ms if engagement and engagement.state is EngagementState.WRAP_UP else None


def has_part(interaction: Interaction, agent_id: str, agent: Agent | None) -> bool:
    """Whether this agent has or had to do with it, so that he may see it."""
    is_engaged = agent is not None and interaction.id in agent.engagements
    others = {party.agent_id for party in interaction.parties} | {offer.agent_id for offer in interaction.offers}
    if interaction.campaign and not interaction.campaign.dialed_at_ms:
        others.add(interaction.campaign.agent_id)  # he was shown the record; for whom one is dialed sees it later
    return is_engaged or agent_id in others | {offer.agent_id for offer in interaction.past_offers}


def may_see_secure(principal: Principal, view: CallView) -> bool:
    """Whether he is shown secure CAD: an agent needs a part in the call; that it is in his queue is not enough."""
    whose = principal.agent_id
    has_need = not whose or has_part(view.interaction, whose, view.agents.get(whose))
    return has_need and Scope.CAD_SECURE in principal.scopes


def owner_of(interaction: Interaction) -> str:
    """Agent 1, whose call it is, or who looks at its record; "" where nobody has it, or an external party."""
    owner = interaction.party(Role.OWNER)
    if owner:
        return owner.agent_id
    return interaction.campaign.agent_id if interaction.campaign else ""
