"""The controls of a call: what of `allowed_actions` is drawn as a button, where, and which request of the API it is.

What is not in the table has a place of its own: call data, notes, digits, wrap-up, and what concerns a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.core.roles import Action
from routing.desk.language import noop

_A = Action
AGENT, QUEUE, ENTRY_POINT, NUMBER = "agent", "queue", "entry_point", "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """`path`: below `/v1/interactions/ID/`. `slot`: controls of one slot replace each other, so that the focus stays.
    `kinds`: of targets, where it needs one; `use`: for which use the API lists them. `pane`: where it stands.
    """

    action: Action
    label: str
    path: str
    pane: str
    slot: str
    key: str = ""
    style: str = ""
    use: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def needs_target(self) -> bool:
        return bool(self.kinds)


_ANYWHERE = (AGENT, QUEUE, ENTRY_POINT, NUMBER)
_CONSULT = (AGENT, QUEUE, NUMBER)  # CONS-02
_AT_ONCE = (AGENT, NUMBER)  # XFER-10

# In the order in which they are drawn.
CONTROLS = (
    Control(action=_A.HOLD, label=noop("Hold"), path="hold", pane="customer", slot="hold", key="h"),
    Control(
        action=_A.RESUME, label=noop("Resume"), path="resume", pane="customer", slot="hold", key="h", style="primary"
    ),
    Control(
        action=_A.REPLAY_MESSAGE,
        label=noop("Play again"),
        path="message/replay",
        pane="customer",
        slot="replay",
        key="r",
    ),
    Control(
        action=_A.HOLD_CONSULT, label=noop("Hold"), path="consults/current/hold", pane="second", slot="toggle", key="j"
    ),
    Control(
        action=_A.RESUME_CONSULT,
        label=noop("Resume"),
        path="consults/current/resume",
        pane="second",
        slot="toggle",
        key="j",
        style="primary",
    ),
    Control(
        action=_A.CANCEL_CONSULT,
        label=noop("Cancel the request"),
        path="consults/current/cancel",
        pane="second",
        slot="leave",
        key="shift+x",
    ),
    Control(
        action=_A.END_CONSULT,
        label=noop("End consult"),
        path="consults/current/end",
        pane="second",
        slot="leave",
        key="shift+x",
    ),
    Control(
        action=_A.EXIT_CONSULT,
        label=noop("Leave consult"),
        path="consults/current/exit",
        pane="second",
        slot="leave",
        key="shift+x",
        style="danger",
    ),
    Control(
        action=_A.EXIT_CONFERENCE,
        label=noop("Leave conference"),
        path="conferences/current/exit",
        pane="second",
        slot="leave",
        key="shift+x",
        style="danger",
    ),
    Control(
        action=_A.CONFERENCE,
        label=noop("Conference"),
        path="consults/current/conference",
        pane="second",
        slot="conference",
        key="f",
    ),
    Control(
        action=_A.COMPLETE_TRANSFER,
        label=noop("Hand over the call"),
        path="consults/current/transfer",
        pane="second",
        slot="complete",
        key="shift+t",
    ),
    Control(
        action=_A.CONSULT,
        label=noop("Consult"),
        path="consults",
        pane="call",
        slot="consult",
        key="c",
        use="consult",
        kinds=_CONSULT,
    ),
    Control(
        action=_A.TRANSFER,
        label=noop("Transfer"),
        path="transfers",
        pane="call",
        slot="transfer",
        key="t",
        use="transfer",
        kinds=_ANYWHERE,
    ),
    Control(
        action=_A.INSTANT_TRANSFER,
        label=noop("Instant transfer"),
        path="transfers",
        pane="call",
        slot="instant",
        use="transfer",
        kinds=_AT_ONCE,
    ),
    Control(
        action=_A.INVITE,
        label=noop("Instant conference"),
        path="conferences",
        pane="call",
        slot="invite",
        key="f",
        use="consult",
        kinds=_CONSULT,
    ),
    Control(
        action=_A.CANCEL_OUTDIAL,
        label=noop("Cancel the call"),
        path="cancel",
        pane="call",
        slot="end",
        key="shift+e",
        style="danger",
    ),
    Control(
        action=_A.END_CONFERENCE,
        label=noop("End conference"),
        path="conferences/current/end",
        pane="call",
        slot="end-conference",
        style="danger",
    ),
    Control(action=_A.END, label=noop("End call"), path="end", pane="call", slot="end", key="shift+e", style="danger"),
    Control(
        action=_A.PAUSE_RECORDING,
        label=noop("Pause recording"),
        path="recording/pause",
        pane="recording",
        slot="recording",
        key="p",
    ),
    Control(
        action=_A.RESUME_RECORDING,
        label=noop("Resume recording"),
        path="recording/resume",
        pane="recording",
        slot="recording",
        key="p",
    ),
    Control(
        action=_A.EXTEND_WRAP_UP,
        label=noop("More time"),
        path="wrap-up/extend",
        pane="wrap_up",
        slot="extend",
        key="m",
    ),
)
_BY_ACTION = {control.action.value: control for control in CONTROLS}


def control_of(action: str) -> Control | None:
    return _BY_ACTION.get(action)


def controls(allowed: Iterable[str], pane: str) -> list[Control]:
    """Those of one pane that are allowed now, in their order."""
    now = frozenset(allowed)
    return [control for control in CONTROLS if control.pane == pane and control.action.value in now]
