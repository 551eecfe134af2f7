"""A wire over python-ESL: the library, whose calls block without a limit, in one thread per connection.

What it is kept from (seen in its sources and on the wire): a connection is used by the thread that made it and by no
other; the connecting is done here, with a limit, and the open socket handed over, so that there is always a second
descriptor of it: shutting that down ends whatever call the thread hangs in. The library greets a socket that it was
given with `connect`, which FreeSWITCH refuses and forgets. Each connection leaves some 20 KiB behind in the library.
It believes what a peer says of lengths: a PBX that is not trusted belongs on the other transport, which checks them.
"""

from __future__ import annotations

import asyncio
import atexit
import select
import socket
import threading
import time
import warnings
from collections import deque
from contextlib import suppress
from typing import Any

from routing.core.errors import PbxError
from telephony.freeswitch.codec import JSON_EVENT, EslMessage
from telephony.freeswitch.connection import SocketWire
from telephony.freeswitch.esl_wire import MakeWire, WireOwner, forget_unsent
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind

# What a slow event loop may leave lying here; beyond that the thread waits, and with it the PBX.
MAX_WAITING = 5000
# So many messages in one turn of the event loop.
_TURN = 100
_DRAIN_MS = 1  # 0 would wait for ever
_DRAIN_LIMIT_S = 0.02  # so long may a stream of commands hold back events
_LEAVE_S = 2.0
_NO_EVENT = "SOCKET_DATA"


class PythonEslMissing(PbxError):
    """The setting asks for python-ESL, and it is not there."""

    code = "python-esl-missing"
    template = "python-ESL cannot be imported ({reason}); install it, or set the transport to socket"


def wire_for(kind: TransportKind) -> MakeWire:
    """What carries the bytes. Raises PythonEslMissing where python-ESL is asked for and cannot be imported."""
    if kind == TransportKind.SOCKET:
        return SocketWire
    try:
        library = _library()
    except ImportError as err:
        if kind == TransportKind.PYTHON_ESL:
            raise PythonEslMissing(reason=err) from err
        return SocketWire
    return lambda settings, owner: ThreadWire(library, settings, owner)


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # types made by SWIG have no __module__, which newer Pythons deplore
        import ESL
    return ESL


