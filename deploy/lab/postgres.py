"""A private PostgreSQL, and the ways it can break. It refuses to run as root: then it runs as `nobody`."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psycopg

from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child, ProcessFailed, Server, children_of, is_alive
from deploy.lab.programs import find_postgres

USER = "nobody"  # instead of root
OWNER = "switchroom"  # superuser of the cluster
DATABASE = "postgres"


class PostgresServer(Server):
    """postgres on a free loopback port; no password, no socket.

    with PostgresServer() as server:
        url = server.create_database("history")
        server.kill(); server.start()    # the same data, port and url
    """

    name = "postgres"

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """`settings` as in postgresql.conf. The data go with `close`."""
        self._settings = {"shared_buffers": "32MB", "max_connections": "50"} | dict(settings or {})
        self.directory = Path(tempfile.mkdtemp(prefix="switchroom-postgres-"))
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self._programs = self._reachable(find_postgres())

    def url(self, database: str = DATABASE) -> str:
        """As `server.database_url` of the configuration."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def start(self, timeout: float = 60.0) -> Self:
        """Start (again) on the same data and wait until it takes connections; raises ProcessFailed."""
        data = self.directory / "data"
        if not data.exists():
            self._create(data)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "GMT",
            "log_timezone": "GMT",
            **self._settings,
        }
        command = [str(self._programs / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._child = Child(self._unprivileged(command), self.directory / "postgres.log", data)
        try:
            self._child.wait_until(self._answers, timeout)
        except BaseException:
            self._child.kill()
            raise
        return self

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new one, empty or a copy of another to which nobody is connected; its url."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def stop(self) -> None:
        """SIGINT: an orderly end that does not wait for clients."""
        if self._child and self._child.is_running:
            self._child.send_signal(signal.SIGCONT)
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(20)
            except subprocess.TimeoutExpired:
                self._child.kill()

    def kill(self) -> None:
        """SIGKILL of the first process; the others end by themselves, as in a crash.

        Until the last of them has let go of the shared memory, the data cannot be served again.
        """
        others = children_of(self.pid)
        super().kill()
        deadline = time.monotonic() + 20
        while any(map(is_alive, others)):
            if time.monotonic() > deadline:
                raise ProcessFailed(f"processes of postgres outlive it: {self._running().tail()}")
            time.sleep(0.02)
        (self.directory / "data" / "postmaster.pid").unlink(missing_ok=True)

    def close(self) -> None:
        """Stop, and remove the data."""
        self.stop()
        self._reserved.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _create(self, data: Path) -> None:
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={OWNER}"]
        if os.geteuid() == 0:
            os.chown(self.directory, pwd.getpwnam(USER).pw_uid, -1)
        done = subprocess.run(
            self._unprivileged([str(self._programs / "initdb"), "-D", str(data), *options]),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env={"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "GMT"},
        )
        if done.returncode:
            raise ProcessFailed(f"initdb ended with {done.returncode}: {done.stderr[-2000:]}")

    def _reachable(self, programs: Path) -> Path:
        """The programs, or a copy of them where the other user may not go, as below root's home."""
        if os.geteuid() != 0 or self._can_run(programs):
            return programs
        prefix = programs.parent
        copy = self.directory / "programs"
        shutil.copytree(prefix, copy, symlinks=True)
        self.directory.chmod(0o755)
        return copy / programs.name

    def _can_run(self, programs: Path) -> bool:
        command = self._unprivileged([str(programs / "initdb"), "--version"])
        return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0

    def _unprivileged(self, command: Sequence[str]) -> list[str]:
        """As another user when we are root; ending with us still, which a change of user would undo."""
        if os.geteuid() != 0:
            return list(command)
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise ProcessFailed("postgres does not run as root, and there is no setpriv (util-linux)")
        user = pwd.getpwnam(USER)
        whom = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=KILL"]
        return [setpriv, *whom, *command]

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2):
                return True
        except psycopg.Error:
            return False
