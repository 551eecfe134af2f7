"""A private redis-server with the settings Switchroom asks for, and the ways it can break."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Literal, Self

from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child, Server
from deploy.lab.programs import find_redis_server

Fsync = Literal["everysec", "always"]


class RedisServer(Server):
    """redis-server on a free loopback port, or (`unix_socket=True`) on a socket in its directory only.

    with RedisServer() as server:
        redis.Redis.from_url(server.url)
        server.kill(); server.start()    # the same data, port and url
    """

    name = "redis-server"

    def __init__(
        self, directory: Path | None = None, *, appendfsync: Fsync = "everysec", unix_socket: bool = False
    ) -> None:
        """`directory` holds the data and stays; without one a temporary directory goes with `close`."""
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="switchroom-redis-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.appendfsync = appendfsync
        self._reserved = None if unix_socket else ReservedPort()
        self.port = self._reserved.number if self._reserved else 0
        self.socket = self.directory / "redis.sock" if unix_socket else None

    @property
    def url(self) -> str:
        """For redis.Redis.from_url."""
        return f"unix://{self.socket}" if self.socket else f"redis://127.0.0.1:{self.port}/0"

    def start(self, timeout: float = 20.0) -> Self:
        """Start (again) on the same data and wait until it has loaded them; raises ProcessFailed."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": self.appendfsync,
            "maxmemory-policy": "noeviction",
            "save": "",
            "daemonize": "no",
            "protected-mode": "yes",
        }
        if self.socket:
            settings |= {"unixsocket": str(self.socket), "unixsocketperm": "700"}
        command = [str(find_redis_server())]
        for name, value in settings.items():
            command += [f"--{name}", value]
        self._child = Child(command, self.directory / "redis.log", self.directory)
        try:
            self._child.wait_until(lambda: self.command("PING") == b"+PONG", timeout)
        except BaseException:
            self._child.kill()
            raise
        return self

    def command(self, *words: str) -> bytes:
        """One command over a connection of its own: the first line of the reply, b"" when there is none."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        try:
            with self._connect() as connection:
                connection.sendall(request.encode())
                return connection.recv(65536).partition(b"\r\n")[0]
        except OSError:
            return b""

    def _connect(self) -> socket.socket:
        if not self.socket:
            return socket.create_connection(("127.0.0.1", self.port), 1.0)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(1.0)
        try:
            connection.connect(str(self.socket))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Stop, and remove a temporary directory."""
        self.stop()
        if self._reserved:
            self._reserved.release()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
