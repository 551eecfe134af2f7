"""Whose pages may hold the desk in a frame."""

from __future__ import annotations

from flask import g

from routing.api.services import services
from routing.desk import cookies


def origins() -> tuple[str, ...]:
    """For the answer to this request: of those allowed the ones to which the session is bound; empty: nobody's."""
    if not cookies.is_framed():
        return ()
    who = getattr(g, "desk_person", None)
    bound = who.principal.frame_origins if who else ()
    return tuple(origin for origin in services().api.desk.frame_origins if not bound or origin in bound)
