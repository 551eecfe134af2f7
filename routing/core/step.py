"""One step of the whole core: an input at a time, then every match that has become possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.core import (
    announcements,
    arrivals,
    audit,
    callback_machine,
    callbacks,
    calls,
    campaign_steps,
    campaigns,
    capacity,
    checks,
    consults,
    digits,
    figures,
    finishing,
    look_ups,
    machine,
    messages,
    notes,
    offers,
    outdialer,
    pacer,
    planning,
    played,
    preferences,
    presence,
    preview_orders,
    previews,
    pushes,
    queueing,
    reconcile,
    reconfigure,
    recorder,
    skips,
    supervising,
    supervisor_legs,
    transfers,
    voicemail,
    waiting_marks,
    waits,
    wrapup,
)
from routing.core.effects import Effects
from routing.core.errors import DomainError, NoRecord
from routing.core.facts import (
    CommandEnded,
    DialFailed,
    EarsReached,
    EarsRefused,
    Fact,
    FeatureDialed,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LegTransferred,
    LinkLost,
    LinkRestored,
    LookedUp,
    MachineDetected,
    MessageEnded,
    PhoneChanged,
    PromptsEnded,
    RoomsReached,
    RoomsRefused,
)
from routing.core.orders import (
    AcceptRecord,
    AddNote,
    AddRecords,
    AnswerGuide,
    AnyOrder,
    ApplyConfig,
    CancelCallback,
    CancelOutdial,
    CancelPlannedCallback,
    CapacityGranted,
    ChangeSupervision,
    ControlCampaign,
    DeclineRecord,
    DialRecord,
    Dispose,
    EditCad,
    EndInteraction,
    ExtendWrapUp,
    FinishWrapUp,
    FireTimer,
    GetRecord,
    GoAvailable,
    GoIdle,
    Hold,
    Invite,
    JoinCampaign,
    LeaveCampaign,
    MarkDone,
    MarkDoNotCall,
    OnConsult,
    Order,
    PaceCampaign,
    PauseRecording,
    PlanCallback,
    ReplayMessage,
    Reply,
    RequestCallback,
    Resume,
    ResumeRecording,
    SendDigits,
    SignIn,
    SignOut,
    StartConsult,
    StartOutdial,
    StopSupervision,
    Supervise,
    Transfer,
    WithdrawRecords,
)
from routing.core.timers import Due, parse
from routing.core.world import World

Input = Fact | AnyOrder | FireTimer | CapacityGranted


def _command_ended(world: World, fact: CommandEnded) -> None:
    """Each looks whether the command was one of his."""
    for told in (
        played.command_ended,
        look_ups.command_ended,
        machine.command_ended,
        supervisor_legs.command_ended,
        offers.command_ended,
    ):
        told(world, fact)


def _ringing(world: World, fact: LegRinging) -> None:
    if not supervisor_legs.ringing(world, fact):
        offers.ringing(world, fact)


def _answered(world: World, fact: LegAnswered) -> None:
    if not supervisor_legs.answered(world, fact):
        offers.answered(world, fact)


def _dial_failed(world: World, fact: DialFailed) -> None:
    if not supervisor_legs.dial_failed(world, fact):
        offers.dial_failed(world, fact)


_FACTS: dict[type, Callable[[World, Any], None]] = {
    LegArrived: arrivals.arrived,
    LegRinging: _ringing,
    LegAnswered: _answered,
    DialFailed: _dial_failed,
    CommandEnded: _command_ended,
    PromptsEnded: played.ended,
    MessageEnded: played.ended,
    MachineDetected: machine.detected,
    LookedUp: look_ups.answered,
    LegEnded: calls.leg_ended,
    LegTransferred: calls.leg_transferred,
    RoomsReached: calls.rooms_reached,
    RoomsRefused: calls.rooms_refused,
    EarsReached: supervisor_legs.ears_reached,
    EarsRefused: supervisor_legs.ears_refused,
    PhoneChanged: presence.phone_changed,
    FeatureDialed: presence.feature_dialed,
    LinkLost: reconcile.link_lost,
    LinkRestored: reconcile.link_restored,
}

_ORDERS: dict[type, Callable[[World, Any], dict[str, object]]] = {
    SignIn: presence.sign_in,
    SignOut: presence.sign_out,
    GoAvailable: presence.go_available,
    GoIdle: presence.go_idle,
    FinishWrapUp: wrapup.finish,
    ExtendWrapUp: wrapup.extend,
    Hold: calls.hold,
    Resume: calls.resume,
    EndInteraction: calls.end,
    Transfer: transfers.transfer,
    StartConsult: consults.start,
    Invite: consults.invite,
    OnConsult: consults.act,
    PauseRecording: recorder.pause,
    ResumeRecording: recorder.resume,
    EditCad: calls.edit_cad,
    AddNote: notes.add,
    SendDigits: digits.send,
    StartOutdial: outdialer.start,
    CancelOutdial: outdialer.cancel,
    RequestCallback: callbacks.ask,
    CancelCallback: callbacks.cancel,
    MarkDoNotCall: callbacks.mark_do_not_call,
    ReplayMessage: voicemail.replay,
    ControlCampaign: campaigns.control,
    JoinCampaign: campaigns.join,
    LeaveCampaign: campaigns.leave,
    AddRecords: campaigns.add_records,
    WithdrawRecords: campaigns.withdraw,
    PaceCampaign: pacer.pace,
    GetRecord: preview_orders.get,
    AcceptRecord: preview_orders.accept,
    DialRecord: preview_orders.dial,
    DeclineRecord: preview_orders.decline,
    MarkDone: finishing.mark_done,
    Dispose: finishing.dispose,
    AnswerGuide: finishing.answer_guide,
    PlanCallback: planning.plan,
    CancelPlannedCallback: planning.cancel,
    Supervise: supervising.supervise,
    ChangeSupervision: supervising.change,
    StopSupervision: supervising.stop,
    ApplyConfig: reconfigure.apply,
}

_TIMERS: dict[Due, Callable[[World, str, str], None]] = {
    Due.OFFER: offers.rang_out,
    Due.SKIP: skips.drop,
    Due.WRAP_UP: wrapup.timed_out,
    Due.RELAX: lambda world, interaction_id, _: queueing.relax(world, interaction_id),
    Due.PROMPT: lambda world, interaction_id, _: played.nothing_heard(world, interaction_id),
    Due.LOOK_UP: lambda world, interaction_id, _: look_ups.late(world, interaction_id),
    Due.WAIT: lambda world, interaction_id, _: waits.waited_too_long(world, interaction_id),
    Due.ANNOUNCE: lambda world, interaction_id, _: announcements.due(world, interaction_id),
    Due.MARK: lambda world, interaction_id, _: waiting_marks.refresh(world, interaction_id),
    Due.PREFER: lambda world, interaction_id, _: preferences.over(world, interaction_id),
    Due.CALLBACK: lambda world, interaction_id, _: callback_machine.time_came(world, interaction_id),
    Due.EXPIRE: lambda world, interaction_id, _: callback_machine.expired(world, interaction_id),
    Due.REACHED: lambda world, interaction_id, _: machine.time_over(world, interaction_id),
    Due.MACHINE: lambda world, interaction_id, _: machine.late(world, interaction_id),
    Due.DROP: lambda world, interaction_id, _: messages.too_long(world, interaction_id),
    Due.DUE_CALLBACK: lambda world, record_id, _: campaigns.anybody_may_have(world, record_id),
    Due.CHECK: lambda world, record_id, _: checks.late(world, record_id),
    Due.PREVIEW: lambda world, interaction_id, _: previews.time_came(world, interaction_id),
    Due.ROOMS: lambda world, interaction_id, _: calls.ask_again(world, interaction_id),
    Due.RECORDING: lambda world, interaction_id, _: recorder.pause_over(world, interaction_id),
    Due.SUPERVISE: lambda world, interaction_id, _: supervisor_legs.rang_out(world, interaction_id),
    Due.RECORDER: lambda world, interaction_id, _: recorder.ask_again(world, interaction_id),
}


def step(world: World, item: Input, now_ms: int, seq: int) -> Effects:
    """Apply one input at `now_ms` (not before the last step) with journal number `seq`.

    A refused order changes nothing but for its reply; where it found no record, those leave their hopper that cannot
    be called for long. Anything else that raises is a fault of ours: the world is
    as it was before the step, and the error goes to the caller.
    """
    with world.step(now_ms, seq):
        if isinstance(item, Order):
            _obey(world, item)
        elif isinstance(item, FireTimer):
            _fire(world, item.key)
        elif isinstance(item, CapacityGranted):
            capacity.granted(world, item)
        else:
            _FACTS[type(item)](world, item)
        supervisor_legs.sweep(world)
        settle(world)
        figures.count(world)
        waiting_marks.begin(world)
    return world.effects


def settle(world: World) -> None:
    """Match waiting calls and free agents until no pair is left (ROUTE-05); who is free then works for campaigns."""
    campaign_steps.settle(world, _match)


def _match(world: World) -> None:
    while decision := world.sync_pool().decide(world.now_ms):
        offers.make_offers(world, decision)


def _obey(world: World, order: Order) -> None:
    try:
        reply = Reply(order_id=order.order_id, reply_to=order.reply_to, values=_ORDERS[type(order)](world, order))
    except DomainError as error:
        world.rollback()
        if isinstance(error, NoRecord):
            pushes.weed(world, str(error.fields["campaign"]))
        reply = Reply(
            order_id=order.order_id,
            reply_to=order.reply_to,
            code=error.code,
            detail=str(error),
            values=error.fields,
        )
    audit.tell(world, order, reply)
    if order.reply_to:
        world.effects.replies.append(reply)


def _fire(world: World, timer_key: str) -> None:
    deadline_ms = world.state.timers.get(timer_key)
    if deadline_ms is None or deadline_ms > world.now_ms:
        return  # cleared or put off since it was seen as due
    world.clear_timer(timer_key)
    due, interaction_id, agent_id = parse(timer_key)
    _TIMERS[due](world, interaction_id, agent_id)
