"""The telephone: one SIP user agent on a UDP socket of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

from deploy.lab.call import Call
from deploy.lab.media import Media
from deploy.lab.policies import Answer, Policy
from deploy.lab.sip import MalformedMessage, Message, digest_header, tag_of, token, write, write_response
from deploy.lab.transaction import Transaction

Address = tuple[str, int]
REMEMBERED_RESPONSES = 2000


class RegistrationRefused(RuntimeError):
    """The registrar did not accept the telephone."""


class Phone(asyncio.DatagramProtocol):
    """See `deploy.lab.softphone` for the verbs. Make it with `create`, end it with `close`."""

    def __init__(self, user: str, server: Address, password: str, tone: int | None, host: str) -> None:
        self.user, self.server, self.password, self.host, self.tone = user, server, password, host, tone
        self.on_invite: Policy = Answer()
        self.media_of: Callable[[str, int | None], Media] = Media  # of each call: its host and tone
        self.media = True  # False: sends no RTP
        self.dead = False  # True: reads and sends nothing, like a telephone without power
        self.calls: dict[str, Call] = {}
        self.all_calls: list[Call] = []
        self.incoming: asyncio.Queue[Call] = asyncio.Queue()
        self.tasks: set[asyncio.Task[None]] = set()
        self._transactions: dict[tuple[str, str], Transaction] = {}
        self._responses: dict[tuple[str, str], bytes] = {}
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def create(
        cls,
        user: str,
        server: Address = ("127.0.0.1", 5060),
        password: str = "",
        tone: int | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> Self:
        """A telephone on host:port (0 = any free port) which talks to `server` and sends `tone` Hz."""
        self = cls(user, server, password, tone, host)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        return self

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.server[0]}:{self.server[1]}"

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.host}:{self.port}>"

    # ------------------------------------------------------------------ wire
    def send(self, data: bytes, address: Address | None = None) -> None:
        if not self.dead:
            self._transport.sendto(data, address or self.server)

    def error_received(self, exc: Exception) -> None:
        """The server's port is closed: the transaction's own timer tells."""

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.dead:
            return
        with suppress(MalformedMessage):  # keep-alives and noise
            message = Message.parse(data)
            if message.status:
                transaction = self._transactions.get((message.branch, message.cseq_method))
                if transaction:
                    transaction.take(message)
            else:
                self._take_request(message, addr)

    def _take_request(self, request: Message, address: Address) -> None:
        call = self.calls.get(request.get("Call-ID"))
        if request.method == "ACK":
            if call:
                call.take_ack(request)
            return
        key = (request.branch, request.method)
        if key in self._responses:  # a repetition
            if self._responses[key]:
                self.send(self._responses[key], address)
            return
        self._responses[key] = b""
        if len(self._responses) > REMEMBERED_RESPONSES:
            del self._responses[next(iter(self._responses))]
        if call:
            call.take_request(request, address)
        elif request.method == "INVITE" and not tag_of(request.get("To")):
            Call(self, request.get("Call-ID")).take_invite(request, address)
        else:
            self.reply(request, address, 200 if request.method in ("OPTIONS", "NOTIFY") else 481)

    def reply(
        self,
        request: Message,
        address: Address,
        code: int,
        to_tag: str = "",
        headers: Iterable[str] = (),
        body: bytes = b"",
    ) -> bytes:
        """Send a response and keep it for repetitions of the request; returns the datagram."""
        data = write_response(request, code, to_tag, headers, body)
        self._responses[request.branch, request.method] = data
        self.send(data, address)
        return data

    # ------------------------------------------------------------------ requests
    def write_request(
        self, method: str, uri: str, dialog: Iterable[str], branch: str, headers: Iterable[str], body: bytes
    ) -> bytes:
        via = f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch={branch}"
        fixed = ("Max-Forwards: 70", *dialog, f"Contact: {self.contact}", "User-Agent: Switchroom lab")
        return write(f"{method} {uri} SIP/2.0", (via, *fixed, *headers), body)

    def request(
        self,
        method: str,
        uri: str,
        dialog: Iterable[str],
        headers: Iterable[str] = (),
        body: bytes = b"",
        branch: str = "",
        on_provisional: Callable[[Message], None] | None = None,
    ) -> Transaction:
        """Send a request; `dialog` are its From, To, Call-ID and CSeq lines."""
        branch = branch or "z9hG4bK" + token()
        data = self.write_request(method, uri, dialog, branch, headers, body)
        transaction = Transaction(method, lambda: self.send(data), on_provisional)
        self._transactions[branch, method] = transaction
        return transaction

    def authorize(self, challenge: Message, method: str, uri: str) -> str:
        return digest_header(challenge, method, uri, self.user, self.password)

    # ------------------------------------------------------------------ verbs
    async def register(self, expires: int = 600) -> Message:
        """Register at the server (expires 0: leave it); raises RegistrationRefused."""
        uri, call_id, tag = f"sip:{self.server[0]}:{self.server[1]}", token(), token(4)
        headers: tuple[str, ...] = ()
        for number in (1, 2):
            dialog = (
                f"From: <{self.uri}>;tag={tag}",
                f"To: <{self.uri}>",
                f"Call-ID: {call_id}",
                f"CSeq: {number} REGISTER",
            )
            response = await self.request("REGISTER", uri, dialog, (*headers, f"Expires: {expires}")).final
            if response.status not in (401, 407):
                break
            headers = (self.authorize(response, "REGISTER", uri),)
        if response.status != 200:
            raise RegistrationRefused(f"{self.user}: {response.start}")
        return response

    async def stay_registered(self, expires: int = 600) -> None:
        """Register, and again when half of that time is over, until `close`; raises RegistrationRefused at first."""
        await self.register(expires)
        task = asyncio.create_task(self._renew(expires))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _renew(self, expires: int) -> None:
        while True:
            await asyncio.sleep(expires / 2)
            with suppress(RegistrationRefused, TimeoutError):  # the registrar is away: next time
                await self.register(expires)

    async def dial(self, number: str, headers: Iterable[str] = (), tone: int | None = None) -> Call:
        """Begin a call to a number of the server or to a sip: URI; `tone` replaces the telephone's."""
        call = Call(self, token(), tone)
        uri = number if number.startswith("sip:") else f"sip:{number}@{self.server[0]}:{self.server[1]}"
        call.start_outgoing(uri, tuple(headers))
        return call

    async def next_call(self, within: float = 5.0) -> Call:
        """The next incoming call not yet asked for, ringing or not; TimeoutError after `within` seconds."""
        return await asyncio.wait_for(self.incoming.get(), within)

    def live(self) -> list[Call]:
        """The calls which have not ended."""
        return [call for call in self.calls.values() if call.state != "ended"]

    async def close(self) -> None:
        """Hang up everything and close every socket; may be called twice."""
        for call in self.live():
            with suppress(TimeoutError, ConnectionError):
                await call.hangup(wait=1.0)
        self.dead = True
        for call in self.all_calls:
            call.media.stop()
        for transaction in self._transactions.values():
            transaction.stop()
        for task in self.tasks:
            task.cancel()
        self._transport.close()
        await asyncio.sleep(0.01)  # let the loop really close the sockets: the port may be wanted again
