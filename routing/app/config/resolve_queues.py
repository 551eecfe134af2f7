"""Checked tables of queues -> the core's values."""

from __future__ import annotations

from routing.app.config.queue_models import AnnouncementTable, OverflowTable, QueueTable, WrapUpTable
from routing.app.config.resolve_flows import parts
from routing.core.config import MissPolicy, Queue, RelaxationStep, WrapUp
from routing.core.declarations import Requirement
from routing.core.treatment import Announcement, Overflow, ServiceLevel

_SAME = (
    "strategy",
    "priority",
    "aging_per_min",
    "ring_timeout_s",
    "max_talking",
    "max_wait_s",
    "max_waiting",
    "leave_when_no_agents",
    "leave_when_no_skills",
    "preferred_wait_s",
    "callback_after_abandon_s",
    "music",
)


def requirement(skills: dict[str, int]) -> Requirement:
    return tuple(sorted(skills.items()))


def queue(id_: str, table: QueueTable) -> Queue:
    return Queue(
        id=id_,
        label=table.label or id_,
        requires=requirement(table.requires),
        relaxation=tuple(
            RelaxationStep(after_s=step.after_s, requires=requirement(step.requires)) for step in table.relaxation
        ),
        on_miss={cause: MissPolicy(**miss.model_dump()) for cause, miss in table.on_miss.items()},
        wrap_up=_wrap_up(table.wrap_up),
        hours=table.hours or "",
        overflow={cause: overflow(one) for cause, one in table.overflow.items()},
        announcements=tuple(_announcement(one) for one in table.announcements),
        service_level=ServiceLevel(**table.service_level.model_dump()),
        offer_variables=tuple(table.offer_variables),
        consult_variables=tuple(table.consult_variables),
        **{name: getattr(table, name) for name in _SAME},
    )


def overflow(table: OverflowTable) -> Overflow:
    return Overflow(to=table.to, target=table.target or "", prompts=parts(table.prompts))


def _announcement(table: AnnouncementTable) -> Announcement:
    return Announcement(
        prompts=parts(table.prompts),
        after_s=table.after_s,
        every_s=table.every_s,
        keys={key: overflow(one) for key, one in table.keys.items()},
        timeout_s=table.timeout_s,
    )


def _wrap_up(table: WrapUpTable) -> WrapUp:
    return WrapUp(
        timeout_s=None if table.until_reason else table.timeout_s,
        default_reason=table.default_reason,
        extension_s=table.extension_s,
        max_extensions=table.max_extensions,
    )
