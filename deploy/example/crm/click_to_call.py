#!/usr/bin/env python3
"""Click to call: rings the agent's own phone, then the customer's, and tells how it goes.

    SWITCHROOM_API=http://127.0.0.1:8080 SWITCHROOM_API_KEY=... python3 click_to_call.py NUMBER --agent anna

Nothing but the standard library. Three things make it safe to put behind a button:

1. One Idempotency-Key per click, and the same one whenever the request is sent again. So an answer that gets lost on
   its way dials once, however often it is asked for.
2. Problems are told apart by `type`, never by their text.
3. It does not poll: a long poll of the events of this one call ends as soon as something happens.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

ATTEMPTS = 4
WATCHED = "interaction.connected,outdial.failed,interaction.ended"


class Refused(Exception):
    """A problem (RFC 9457) that asking again does not solve."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title"))
        self.problem = problem


def ask(method: str, path: str, body: object = None, **headers: str) -> Any:
    """One request. Raises Refused, or OSError where it is worth another attempt."""
    url = os.environ["SWITCHROOM_API"].rstrip("/") + path
    fixed = {"Authorization": f"Bearer {os.environ['SWITCHROOM_API_KEY']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, {**fixed, **headers}, method=method)
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        # 409 of this type: the first attempt is still being worked on. 5xx: it may or may not have been done.
        problem = json.loads(error.read() or b"{}")
        if error.code >= 500 or problem.get("type", "").endswith("/idempotency-in-progress"):
            raise ConnectionError(f"{error.code} {problem.get('title')}") from error
        raise Refused(problem) from error


def call(agent: str, number: str) -> str:
    """The id of the new interaction. The agent's phone rings when this returns."""
    click = str(uuid.uuid4())
    for attempt in range(1, ATTEMPTS + 1):
        try:
            body = {"agent_id": agent, "number": number}
            started = ask("POST", "/v1/outdials", body, **{"Idempotency-Key": click})
            return str(started["id"])
        except OSError as error:
            if attempt == ATTEMPTS:
                raise
            print(f"{error}: once more, with the same key", file=sys.stderr)
            time.sleep(2**attempt)
    raise AssertionError


def watch(interaction_id: str) -> bool:
    """Print what happens until the customer has answered (True), or it has come to nothing (False)."""
    after = "0"  # the oldest event that is kept: so none is missed that came before this question
    while True:
        query = {"interaction_id": interaction_id, "types": WATCHED, "after": after, "wait": "25"}
        answer = ask("GET", f"/v1/events?{urllib.parse.urlencode(query)}")
        after = answer["next_after"]
        for event in answer["events"]:
            print(event["type"], event["data"].get("failure", ""))
            if event["type"] != "interaction.ended":
                return bool(event["type"] == "interaction.connected")
            return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Calls a customer from an agent's phone.")
    parser.add_argument("number", help="as it stands in your CRM: +1 (201) 555-0177")
    parser.add_argument("--agent", required=True, help="whose phone rings first")
    arguments = parser.parse_args()
    try:
        interaction_id = call(arguments.agent, arguments.number)
        print(f"{interaction_id}: {arguments.agent}'s phone rings")
        sys.exit(0 if watch(interaction_id) else 1)
    except Refused as refused:
        sys.exit(f"{refused.problem.get('type')}: {refused}")
    except OSError as error:
        sys.exit(f"no answer: {error}")


if __name__ == "__main__":
    main()
