"""A changed copy of a frozen value, which is most of what a step of the core does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import fields
from itertools import repeat
from operator import attrgetter, call
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Copier(Generic[T]):
    """Does what `dataclasses.replace` does to a frozen dataclass with slots and no `__post_init__`, in a third of the
    time: an interaction has some sixty fields, and is copied eight times in a call's life.
    """

    def __init__(self, kind: type[T]) -> None:
        names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
        self._kind = kind
        self._read = attrgetter(*names)
        self._write: dict[str, Callable[[T, Any], None]] = {name: kind.__dict__[name].__set__ for name in names}
        self._writers = tuple(self._write.values())

    def copy(self, value: T, changes: dict[str, Any]) -> T:
        """`value` with these fields changed. Raises KeyError for a field that it does not have."""
        made = object.__new__(self._kind)
        # Each slot, without a loop of Python.
        deque(map(call, self._writers, repeat(made), self._read(value)), maxlen=0)
        for name, new in changes.items():
            self._write[name](made, new)
        return made
