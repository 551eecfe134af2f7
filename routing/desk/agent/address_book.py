"""The address book: names with numbers, kept by the administrator, to be called (OUT-07, DIAL-14)."""

from __future__ import annotations

from flask import render_template, request

from routing.desk.agent.work import panel, sources
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.site import pages


@pages.get("/agent/work/book")
@panel
def book_panel() -> str:
    q, cursor = request.args.get("q", "").strip(), request.args.get("cursor", "")
    try:
        found = person().api.get("address-book", q=q, cursor=cursor, limit=30)
    except Refused as refused:
        if refused.code != "forbidden":
            raise
        return render_template("agent/work/no_book.html")
    return render_template(f"agent/work/{'book_rows' if cursor else 'book'}.html", found=found, q=q, sources=sources())
