"""One call of a telephone, incoming or outgoing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Self

from deploy.lab.listening import Listening
from deploy.lab.sip import TYPE_SDP, Message, q850_cause, tag_of, token, uri_of
from deploy.lab.transaction import Transaction

if TYPE_CHECKING:
    from deploy.lab.phone import Address, Phone

ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, REFER, NOTIFY, OPTIONS, UPDATE"


class Call(Listening):
    """`state`: new, invited or calling, answered, ending, ended.

    How it ended: `by` (local, remote, remote-cancel), `code`, `reason`, `cause`.
    `t` holds the monotonic second of each step (invite, ringing, answered, acked, bye, cancel, ended,
    and of each provisional code).
    """

    def __init__(self, phone: Phone, call_id: str, tone: int | None = None) -> None:
        self.phone, self.id = phone, call_id
        self.media = phone.media_of(phone.host, tone or phone.tone)
        super().__init__(phone.user, self.media)
        self.state, self.direction = "new", ""
        self.local_uri, self.remote_uri, self.remote_target = phone.uri, "", ""
        self.local_tag, self.remote_tag, self.cseq = token(4), "", random.randint(1, 1000)
        self.code, self.reason, self.by = 0, "", ""
        self.invite: Message | None = None  # the INVITE that came in
        self.t: dict[str, float] = {}
        self.notifies: list[str] = []
        self.reinvites = 0
        self._address: Address = phone.server
        self._ended, self._answered, self._ringing = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._cancelled = False
        self._branch = ""
        self._unacknowledged = b""  # our 200 until the ACK comes
        phone.calls[call_id] = self
        phone.all_calls.append(self)

    def mark(self, step: str) -> None:
        self.t.setdefault(step, time.monotonic())

    @property
    def cause(self) -> int | None:
        """The Q.850 cause the other side gave, if any."""
        return q850_cause(self.reason)

    async def ringing_seen(self, within: float = 5.0) -> Self:
        """Wait until the far end rings (180 or 183)."""
        await asyncio.wait_for(self._ringing.wait(), within)
        return self

    async def answered(self, within: float = 5.0) -> Self:
        await asyncio.wait_for(self._answered.wait(), within)
        return self

    async def ended(self, within: float = 5.0) -> Self:
        await asyncio.wait_for(self._ended.wait(), within)
        return self

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.phone.tasks.add(task)
        task.add_done_callback(self.phone.tasks.discard)

    def _end(self, code: int, reason: str, by: str) -> None:
        if self.state == "ended":
            return
        self.state, self.code, self.reason, self.by = "ended", code, reason, by
        self.mark("ended")
        self._ended.set()
        self.media.stop()
        asyncio.get_running_loop().call_later(5.0, lambda: self.phone.calls.pop(self.id, None))

    # ------------------------------------------------------------------ incoming
    def take_invite(self, invite: Message, address: Address) -> None:
        self.direction, self.state, self.invite, self._address = "in", "invited", invite, address
        self.remote_tag, self.remote_uri = tag_of(invite.get("From")), uri_of(invite.get("From"))
        self.local_uri, self.remote_target = uri_of(invite.get("To")), uri_of(invite.get("Contact"))
        self.mark("invite")
        self._spawn(self._handle(invite))

    async def _handle(self, invite: Message) -> None:
        await self.media.start()
        policy = self.phone.on_invite
        if not getattr(policy, "silent", False) and self.state == "invited":
            self.phone.reply(invite, self._address, 100)
        self.phone.incoming.put_nowait(self)
        await policy(self)

    def ringing(self, code: int = 180) -> None:
        """Say 180 (or another provisional code) to an incoming call."""
        if self.state == "invited" and self.invite:
            contact = (f"Contact: {self.phone.contact}",)
            self.phone.reply(self.invite, self._address, code, self.local_tag, contact)
            self.mark("ringing")
            self._ringing.set()

    def answer(self) -> None:
        """Answer an incoming call; nothing happens when it is over already."""
        if self.state == "invited" and self.invite:
            self.media.take_sdp(self.invite.body, self.phone.media)
            self._send_ok(self.invite, self._address)
            self.state = "answered"
            self.mark("answered")
            self._answered.set()

    def reject(self, code: int = 486) -> None:
        """Refuse an incoming call with a SIP code."""
        if self.state == "invited" and self.invite:
            self.phone.reply(self.invite, self._address, code, self.local_tag)
            self._end(code, "rejected", "local")

    def redirect(self, uri: str) -> None:
        """Forward an incoming call to somebody else: 302."""
        if self.state == "invited" and self.invite:
            self.phone.reply(self.invite, self._address, 302, self.local_tag, (f"Contact: <{uri}>",))
            self._end(302, "forwarded", "local")

    def _send_ok(self, request: Message, address: Address) -> None:
        headers = (f"Contact: {self.phone.contact}", ALLOW, TYPE_SDP)
        data = self.phone.reply(request, address, 200, self.local_tag, headers, self.media.sdp())
        if request.method != "INVITE":
            return
        self._unacknowledged = data
        loop = asyncio.get_running_loop()

        def repeat(delay: float) -> None:
            if self._unacknowledged is data and self.state != "ended" and not self.phone.dead:
                self.phone.send(data, address)
                loop.call_later(min(delay * 2, 4), repeat, min(delay * 2, 4))

        loop.call_later(0.5, repeat, 0.5)

    def take_ack(self, ack: Message) -> None:
        self._unacknowledged = b""
        self.mark("acked")
        if ack.body:
            self.media.take_sdp(ack.body, self.phone.media)

    def take_request(self, request: Message, address: Address) -> None:
        reason = request.get("Reason")
        if request.method == "BYE":
            self.phone.reply(request, address, 200)
            self._end(200, reason, "remote")
        elif request.method == "CANCEL":
            self.phone.reply(request, address, 200, self.local_tag)
            if self.state == "invited" and self.invite:
                self.phone.reply(self.invite, self._address, 487, self.local_tag)
                self._end(487, reason, "remote-cancel")
        elif request.method in ("INVITE", "UPDATE"):
            if request.body:
                self.media.take_sdp(request.body, self.phone.media)
            self.mark("reinvite")
            self.reinvites += 1
            self._send_ok(request, address)
        else:
            if request.method == "NOTIFY":
                self.notifies.append(request.body.decode("utf-8", "replace").strip())
            self.phone.reply(request, address, 200)

    # ------------------------------------------------------------------ outgoing
    def start_outgoing(self, uri: str, headers: tuple[str, ...]) -> None:
        self.direction, self.state = "out", "calling"
        self.remote_uri = self.remote_target = uri
        self._spawn(self._invite_out(headers))

    def _dialog(self, method: str, cseq: int) -> tuple[str, ...]:
        to = f"<{self.remote_uri}>" + (f";tag={self.remote_tag}" if self.remote_tag else "")
        from_ = f"<{self.local_uri}>;tag={self.local_tag}"
        return (f"From: {from_}", f"To: {to}", f"Call-ID: {self.id}", f"CSeq: {cseq} {method}")

    def _send_ack(self, cseq: int, branch: str = "", to: str = "") -> None:
        dialog = list(self._dialog("ACK", cseq))
        if to:
            dialog[1] = f"To: {to}"
        branch = branch or "z9hG4bK" + token()
        self.phone.send(self.phone.write_request("ACK", self.remote_target, dialog, branch, (), b""))

    def _take_provisional(self, response: Message) -> None:
        self.mark(str(response.status))
        if response.status in (180, 183):
            self.mark("ringing")
            self._ringing.set()
        if response.body:
            self.media.take_sdp(response.body, self.phone.media)

    async def _invite_out(self, headers: tuple[str, ...]) -> None:
        await self.media.start()
        if self._cancelled:
            self._end(487, "cancelled", "local")
            return
        self.mark("invite")
        transaction, response = await self._try_invite(headers)
        if response and response.status in (401, 407) and self.phone.password and not self._cancelled:
            credentials = self.phone.authorize(response, "INVITE", self.remote_target)
            transaction, response = await self._try_invite((*headers, credentials))
        if response is None:
            self._end(408, "timeout", "local")
        elif response.status >= 300:
            self._end(response.status, response.get("Reason"), "remote")
        else:
            await self._established(transaction, response)

    async def _try_invite(self, headers: tuple[str, ...]) -> tuple[Transaction, Message | None]:
        self.cseq += 1
        cseq, branch = self.cseq, "z9hG4bK" + token()
        self._branch = branch
        transaction = self.phone.request(
            "INVITE",
            self.remote_target,
            self._dialog("INVITE", cseq),
            (*headers, TYPE_SDP),
            self.media.sdp(),
            branch,
            self._take_provisional,
        )
        try:
            response = await transaction.final
        except TimeoutError:
            return transaction, None
        if response.status >= 300:
            to = response.get("To")
            transaction.resend_ack = lambda: self._send_ack(cseq, branch, to)
            transaction.resend_ack()
        return transaction, response

    async def _established(self, transaction: Transaction, response: Message) -> None:
        self.remote_tag = tag_of(response.get("To"))
        self.remote_target = uri_of(response.get("Contact")) or self.remote_target
        self.media.take_sdp(response.body, self.phone.media)
        cseq = self.cseq
        transaction.resend_ack = lambda: self._send_ack(cseq)
        transaction.resend_ack()
        self.state = "answered"
        self.mark("answered")
        self._answered.set()
        if self._cancelled:
            await self.hangup()

    # ------------------------------------------------------------------ in the call
    async def _in_dialog(self, method: str, headers: tuple[str, ...] = (), body: bytes = b"") -> Message:
        self.cseq += 1
        cseq = self.cseq
        transaction = self.phone.request(method, self.remote_target, self._dialog(method, cseq), headers, body)
        response = await transaction.final
        if method == "INVITE":
            transaction.resend_ack = lambda: self._send_ack(cseq)
            transaction.resend_ack()
            if response.body:
                self.media.take_sdp(response.body, self.phone.media)
        return response

    async def hangup(self, wait: float = 5.0) -> None:
        """End the call in whatever state: BYE, CANCEL or 486."""
        if self.state == "answered":
            self._unacknowledged = b""
            self.state = "ending"
            self.mark("bye")
            try:
                await asyncio.wait_for(self._in_dialog("BYE"), wait)
            finally:
                self._end(200, "", "local")
        elif self.state == "calling":
            self._cancelled = True
            self.mark("cancel")
            if self._branch:
                dialog = self._dialog("CANCEL", self.cseq)
                self.phone.request("CANCEL", self.remote_target, dialog, branch=self._branch)
            await asyncio.wait_for(self._ended.wait(), wait)
        else:
            self.reject(486)

    async def info(self, digit: str) -> Message:
        """Press a digit by SIP INFO."""
        body = f"Signal={digit}\r\nDuration=160\r\n"
        return await self._in_dialog("INFO", ("Content-Type: application/dtmf-relay",), body.encode())

    async def hold(self) -> Message:
        """Re-INVITE sendonly, as the hold button of a telephone does."""
        return await self._in_dialog("INVITE", (TYPE_SDP,), self.media.sdp("sendonly"))

    async def unhold(self) -> Message:
        return await self._in_dialog("INVITE", (TYPE_SDP,), self.media.sdp("sendrecv"))

    async def refer(self, number: str, replaces: Call | None = None) -> Message:
        """Transfer by REFER, blind or (with `replaces`) attended; returns the response to it."""
        to = f"sip:{number}@{self.phone.server[0]}:{self.phone.server[1]}"
        if replaces:
            tags = f"{replaces.id};to-tag={replaces.remote_tag};from-tag={replaces.local_tag}"
            to += "?Replaces=" + tags.replace(";", "%3B").replace("=", "%3D")
        headers = (f"Refer-To: <{to}>", f"Referred-By: <{self.local_uri}>")
        return await self._in_dialog("REFER", headers)
