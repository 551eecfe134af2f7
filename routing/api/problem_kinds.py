"""Every kind of problem that leaves the API: its status, its title, what it means and what to do about it."""

from __future__ import annotations

from routing.api.problem_kind import LOOK, Kind
from routing.api.problem_kind import kind as _kind
from routing.api.problem_kinds_campaigns import CAMPAIGNS

__all__ = ["KINDS", "REQUESTS", "RULES", "SERVER", "Kind"]


# What the rules of the product refuse. Nothing has changed then.
RULES: dict[str, Kind] = {
    "domain-error": _kind(409, "Refused", "A rule of the product refused the order.", "Read `detail`."),
    "illegal-transition": _kind(
        409,
        "Not possible in this state",
        "The call or the agent is in a state from which this does not lead on.",
        LOOK,
    ),
    "pacing-refused": _kind(
        409,
        "No pacing now",
        "The campaign is not predictive, or the order of its pacing is out of date.",
        "The next tick brings a new one.",
    ),
    "agent-unknown": _kind(
        404,
        "There is no such agent",
        "The running configuration has no agent of this id.",
        "`GET /v1/agents` lists them.",
    ),
    "interaction-unknown": _kind(
        404,
        "There is no such interaction",
        "It never was, it ended more than a day ago, or it is not for you to see.",
        "Ended interactions are found in the history.",
    ),
    "target-unknown": _kind(
        422,
        "There is no such target",
        "No such queue, agent or entry point, or not exactly one target was named.",
        "Name exactly one target that the running configuration knows.",
    ),
    "target-not-allowed": _kind(
        422,
        "Such a target is not allowed",
        "The rules do not let this call go to a target of this kind.",
        "Choose another kind of target, or have the rule named in `rule` enabled.",
    ),
    "reason-unknown": _kind(
        422,
        "The reason is not configured",
        "Reasons of idle and wrap-up come from the configuration.",
        "Choose one of those listed in `detail`.",
    ),
    "agent-not-engaged": _kind(
        409, "The agent has no part in this interaction", "The order names an agent who is not in this call.", LOOK
    ),
    "action-not-allowed": _kind(
        409,
        "The action is not allowed now",
        "State and role do not allow it; `allowed_actions` says what they do allow.",
        LOOK,
    ),
    "agent-not-available": _kind(
        409,
        "The agent cannot take a call now",
        "He is signed out, idle, on a call, or his phone is gone; see `because`.",
        "Choose another target, or try again when he is available.",
    ),
    "supervision-not-possible": _kind(
        409,
        "The call cannot be supervised",
        "No agent of ours talks in it now (`because`: state), or he is of no team of the supervisor's (team).",
        "Choose a call in which an agent talks.",
    ),
    "supervision-exists": _kind(
        409,
        "Somebody listens already",
        "One supervisor at a time hears a call; `by` says who asked for it.",
        "Ask him, or stop his supervision.",
    ),
    "supervision-unknown": _kind(
        404,
        "Nobody listens to this call",
        "There is no supervision of this call, or it is another supervisor's.",
        "Read the interaction: `supervision` says who listens.",
    ),
    "supervisor-unknown": _kind(
        422,
        "There is no such supervisor",
        "The running configuration has no supervisor of this id.",
        "`GET /v1/supervisors` lists them.",
    ),
    "supervisor-not-available": _kind(
        409,
        "The supervisor's telephone cannot be rung",
        "He is on a call or listens to one, his telephone is taken, or its PBX is out of reach; see `because`.",
        "Try again when his telephone is free.",
    ),
    "agent-engaged": _kind(
        409,
        "The agent still has an interaction",
        "This is only possible without a call.",
        "End or wrap up the call first.",
    ),
    "mapping-refused": _kind(
        422,
        "The columns do not fit",
        "A column of the mapping is not in the first row, is there twice, or no column holds numbers.",
        "Name columns as the first row of the file does.",
    ),
    "import-ended": _kind(
        409, "The import is over", "What has ended is not cancelled.", "Read it: `state` says how it ended."
    ),
    "upload-superseded": _kind(
        409,
        "The file is sent by another request",
        "The import was cancelled, or its file is being sent anew under the same Idempotency-Key.",
        "Read the import; `state` says what becomes of it.",
    ),
    "report-not-possible": _kind(
        422,
        "Such a report is not possible",
        "The time zone does not exist, the span is empty or too long, or it would have too many lines.",
        "`field` is the parameter to change.",
    ),
    "number-refused": _kind(
        422,
        "The number is not dialed",
        "It is malformed, belongs to an entry point, or his profile does not permit it.",
        "`rule` is the stable word of the rule that it breaks.",
    ),
    "ani-refused": _kind(
        422,
        "The number to show is not permitted",
        "An agent may show only the numbers that his profile lists.",
        "Choose one of those listed in `detail`.",
    ),
    "outdial-not-allowed": _kind(
        403,
        "The agent may not place this call",
        "His profile does not enable outdial, or this part of it.",
        "Have the rule named in `rule` enabled in his profile.",
    ),
    "outdial-not-possible": _kind(
        409,
        "The agent cannot place a call now",
        "`because` says why: he is on a call, signed out, being rung, ...",
        "Try again when that is over.",
    ),
    "capacity-reached": _kind(
        429,
        "The limit of concurrent calls is reached",
        "`reason_code` 26: of the data centre, all tenants together; 27: of this tenant.",
        "Try again when calls have ended, or have the limit raised.",
    ),
    "dial-rate-reached": _kind(
        429,
        "Too many numbers were dialed",
        "A limit of dials a minute guards against fraud and faults.",
        "Try again after `Retry-After` seconds.",
    ),
    "callback-refused": _kind(
        409,
        "No callback",
        "This number may not be called back, or there is a callback to it already; or an agent has the one that shall "
        "be cancelled.",
        "`reason` says which.",
    ),
    "do-not-call": _kind(
        423,
        "The number must not be called",
        "It is on the do-not-call list.",
        "Do not call it; a mark is not taken back.",
    ),
    "dry-run-refused": _kind(
        422,
        "Such a dry run is not possible",
        "It is of one queue or of one entry point that the running configuration has.",
        "`reason` says what is wrong.",
    ),
    "digits-refused": _kind(
        422, "The digits cannot be sent", "DTMF is 0-9, *, #, A-D, up to a length.", "Send other digits."
    ),
    "cad-refused": _kind(
        422,
        "CAD refused",
        "One or more values break their declaration; none was written.",
        "`problems` says what is wrong with each variable.",
    ),
    "cad-conflict": _kind(
        412,
        "Somebody saved first",
        "CAD was changed since the version your edit is based on; nothing was written.",
        "`current` and `author` tell what was saved and by whom, `yours` what was not. Decide, and save based on "
        "`current_version`.",
    ),
    "note-refused": _kind(422, "The note is refused", "A note is text of 1 to 2000 characters.", "Change its length."),
    "config-stale": _kind(
        412, "The configuration has moved on", "The change was planned against an older revision.", "Plan anew."
    ),
    "version-conflict": _kind(
        412,
        "Somebody saved first",
        "The thing was changed since the version that your edit is based on.",
        "Read it anew, decide, and save with its new `ETag`; `current_version` tells the version.",
    ),
    "already-exists": _kind(409, "There is one already", "Something of this id or name exists.", "Choose another one."),
    "not-wrapped-up": _kind(
        409,
        "The call has no wrap-up reason yet",
        "From the history a call can be called only when its agent has finished his wrap-up with a reason.",
        "Finish the wrap-up; then repeat the request.",
    ),
    "not-in-history": _kind(
        409,
        "The call is not in this agent's history",
        "From the history an agent calls the customers of calls that he had himself.",
        "Start an outdial with the number instead.",
    ),
    "recording-running": _kind(
        409,
        "The recording still runs",
        "The PBX still writes the file.",
        "Repeat the request when the call has ended.",
    ),
    "webhook-disabled": _kind(
        409, "The webhook is disabled", "A disabled endpoint is sent nothing.", "Enable it, then try again."
    ),
    "desk-not-framed": _kind(
        409,
        "The desk may not be framed",
        "No origin is allowed to hold the pages in a frame.",
        "Name the origins in `desk.frame_origins`.",
    ),
    "recording-elsewhere": _kind(
        404,
        "The file of the recording is not on this server",
        "It was moved, deleted, or lies on the PBX.",
        "Ask the operator where recordings are kept.",
    ),
}

