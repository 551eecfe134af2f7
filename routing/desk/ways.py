"""Ways back: addresses that came with a request and lead to a page of the desk, never elsewhere."""

from __future__ import annotations

import re

HOME = "/desk/"
# A path below /desk and its query: no other host, no scheme, no backslash that a browser reads as a slash.
_SAFE = re.compile(r"/desk/(?!/)[\w./~:@,=!-]*(\?[\w./~%+:@,;=&?!$'()*-]*)?", re.ASCII)
_MOST = 500


def safe(address: str | None) -> str:
    """`address`, or the desk's home for one that leads elsewhere."""
    found = address or ""
    return found if len(found) <= _MOST and _SAFE.fullmatch(found) and ".." not in found.partition("?")[0] else HOME
