"""Marks of views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def open_to_all(view: View) -> View:
    """This view asks nobody who he is."""
    view.is_open_to_all = True  # type: ignore[attr-defined]
    return view