# What the request itself is refused for.
REQUESTS: dict[str, Kind] = {
    "invalid-request": _kind(
        422,
        "The request breaks its schema",
        "Members, types or values are not those of the document.",
        "`errors` lists each with a JSON pointer. Unknown members are refused too.",
    ),
    "malformed-request": _kind(
        400, "The request cannot be read", "Its body is not JSON in UTF-8, or its syntax is wrong.", "Mend the request."
    ),
    "unauthenticated": _kind(
        401,
        "A valid key or token is needed",
        "There is none, or it is wrong, expired or revoked.",
        "Send `Authorization: Bearer` with an API key, a token of `POST /v1/sessions`, or one of your OpenID provider.",
    ),
    "forbidden": _kind(
        403,
        "A permission is missing",
        "The key or person has not got the scope, or may not act for that agent.",
        "`missing_scopes` names what is missing; who manages keys can give it.",
    ),
    "cursor-invalid": _kind(
        422,
        "The cursor is not one of this list",
        "A cursor is good only for the list and order that gave it out.",
        "Begin without a cursor.",
    ),
    "range-not-satisfiable": _kind(
        416, "The file has no such range", "The file is shorter.", "Ask for another range, or for the whole file."
    ),
    "not-found": _kind(
        404, "There is no such thing", "It does not exist, or belongs to another tenant.", "Check path and id."
    ),
    "method-not-allowed": _kind(
        405,
        "This method is not supported here",
        "The path exists, the method does not.",
        "The header `Allow` lists them.",
    ),
    "not-acceptable": _kind(406, "No such form", "The answer cannot be given in a form you accept.", "Widen `Accept`."),
    "request-timeout": _kind(
        408, "The request came too slowly", "Its body was not complete in time.", "Send it again, faster."
    ),
    "body-too-large": _kind(
        413,
        "The body is too large",
        "Only lists need more than 1 MiB; `detail` says the limit.",
        "Send less at a time.",
    ),
    "wrong-content-type": _kind(
        415,
        "The body is of another type",
        "Bodies are `application/json`, files `text/csv`.",
        "Send the right `Content-Type`.",
    ),
    "idempotency-key-missing": _kind(
        400,
        "An Idempotency-Key is needed",
        "This request dials, transfers or creates. With a key it can be repeated without doing it twice.",
        "Send a new UUID in the header `Idempotency-Key`, and the same one when you repeat the request.",
    ),
    "idempotency-key-invalid": _kind(
        400,
        "The Idempotency-Key cannot be read",
        "It is 1 to 200 visible ASCII characters, with or without quotes.",
        "Send a UUID.",
    ),
    "idempotency-key-reused": _kind(
        422,
        "The Idempotency-Key was used for something else",
        "Within a day the same key came with another path or body.",
        "Use a new key for each new intention.",
    ),
    "idempotency-in-progress": _kind(
        409,
        "The same request is still running",
        "A request with this Idempotency-Key has not been answered yet.",
        "Repeat it after `Retry-After` seconds.",
    ),
    "version-needed": _kind(
        428,
        "Say which version you edit",
        "Two people can edit this; without `If-Match` one would overwrite the other.",
        "Send the `ETag` of what you read as `If-Match`.",
    ),
    "version-invalid": _kind(
        400, "If-Match cannot be read", 'It is an ETag that this API gave out, e.g. `"7"`.', "Send the ETag as it came."
    ),
    "too-many-requests": _kind(
        429, "Too many requests", "The key has a limit of requests a minute.", "Go on after `Retry-After` seconds."
    ),
    "too-many-failures": _kind(
        429,
        "Too many failed attempts to sign in",
        "From this address, or for this key or name.",
        "Wait for `Retry-After` seconds, and mend the key or password.",
    ),
}

