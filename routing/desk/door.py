"""Who is at the desk: a session in a cookie, and that what a browser sends was meant to be sent.

The cookie holds the token that `POST /v1/sessions` gives, so a session ends as those of the API do: after
`api.session_s` without a request, with a changed password, when its user is disabled. Signing in always makes a new
one. What changes something must come from a page of ours: its origin is checked (Fetch Metadata, else `Origin`), and
it brings a token that only our pages know, derived from the session (OWASP: HMAC-based token, signed double submit).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode, urlsplit

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api import access_log, limits
from routing.api.auth import BearerAuthenticator
from routing.api.auth_people import PREFIX, PeopleDoor
from routing.api.principal import Principal
from routing.api.problems import Problem
from routing.api.services import services
from routing.desk import cookies, ways
from routing.desk.asking import Api
from routing.desk.cookies import COOKIE, SECURE_COOKIE

__all__ = ["COOKIE", "SECURE_COOKIE", "TOKEN_HEADER", "Person", "form_token_of", "person"]

TOKEN_HEADER = "X-Desk-Token"  # noqa: S105 - its name, not its value
SIGN_IN = "/desk/sign-in"
_OF_AGENTS = ("/desk/agent/", "/desk/stream/agent/", "/desk/call/", "/desk/frame/")
_OF_SUPERVISORS = ("/desk/supervisor/", "/desk/stream/")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who looks at the page. `form_token` comes with everything he sends. `is_framed`: within another site's page."""

    principal: Principal
    session: str
    form_token: str
    is_framed: bool = False

    @property
    def api(self) -> Api:
        return Api(person=self.principal)

    @property
    def agent_id(self) -> str:
        """Empty: a supervisor."""
        return self.principal.agent_id

    @property
    def mark(self) -> str:
        """Tells pages of one person from those of another, whatever session they have."""
        return digest_of(f"{self.principal.tenant}\0{self.principal.actor}")

    @property
    def name(self) -> str:
        """As he signs in."""
        return self.principal.actor.partition(":")[2]

    @property
    def home(self) -> str:
        return "/desk/agent" if self.agent_id else "/desk/supervisor"


def person() -> Person:
    """Who sent this request."""
    return cast("Person", g.desk_person)


def admit() -> AnyResponse | None:
    """Before every request of the desk but those that are `open_to_all`. Raises Problem forbidden."""
    _refuse_foreign()
    _refuse_bad_ids()
    view = getattr(g, "desk_view", None)
    if getattr(view, "is_open_to_all", False):
        return None
    held = cookies.held()
    principal = _whose(held.session)
    if principal is None:
        return to_sign_in()
    access_log.who(principal)
    limits.count_request(principal)
    token = form_token_of(held.session)
    g.desk_person = Person(principal=principal, session=held.session, form_token=token, is_framed=held.is_framed)
    if _is_of_another_session(token):
        return to_sign_in()
    if request.method not in _SAFE and not _brings_token(person().form_token):
        raise Problem("forbidden", "the page is out of date: load it again")
    return _to_own_place()


def _to_own_place() -> AnyResponse | None:
    """Pages of agents are for agents, those of supervisors for the others: whoever errs is led to his own."""
    path = f"{request.path}/"
    is_of_agents = path.startswith(_OF_AGENTS)  # of all streams theirs is one, the others are of supervisors
    is_wrong = not is_of_agents and path.startswith(_OF_SUPERVISORS) if person().agent_id else is_of_agents
    if not is_wrong:
        return None
    if request.method == "GET" and not request.headers.get("HX-Request") and "/stream/" not in request.path:
        return redirect(person().home, 303)
    raise Problem("forbidden", "this is of another role")


def is_still(who: Person) -> bool:
    """Whether his session goes on and he may what he might before; as a request, it keeps the session alive."""
    return _whose(who.session) == who.principal


def _whose(session: str) -> Principal | None:
    """A cookie holds a session and nothing else: what guesses at keys is counted at the door of the API."""
    if not session or (isinstance(services().authenticator, BearerAuthenticator) and not session.startswith(PREFIX)):
        return None
    return services().authenticator.authenticate(session)


def form_token_of(session: str) -> str:
    return hmac.digest(session.encode(), b"desk", "sha256").hex()


def _is_of_another_session(token: str) -> bool:
    """A part of a page that a session before this one has opened: its script asks whose it is now."""
    given = request.headers.get(TOKEN_HEADER, "")
    return bool(given) and "HX-Request" in request.headers and not _brings_token(token)


def _brings_token(wanted: str) -> bool:
    given = request.headers.get(TOKEN_HEADER, "") or request.form.get("form_token", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _refuse_foreign() -> None:
    """What changes something comes from a page of this very origin. Raises Problem forbidden."""
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin", "")
        is_ours = not origin or urlsplit(origin).netloc == request.host
    if not is_ours:
        raise Problem("forbidden", "this did not come from a page of the desk")


def _refuse_bad_ids() -> None:
    """Ids of an address come back in headers of the answer, where no line may end. Raises Problem not-found."""
    if not all(str(value).isprintable() for value in (request.view_args or {}).values()):
        raise Problem("not-found", "")


def to_sign_in() -> AnyResponse:
    """A page goes there and comes back; a part of a page is told, a script says it; an event stream stays away.

    In a frame of another site nobody signs in: that site opens it anew.
    """
    if request.headers.get("HX-Request"):
        around = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = around.path + (f"?{around.query}" if around.query else "")
        return Response(status=401, headers={"HX-Redirect": _sign_in_for(back)})
    if request.accept_mimetypes.best == "text/event-stream":
        return Response(status=204)
    if cookies.is_framed() and request.headers.get("Sec-Fetch-Dest") != "document":
        raise Problem("unauthenticated", "")
    return redirect(_sign_in_for(request.full_path.rstrip("?") if request.method in _SAFE else ""), 303)


def _sign_in_for(back: str) -> str:
    found = ways.safe(back)
    return SIGN_IN if found == ways.HOME else f"{SIGN_IN}?{urlencode({'next': found})}"


def people() -> PeopleDoor:
    """Raises Problem not-found where nobody signs in with a password."""
    authenticator = services().authenticator
    if not isinstance(authenticator, BearerAuthenticator):
        raise Problem("not-found", "nobody signs in with a password here")
    return authenticator.people


def digest_of(text: str) -> str:
    """Short, for comparing pieces of pages."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
