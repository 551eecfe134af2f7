"""Pieces of pages as server-sent events."""

from __future__ import annotations

from routing.desk.stream import frame


def test_every_line_is_a_field_and_what_only_looks_like_a_line_end_stays() -> None:
    assert frame("calls", "one\ntwo\r\nthree") == b"event: calls\ndata: one\ndata: two\ndata: three\n\n"
    typed = "a\u2028b\x0bc\x85d"
    assert frame("calls", typed).decode() == f"event: calls\ndata: {typed}\n\n"
    assert frame("calls", "") == b"event: calls\ndata: \n\n"
