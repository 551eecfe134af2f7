"""One POST to an address that a customer entered, and nowhere else (SSRF guard).

The name is resolved once, every address of it is checked, and the connection goes to the address that was checked:
there is no second look-up that could answer differently. No redirects, no proxies from the environment, a deadline
for the whole exchange, and no more of the answer than a little.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore

_READ_BYTES = 65_536  # of an answer, and then no more: only the status counts
# Addresses that lead on to others: NAT64, 6to4.
_TRANSLATED = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`allow_private`: networks that may be reached though they are not public. `allow_http`: without TLS, too."""

    allow_private: tuple[str, ...] = ()
    allow_http: bool = False

    def is_allowed(self, text: str) -> bool:
        """Whether this address may be connected to."""
        address: Address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in ip_network(network) for network in self.allow_private):
            return True
        is_translated = any(address in network for network in _TRANSLATED)
        return address.is_global and not address.is_multicast and not is_translated

    def problem(self, url: str) -> str:
        """What is wrong with an endpoint's address, as far as can be told without looking up its name; else empty."""
        try:
            parts = httpcore.URL(url)
            port = parts.port
            host = parts.host.decode()
        except (ValueError, UnicodeError, TypeError) as error:
            return f"is no URL: {error}"
        scheme = parts.scheme.decode()
        if scheme not in ("https", "http") or not host or port == 0:
            return "is no https URL with a host"
        if scheme == "http" and not self.allow_http:
            return "must begin with https://"
        if "@" in url.partition("//")[2].partition("/")[0] or "#" in url:
            return "must hold neither user nor fragment"
        try:
            is_allowed = self.is_allowed(host.strip("[]"))
        except ValueError:
            return "" if host != "localhost" or self.is_allowed("127.0.0.1") else "names this machine itself"
        return "" if is_allowed else "is an address that is not public"


class Forbidden(httpcore.ConnectError):
    """The name leads to an address that must not be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`retry_after` as it came, empty when it did not."""

    status: int
    retry_after: str = ""


class _Stream(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline of the whole exchange."""

    def __init__(self, stream: httpcore.NetworkStream, end_s: float) -> None:
        self._stream, self._end_s = stream, end_s

    def _left_s(self) -> float:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the exchange took too long")
        return left_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._left_s()), self._end_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that the guard has seen, and to none else."""

    def __init__(self, guard: Guard, end_s: float) -> None:
        self._guard, self._end_s = guard, end_s
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            left_s = self._end_s - time.monotonic()
            if left_s <= 0:
                raise httpcore.ConnectTimeout("the exchange took too long")
            try:
                stream = self._inner.connect_tcp(address, port, left_s, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._end_s)
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if bad := [address for address in addresses if not self._guard.is_allowed(address)]:
            raise Forbidden(f"{host} leads to {bad[0]}, which is not public")
        return addresses


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def post(url: str, headers: dict[str, str], body: bytes, guard: Guard, timeout_s: float) -> Answer:
    """Raises httpcore's exceptions, Forbidden among them, OSError and ValueError; then nobody has answered."""
    if problem := guard.problem(url):
        raise Forbidden(f"the address {problem}")
    parts = httpcore.URL(url)
    backend = _Backend(guard, time.monotonic() + timeout_s)
    context = _tls() if parts.scheme == b"https" else None
    with (
        httpcore.HTTPConnection(parts.origin, ssl_context=context, network_backend=backend) as connection,
        connection.stream("POST", parts, headers=_with_host(parts, headers, body), content=body) as response,
    ):
        read = 0
        for chunk in response.iter_stream():
            read += len(chunk)
            if read > _READ_BYTES:
                break
        found = {name.lower(): value for name, value in response.headers}
        return Answer(status=response.status, retry_after=found.get(b"retry-after", b"").decode("latin-1"))


def _with_host(parts: httpcore.URL, headers: dict[str, str], body: bytes) -> list[tuple[bytes | str, bytes | str]]:
    host = parts.host.decode()
    named = {
        "Host": host if parts.port is None else f"{host}:{parts.port}",
        **headers,
        "Content-Length": str(len(body)),
    }
    return list(named.items())