# What is the server's fault or state.
_LATER = "Repeat the request later; with an Idempotency-Key it is not done twice."
SERVER: dict[str, Kind] = {
    "no-reply": _kind(
        503,
        "No engine answered in time",
        "With an Idempotency-Key the order waits for one and is carried out then; without a key it was withdrawn.",
        _LATER,
    ),
    "store-error": _kind(503, "The live state cannot be used", "Redis did not do what was asked.", _LATER),
    "store-unavailable": _kind(503, "The live state cannot be reached", "Redis does not answer.", _LATER),
    "store-refused": _kind(503, "The live state was refused", "Redis answered with an error.", _LATER),
    "store-full": _kind(503, "Too many orders wait", "The engine does not keep up, or none runs.", _LATER),
    "store-corrupt": _kind(
        500,
        "Something stored cannot be read",
        "This version of the server cannot read what was stored.",
        "Tell the operator; the log says what it is.",
    ),
    "store-fenced": _kind(503, "The leader changed", "Another engine took over in this moment.", _LATER),
    "fence-moved": _kind(503, "Claims were given up", "A sweep of this campaign's claims ran in between.", _LATER),
    "snapshot-gone": _kind(404, "There is no such snapshot", "A newer one has replaced it.", "Use a kept one."),
    "seal-key-missing": _kind(
        500,
        "Call data cannot be opened",
        "This process lacks the key that sealed it.",
        "Tell the operator: see `cad_key_file` of the configuration.",
    ),
    "tenant-name-bad": _kind(422, "No such name of a tenant", "It is empty or holds a brace.", "Use another name."),
    "database-unavailable": _kind(
        503,
        "The database cannot be reached",
        "History, contacts and keys are kept there; calls go on without it.",
        _LATER,
    ),
    "database-refused": _kind(
        503, "The database refused", "It answered with an error.", "Tell the operator; the log says why."
    ),
    "oidc-unavailable": _kind(
        503, "The OpenID provider cannot be reached", "Its keys are needed to verify the token.", _LATER
    ),
    "internal-error": _kind(
        500, "A fault of the server", "Something failed that never should.", "Tell the operator the `X-Request-Id`."
    ),
}

KINDS: dict[str, Kind] = RULES | CAMPAIGNS | REQUESTS | SERVER
