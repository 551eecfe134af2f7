"""Who may do what in which state of a call: the role tables of consult and conference as data.

From them come the guard of every order and the `allowed_actions` of every reply.
"""

from __future__ import annotations

from enum import StrEnum

from routing.core.agent import EngagementState, EngagementTrigger
from routing.core.interaction import InteractionState, Role
from routing.core.recording import RecordingState


class Action(StrEnum):
    """What an agent may do with an interaction; the names are those of the API."""

    CANCEL_OUTDIAL = "cancel_outdial"
    EDIT_CAD = "edit_cad"
    ADD_NOTE = "add_note"
    SEND_DIGITS = "send_digits"
    HOLD = "hold"
    RESUME = "resume"
    END = "end"
    TRANSFER = "transfer"
    INSTANT_TRANSFER = "instant_transfer"
    CONSULT = "consult"
    CANCEL_CONSULT = "cancel_consult"
    HOLD_CONSULT = "hold_consult"
    RESUME_CONSULT = "resume_consult"
    END_CONSULT = "end_consult"
    COMPLETE_TRANSFER = "complete_transfer"
    INVITE = "invite"
    CONFERENCE = "conference"
    END_CONFERENCE = "end_conference"
    EXIT_CONSULT = "exit_consult"
    EXIT_CONFERENCE = "exit_conference"
    REPLAY_MESSAGE = "replay_message"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    FINISH_WRAP_UP = "finish_wrap_up"
    EXTEND_WRAP_UP = "extend_wrap_up"
    ACCEPT_RECORD = "accept_record"
    DIAL_RECORD = "dial_record"
    DECLINE_RECORD = "decline_record"
    MARK_DONE = "mark_done"
    DISPOSE = "dispose"
    PLAN_CALLBACK = "plan_callback"
    CANCEL_PLANNED_CALLBACK = "cancel_planned_callback"
    ANSWER_GUIDE = "answer_guide"


_S, _R, _A = InteractionState, Role, Action

# Whoever is in the call may write about it.
_WRITE = frozenset({_A.EDIT_CAD, _A.ADD_NOTE})
_CONNECTED = frozenset({_A.HOLD, _A.END, _A.TRANSFER, _A.INSTANT_TRANSFER, _A.CONSULT, _A.INVITE, _A.SEND_DIGITS})
_CONSULT = frozenset({_A.END_CONSULT, _A.COMPLETE_TRANSFER, _A.CONFERENCE, _A.END})

# Of a record, by whoever's call it is. Before it is called, postponing it takes a further right (PERM-08).
_RECORD = frozenset({_A.DISPOSE, _A.PLAN_CALLBACK, _A.CANCEL_PLANNED_CALLBACK, _A.ANSWER_GUIDE})
_PREVIEW = frozenset({_A.ACCEPT_RECORD, _A.DIAL_RECORD, _A.DECLINE_RECORD, _A.MARK_DONE})

# Ending is refused on a plain hold (END-03, HOLD-05); in a consult it releases everybody (A6). Holding the
# consulted agent and resuming the customer are one and the same step (A5). The consulted agent can only leave
# (CONSROLE-12, CONFROLE-10). Digits go to a customer whom agent 1 hears. `instant_transfer` is the machine of
# `transfer` under the name of the outbound action set (XFER-12, ACT-01): at once, to a number or an internal target.
ROLE_TABLE: dict[tuple[InteractionState, Role], frozenset[Action]] = {
    (_S.CALLING_CUSTOMER, _R.OWNER): _WRITE | {_A.CANCEL_OUTDIAL},
    (_S.REACHED, _R.OWNER): _WRITE,
    (_S.CONNECTED, _R.OWNER): _WRITE | _CONNECTED,
    (_S.HELD, _R.OWNER): _WRITE | {_A.RESUME, _A.TRANSFER, _A.INSTANT_TRANSFER, _A.CONSULT},
    (_S.CONSULT_REQUESTED, _R.OWNER): _WRITE | {_A.CANCEL_CONSULT, _A.END},
    (_S.INVITING, _R.OWNER): _WRITE | {_A.CANCEL_CONSULT, _A.END, _A.SEND_DIGITS},
    (_S.CONSULTING, _R.OWNER): _WRITE | _CONSULT | {_A.RESUME, _A.HOLD_CONSULT},
    (_S.CONSULT_HELD, _R.OWNER): _WRITE | _CONSULT | {_A.HOLD, _A.RESUME_CONSULT, _A.SEND_DIGITS},
    (_S.CONFERENCE, _R.OWNER): _WRITE | {_A.COMPLETE_TRANSFER, _A.END_CONFERENCE, _A.END, _A.SEND_DIGITS},
    (_S.LISTENING, _R.OWNER): _WRITE | {_A.END, _A.REPLAY_MESSAGE},
    (_S.CONSULTING, _R.CONSULTED): _WRITE | {_A.EXIT_CONSULT},
    (_S.CONSULT_HELD, _R.CONSULTED): _WRITE | {_A.EXIT_CONSULT},
    (_S.CONFERENCE, _R.CONSULTED): _WRITE | {_A.EXIT_CONFERENCE},
}

