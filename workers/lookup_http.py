"""One request of a flow to a CRM: templates filled in and escaped, an answer that is read strictly (FLOW-05)."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

import httpx

from routing.core.commands import LOOKUPS, LookUp
from routing.core.facts import LookedUp, LookUpOutcome

MAX_ANSWER_BYTES = 65_536
MAX_VARIABLES = 100
_PLACE = re.compile(r"\{([^{}]*)\}")
_ENVIRONMENT = "env:"


class BadAnswer(Exception):
    """What came back is of no use; the text says why, without anything that the answer held."""


class HttpAsker:
    """Asks CRM systems. Redirects are not followed: the configuration says where call data go, nobody else."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False, trust_env=False)

    async def ask(self, command: LookUp, timeout_s: float) -> LookedUp:
        """Always an answer, in `timeout_s` at the latest."""
        status = 0
        try:
            async with asyncio.timeout(timeout_s), self._request(command) as response:
                status = response.status_code
                if not response.is_success:
                    raise BadAnswer(f"it answered with {status}")
                return answer_of(command, status, await _read(response))
        except BadAnswer as error:
            return failed(command, str(error), status)
        except (TimeoutError, httpx.TimeoutException):
            return failed(command, "no answer in time", status)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return failed(command, type(error).__name__, status)

    def _request(self, command: LookUp) -> AbstractAsyncContextManager[httpx.Response]:
        url = _address(command)
        body = filled(command.body, command.values, _in_json).encode() or None
        return self._client.stream(command.method, url, headers=self._headers(command), content=body, timeout=None)

    def _headers(self, command: LookUp) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if command.body:
            headers["Content-Type"] = "application/json"
        for name, value in command.headers.items():
            if value.startswith(_ENVIRONMENT):
                variable = value.removeprefix(_ENVIRONMENT)
                if variable not in self._environment:
                    raise BadAnswer(f"the environment variable {variable} is not set here")
                value = self._environment[variable]
            headers[name] = value
        return headers

    async def close(self) -> None:
        await self._client.aclose()


def _address(command: LookUp) -> str:
    """Raises BadAnswer where a value, which may be a stranger's word, would lead to another place than the one written:
    a part `..` is taken as "one up", escaped or not.
    """
    url = filled(command.url, command.values, lambda text: quote(text, safe=""))
    path = url.partition("?")[0].partition("#")[0]
    if any(part in (".", "..") for part in path.split("/")):
        raise BadAnswer("a part of the address would be . or ..")
    return url


async def _read(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise BadAnswer(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return body


def filled(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """`{name}` replaced by what `escape` makes of that value. Other braces stay, as those of a body of JSON do."""
    return _PLACE.sub(lambda found: escape(values[found[1]]) if found[1] in values else found[0], template)


def _in_json(text: str) -> str:
    """For a place between quotes."""
    return json.dumps(text)[1:-1]


def failed(command: LookUp, reason: str, status: int = 0) -> LookedUp:
    return LookedUp(
        pbx=LOOKUPS,
        interaction_id=command.interaction_id,
        command_id=command.id,
        outcome=LookUpOutcome.FAILED,
        reason=reason,
        http_status=status,
    )


def answer_of(command: LookUp, status: int, body: bytes) -> LookedUp:
    """A JSON object with any of `cad`, `priority`, `requires`, `preferred_agent`, `language`.

    Anything else, or one of them in another shape, raises BadAnswer: half an answer would route by chance. An empty
    body says nothing, and is fine.
    """
    found: Any = {}
    if body.strip():
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise BadAnswer("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise BadAnswer("the answer is no JSON object")
    return LookedUp(
        pbx=LOOKUPS,
        interaction_id=command.interaction_id,
        command_id=command.id,
        outcome=LookUpOutcome.DONE,
        http_status=status,
        cad=_cad(found.get("cad")),
        priority=_priority(found.get("priority")),
        requires=_requires(found.get("requires")),
        preferred_agent=_text(found, "preferred_agent"),
        language=_text(found, "language"),
    )


def _cad(found: Any) -> dict[str, str]:
    """Names and scalars; null clears, as an empty text does. Numbers and booleans are written as CAD writes them."""
    if found is None:
        return {}
    if not isinstance(found, dict) or len(found) > MAX_VARIABLES:
        raise BadAnswer("cad is no object of at most 100 values")
    return {name: _scalar(name, value) for name, value in found.items()}


def _scalar(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise BadAnswer(f"cad.{name[:64]} is no text, number or boolean")


def _priority(found: Any) -> int | None:
    if found is None:
        return None
    if type(found) is not int or not 1 <= found <= 10:
        raise BadAnswer("priority is no whole number from 1 to 10")
    return found


def _requires(found: Any) -> str:
    """`{"spanish": 5}`, as `spanish:5`."""
    if found is None:
        return ""
    if not isinstance(found, dict):
        raise BadAnswer("requires is no object of skills and levels")
    for level in found.values():
        if type(level) is not int or not 1 <= level <= 10:
            raise BadAnswer("a level in requires is no whole number from 1 to 10")
    return ",".join(f"{skill}:{level}" for skill, level in found.items())


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 64:
        raise BadAnswer(f"{name} is no text of at most 64 characters")
    return value
