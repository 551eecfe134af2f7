"""Lists of campaigns: a file is uploaded, its import is stopped, and which rows were refused why is read."""

from __future__ import annotations

import csv
from itertools import islice

from flask import Response, render_template, request

from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.language import noop
from routing.desk.site import pages, said

MOST = 200  # refused rows that are shown; the table has all that are kept
REASONS = {
    "number_missing": noop("It has no number."),
    "number_invalid": noop("This is no number that can be called."),
    "external_id_missing": noop("It has no id."),
    "time_zone_unknown": noop("There is no such time zone."),
    "priority_invalid": noop("The priority must be from 1 to 10."),
    "order_invalid": noop("The order must be a number from 0 on."),
    "due_invalid": noop("This is no date and time."),
    "do_not_call": noop("The number must not be called."),
    "ragged": noop("It has more cells than the first row."),
    "quoting": noop("A quote is not closed."),
    "encoding": noop("It is not in the encoding of the file."),
    "nul": noop("It has characters that no text may have."),
    "too_large": noop("It, or a value in it, is too large."),
    "not_json": noop("It is no JSON."),
}


@pages.post("/supervisor/campaigns/<campaign_id>/lists")
def upload_list(campaign_id: str) -> Response:
    """The body is the file. `list`: into this one; none: a new one called `name`."""
    api, given = person().api, request.args
    if request.content_length is None or request.mimetype != "text/csv":
        raise Refused({"status": 415, "code": "wrong-content-type", "detail": ""})
    file_name = given.get("file_name", "")
    list_id = given.get("list") or _new_list(campaign_id, given.get("name", "").strip() or file_name)
    about = {"file_name": file_name, "time_zone": given.get("time_zone", "").strip()}
    api.upload(f"lists/{list_id}/imports", about | {"on_duplicate": given.get("on_duplicate", "")})
    return said(_("The file has arrived and is imported now."))


def _new_list(campaign_id: str, name: str) -> str:
    return str(person().api.post("lists", {"campaign": campaign_id, "name": name})["id"])


@pages.post("/supervisor/lists/<list_id>/imports/<import_id>/stop")
def stop_import(list_id: str, import_id: str) -> Response:
    """What it has brought so far stays."""
    person().api.delete(f"lists/{list_id}/imports/{import_id}")
    return said(_("The import is stopped."))


@pages.get("/supervisor/lists/<list_id>/imports/<import_id>/refused")
def refused_rows(list_id: str, import_id: str) -> str:
    """A dialog with the first of them."""
    one = person().api.get(f"lists/{list_id}/imports/{import_id}")
    report = person().api.file(f"lists/{list_id}/imports/{import_id}/refused").get_data(as_text=True)
    rows = list(islice(csv.DictReader(report.splitlines()), MOST))
    return render_template("supervisor/refused.html", one=one, list_id=list_id, rows=rows)


@pages.get("/supervisor/lists/<list_id>/imports/<import_id>/refused.csv")
def refused_table(list_id: str, import_id: str) -> Response:
    return person().api.file(f"lists/{list_id}/imports/{import_id}/refused")


def refusal(reason: str) -> str:
    return _(REASONS[reason]) if reason in REASONS else reason


pages.add_app_template_filter(refusal, "refusal")
