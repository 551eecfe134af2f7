"""Regions: the pieces of a page that change by themselves.

A page registers its regions; each renders itself for the person of the request from what the API answers, and names
the events after which it may look different. Templates place a region with `{{ region("name") }}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from routing.api.event_filter import matching_types
from routing.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """`touched_by`: types of events, `interaction.*` means all that begin so. `throttle_s`: not sent more often.
    `refresh_s`: looked at anew after so long also when nothing has happened (0: never), for what only time changes.
    `is_data`: its text is no HTML but JSON, handed to a script by the event `desk:NAME`. `concerns`: of the events that
    touch it, those that are about what this page shows.
    """

    name: str
    render: Callable[[], str]
    touched_by: tuple[str, ...]
    throttle_s: float = 0.0
    refresh_s: float = 0.0
    is_data: bool = False
    concerns: Callable[[Event], bool] = lambda _event: True

    def is_touched_by(self, event: Event) -> bool:
        return event.type.value in matching_types(self.touched_by) and self.concerns(event)


@dataclass(slots=True)
class LivePage:
    """`sees`: types of events that an agent is not told of otherwise, but that change what his page shows."""

    name: str
    sees: tuple[str, ...] = ()
    regions: dict[str, Region] = field(default_factory=dict)

    def add(self, region: Region) -> None:
        if region.name in self.regions:
            raise ValueError(f"the page {self.name} has two regions {region.name}")
        self.regions[region.name] = region

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions.values())

    def placed(self, name: str) -> Markup:
        """The region as a page holds it at first."""
        region = self.regions[name]
        swap = "none" if region.is_data else "morph:innerHTML"
        opening = Markup('<div id="region-{0}" class="region" data-region="{0}" sse-swap="{0}" hx-swap="{1}"{2}>')
        inside = Markup("" if region.is_data else region.render())  # noqa: S704 - templates escape
        return opening.format(name, swap, Markup(" hidden") if region.is_data else "") + inside + Markup("</div>")
