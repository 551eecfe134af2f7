#!/usr/bin/env python3
"""Receives Switchroom's webhooks and prints the page that an agent's screen should open.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_... python3 webhook_receiver.py [--port 9000]

Five things that a receiver must do, whatever it is written in:

1. Verify the signature over the bytes as they came, before it parses them.
2. Refuse a timestamp that is minutes off: a recorded request must not work tomorrow. (`Webhook.verify` does both.)
3. Answer soon: 2xx when it has the event safely, and do the work afterwards. Anything else is sent again later.
4. Expect the same event twice (its answer may have got lost) and do its work once: `webhook-id` is the same then.
5. Expect events late or in another order: `data.at` says when it happened.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

MAX_BODY_BYTES = 100_000
REMEMBERED = 10_000


class Seen:
    """Ids of webhooks that were taken. Your CRM has a table with a unique column for them, which survives restarts."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def is_new(self, webhook_id: str) -> bool:
        with self._lock:
            if webhook_id in self._ids:
                return False
            self._ids[webhook_id] = None
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
            return True


def act_on(event: dict[str, Any]) -> None:
    """What your CRM does: here it prints."""
    agent, data = event["agent_id"], event["data"]
    if event["type"] == "offer.ringing" and data.get("screen_pop"):
        print(f"screen pop for {agent}: {data['screen_pop']}", flush=True)
    else:
        print(f"{event['type']} {event['interaction_id']}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    webhook: Webhook
    seen: Seen

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            message = self.webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError) as error:
            print(f"refused: {error}", file=sys.stderr, flush=True)
            self._answer(401)
            return
        if self.seen.is_new(self.headers["webhook-id"]):
            act_on(message["data"])
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet: `act_on` says what matters."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Receives webhooks and prints screen pops.")
    parser.add_argument("--port", type=int, default=9000)
    arguments = parser.parse_args()
    secret = os.environ.get("WEBHOOK_SECRET") or sys.exit("WEBHOOK_SECRET is not set: the answer to the POST holds it")
    Receiver.webhook, Receiver.seen = Webhook(secret), Seen()
    print(f"listening on port {arguments.port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Receiver).serve_forever()


if __name__ == "__main__":
    main()