class ThreadWire:
    """Messages through python-ESL. Whatever the peer does, only the thread waits for it, never the event loop."""

    def __init__(self, library: Any, settings: FreeswitchSettings, owner: WireOwner) -> None:
        self._library, self._settings, self._owner = library, settings, owner
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[bytes] = deque()
        self._incoming: deque[EslMessage | str] = deque()  # a text: why it ended
        self._is_delivery_due = self._is_shut = False
        self._unsent = 0
        self._busy_since: float | None = None
        self._room = threading.Event()
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._control: socket.socket | None = None
        self._lock = threading.Lock()  # for the descriptors: they end in the thread and are used in the loop
        self._thread = threading.Thread(target=self._run, name="esl", daemon=True)
        # A thread that comes out of C++ while Python ends takes the process down with an abort.
        atexit.register(self._leave)
        self._thread.start()

    # ------------------------------------------------------------------ in the event loop

    @property
    def unsent_bytes(self) -> int:
        return self._unsent

    @property
    def stuck_s(self) -> float:
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def send(self, block: str) -> None:
        data = block.encode("utf-8", "replace")
        with self._lock:
            self._unsent += len(data)
            self._outgoing.append(data)
        self._wake()

    def nudge(self) -> None:
        """Past the library: an empty line between two commands, or in front of the empty line of one, is none."""
        with self._lock, suppress(OSError):
            if self._control is not None:
                self._control.send(b"\n", socket.MSG_DONTWAIT)

    def _wake(self) -> None:
        with self._lock, suppress(OSError):
            self._waker.send(b"x")  # full: it will wake all the same; closed: it has ended

    def shut(self) -> None:
        self._is_shut = True
        self._incoming.clear()
        with self._lock, suppress(OSError):
            if self._control is not None:
                forget_unsent(self._control)
                self._control.shutdown(socket.SHUT_RDWR)
        self._room.set()
        self._wake()

    def _leave(self) -> None:
        """The process ends."""
        self.shut()
        self._thread.join(_LEAVE_S)

    def _deliver(self) -> None:
        self._is_delivery_due = False
        for _ in range(_TURN):
            if not self._incoming or self._is_shut:
                self._room.set()
                return
            message = self._incoming.popleft()
            if isinstance(message, str):
                self._owner.wire_closed(message)
                self.shut()
            else:
                self._owner.wire_brought(message)
        self._room.set()
        if not self._is_delivery_due:
            self._is_delivery_due = True
            self._loop.call_soon(self._deliver)

    def _opened(self) -> None:
        if not self._is_shut:
            self._owner.wire_opened()

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        with suppress(RuntimeError):  # the event loop was closed: there is nobody to tell
            reason = self._connect_and_serve()
            self._post(reason)
        with self._lock:
            for end in (self._control, self._woken, self._waker):
                if end is not None:
                    end.close()
        atexit.unregister(self._leave)

    def _connect_and_serve(self) -> str:
        address = (self._settings.host, self._settings.port)
        try:
            wire = socket.create_connection(address, self._settings.connect_timeout_s)
        except OSError as fault:
            return f"cannot connect: {fault}"
        wire.settimeout(None)
        with self._lock:
            self._control = wire.dup()
        if self._is_shut:
            wire.close()
            return ""
        self._loop.call_soon_threadsafe(self._opened)
        self._busy_since = time.monotonic()
        connection = self._library.ESLconnection(wire.detach())  # closes the descriptor when it goes
        self._busy_since = None
        self._serve(connection)
        return "connection closed by the PBX"

    def _serve(self, connection: Any) -> None:
        """Commands first. Beside a reply the library may have read events, which no poll shows: they are asked for
        when commands pause, as that costs a wait of its own."""
        poller, events = select.poll(), self._control_fd()
        poller.register(self._woken, select.POLLIN)
        poller.register(events, select.POLLIN)
        is_due, drained_at = True, time.monotonic()
        while self._is_alive(connection):
            ready = [descriptor for descriptor, _ in poller.poll(_DRAIN_MS if is_due else None)]
            with suppress(BlockingIOError):
                self._woken.recv(4096)
            is_due = bool(self._outgoing) or is_due
            if not self._flush(connection):
                return
            is_late = is_due and time.monotonic() - drained_at > _DRAIN_LIMIT_S
            if events in ready or is_late or not ready:
                is_due = not self._drain(connection)
                drained_at = time.monotonic()

    def _control_fd(self) -> int:
        return -1 if self._control is None else self._control.fileno()

    def _is_alive(self, connection: Any) -> bool:
        return not self._is_shut and bool(connection.connected())

    def _flush(self, connection: Any) -> bool:
        """Send what there is; each command waits for its reply, as FreeSWITCH answers in order anyway."""
        while self._outgoing:
            block = self._outgoing.popleft()
            self._busy_since = time.monotonic()
            reply = connection.sendRecv(block.decode("utf-8"))
            self._busy_since = None
            with self._lock:
                self._unsent -= len(block)
            if reply is None or self._is_shut:
                return False
            self._post(_message(reply))
        return True

    def _drain(self, connection: Any) -> bool:
        """Take what there is. False when it broke off because something is to be sent."""
        while not self._outgoing:
            self._busy_since = time.monotonic()
            event = connection.recvEventTimed(_DRAIN_MS)
            self._busy_since = None
            if event is None:
                return True
            self._post(_message(event))
        return False

    def _post(self, message: EslMessage | str) -> None:
        while len(self._incoming) >= MAX_WAITING and not self._is_shut:
            self._room.clear()
            if len(self._incoming) >= MAX_WAITING:
                self._room.wait()
        if self._is_shut:
            return
        self._incoming.append(message)
        if not self._is_delivery_due:
            self._is_delivery_due = True
            self._loop.call_soon_threadsafe(self._deliver)


def _message(event: Any) -> EslMessage:
    """As the wire had it; the library has parsed events already, and writes them again as JSON."""
    if event.getType() != _NO_EVENT:
        return EslMessage({"content-type": JSON_EVENT}, _bytes(event.serialize("json")))
    headers = {name: event.getHeader(name) or "" for name in ("content-type", "reply-text", "job-uuid")}
    shown = {name: _bytes(value).decode("utf-8", "replace") for name, value in headers.items()}
    return EslMessage(shown, _bytes(event.getBody() or ""))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