# A pause needs a call that is active, not on hold, and recorded (REC-03); resuming is possible at any moment (REC-06).
RECORDING_ACTIONS: dict[tuple[RecordingState, bool], frozenset[Action]] = {
    (RecordingState.RECORDING, False): frozenset({_A.PAUSE_RECORDING}),
    (RecordingState.PAUSED, False): frozenset({_A.RESUME_RECORDING}),
    (RecordingState.PAUSED, True): frozenset({_A.RESUME_RECORDING}),
}

# What an agent may do whose telephone rings: an offer is answered on the phone (OFFER-04, 06), his own outdial may be
# given up (OUT-15).
# A record that is before him is taken, declined or closed (PREV-06..13, CBS-05).
RINGING_TABLE: dict[InteractionState, frozenset[Action]] = {
    _S.CALLING_AGENT: frozenset({_A.CANCEL_OUTDIAL}),
    _S.PREVIEWING: _WRITE | _PREVIEW | _RECORD - {_A.ANSWER_GUIDE},
}

# An offer has none of its own; wrap-up comes when the interaction is over.
OUTSIDE_TABLE: dict[EngagementState, frozenset[Action]] = {
    EngagementState.OFFERED: frozenset(),
    EngagementState.WRAP_UP: frozenset({_A.FINISH_WRAP_UP, _A.EXTEND_WRAP_UP, _A.ADD_NOTE}),
}

# In wrap-up, while the record is his that he has talked about (CBS-02, DISP-03).
UNDONE = _RECORD | {_A.MARK_DONE}

# What the owner of a campaign's call has besides the actions of every call (PROG-10). Marking done ends the call, so it
# is possible where ending is.
OF_CAMPAIGN: dict[InteractionState, frozenset[Action]] = {
    _S.CALLING_CUSTOMER: _RECORD,
    _S.REACHED: _RECORD,
    _S.CONNECTED: UNDONE,
    _S.HELD: _RECORD,
    _S.CONSULT_REQUESTED: UNDONE,
    _S.INVITING: UNDONE,
    _S.CONSULTING: UNDONE,
    _S.CONSULT_HELD: UNDONE,
    _S.CONFERENCE: UNDONE,
}

_G = EngagementTrigger

# Where the state of the call puts each role: what his engagement, and so his own state, shows.
SEAT_TABLE: dict[tuple[InteractionState, Role], EngagementTrigger] = {
    (_S.CALLING_CUSTOMER, _R.OWNER): _G.RESUMED,
    (_S.CONNECTED, _R.OWNER): _G.RESUMED,
    (_S.HELD, _R.OWNER): _G.HELD,
    (_S.CONSULT_REQUESTED, _R.OWNER): _G.CONSULTED,
    (_S.CONSULTING, _R.OWNER): _G.CONSULTED,
    (_S.CONSULT_HELD, _R.OWNER): _G.RESUMED,
    (_S.INVITING, _R.OWNER): _G.RESUMED,
    (_S.CONFERENCE, _R.OWNER): _G.CONFERENCED,
    (_S.LISTENING, _R.OWNER): _G.RESUMED,
    (_S.SEATED, _R.OWNER): _G.SEATED,
    (_S.REACHED, _R.OWNER): _G.RESUMED,
    (_S.CONSULTING, _R.CONSULTED): _G.CONSULTED,
    (_S.CONSULT_HELD, _R.CONSULTED): _G.HELD,
    (_S.CONFERENCE, _R.CONSULTED): _G.CONFERENCED,
}
