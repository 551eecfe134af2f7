"""Reading the stream of the agent's page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from routing.desk.agent.live import page
from tests.desk.desk_site import AtDesk

Stream = Iterator[tuple[str, str]]


@contextmanager
def after_begin(desk: AtDesk) -> Iterator[Stream]:
    """The stream, every region having been sent once."""
    with closing(desk.stream()) as stream:
        assert next(stream)[0] == "clock"
        seen: set[str] = set()
        while not seen >= set(page.regions):
            seen.add(next(stream)[0])
        yield stream


def until_region(stream: Stream, name: str, text: str) -> str:
    """The first HTML of this region that holds the text."""
    return next(html for event, html in stream if event == name and text in html)
