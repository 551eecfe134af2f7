"""A private Asterisk on 127.0.0.1 with ports, configuration and secrets of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from deploy.lab.asterisk_config import TRUNK_DIALPLAN, Plan, render
from deploy.lab.music import MUSIC_HZ, write_music
from deploy.lab.ports import PortBlock
from deploy.lab.process import Child, ProcessFailed, Server
from deploy.lab.programs import find_asterisk, version_of

__all__ = ["MUSIC_HZ", "Asterisk"]
PROJECT_DIALPLAN = Path(__file__).parents[2] / "dialplan" / "asterisk" / "switchroom.conf"
_FOLDERS = "etc var log spool/monitor spool/outgoing spool/tmp run cache moh agi keys".split()


class Asterisk(Server):
    """Configuration on disk and one process.

        with Asterisk(agents=["1001", "1002"], dialplan=TEXT) as pbx:
            phone = await Phone.create("1001", pbx.sip, pbx.password("1001"), tone=700)

    `dialplan` is the integrator's: it should hold the contexts `from-trunk` (callers, with their number
    already made safe) and, where agents may dial, `from-agent`. The project's own contexts are included
    before it. Music on hold is a tone of 440 Hz; calls to PJSIP/NUMBER@trunk go to `carrier_port`.
    """

    name = "asterisk"

    def __init__(
        self,
        *,
        agents: Iterable[str] = ("1001", "1002", "1003", "1004"),
        dialplan: str = "",
        queues: str = "",
        trunk_context: str = "lab-trunk",
        agent_context: str = "from-agent",
        overrides: Mapping[str, str] | None = None,
        version: str = "22",
        rtp_ports: int = 1000,
        directory: Path | None = None,
    ) -> None:
        """Choose ports and write the configuration; nothing runs yet.

        `queues` is the text of queues.conf, `overrides` replaces whole files of etc by name. A leg needs
        two `rtp_ports`. Without `directory` a temporary one is used and removed by `close`, unless
        SWITCHROOM_LAB_KEEP is set.
        """
        self.binary = find_asterisk(version)
        self.version = version_of(self.binary, "-V")
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="switchroom-asterisk-"))
        self._ports = PortBlock(rtp_ports)
        self.sip_port, self.ami_port, self.carrier_port = (self._ports.single(n) for n in range(3))
        self.system_name = f"lab{secrets.token_hex(4)}"
        self.ami_user, self.ami_secret = "switchroom", secrets.token_hex(16)
        self.observer_user, self.observer_secret = "observer", secrets.token_hex(16)
        self._passwords = {number: secrets.token_hex(8) for number in agents}
        self.boot_messages = ""  # of the last start
        self._contexts = (trunk_context, agent_context)
        self._queues, self._overrides = queues, dict(overrides or {})
        self._write(dialplan)

    @property
    def sip(self) -> tuple[str, int]:
        """The address telephones register at and callers call."""
        return ("127.0.0.1", self.sip_port)

    @property
    def recordings(self) -> Path:
        """Where MixMonitor puts relative file names."""
        return self.directory / "spool" / "monitor"

    @property
    def messages(self) -> str:
        """The text of messages.log so far."""
        log = self.directory / "log" / "messages.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def password(self, agent: str) -> str:
        """The SIP password of an agent's telephone."""
        return self._passwords[agent]

    # ------------------------------------------------------------------ configuration
    def _write(self, dialplan: str) -> None:
        for folder in _FOLDERS:
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        write_music(self.directory / "moh")
        modules, data = _installation(self.binary)
        plan = Plan(
            directory=self.directory,
            modules=modules,
            data=data,
            major=self.version[0],
            system_name=self.system_name,
            sip_port=self.sip_port,
            ami_port=self.ami_port,
            carrier_port=self.carrier_port,
            rtp=(self._ports.first_range, self._ports.last_range),
            ami_secret=self.ami_secret,
            observer_secret=self.observer_secret,
            agents=self._passwords,
            trunk_context=self._contexts[0],
            agent_context=self._contexts[1],
            dialplan=_with_project_dialplan(dialplan),
            queues=self._queues,
            overrides=self._overrides,
        )
        for name, text in render(plan).items():
            (self.directory / "etc" / name).write_text(text)

    def set_dialplan(self, dialplan: str) -> None:
        """Replace the integrator's dialplan; a running Asterisk reloads it."""
        text = _with_project_dialplan(dialplan)
        (self.directory / "etc" / "extensions.conf").write_text(text)
        if self.is_running:
            self.cli("dialplan reload")

    # ------------------------------------------------------------------ process
    def start(self, timeout: float = 30.0) -> Self:
        """Start (again) and wait until it is fully booted; raises ProcessFailed."""
        command = (self.binary, "-f", "-C", self.directory / "etc" / "asterisk.conf")
        logged = len(self.messages)
        self._child = Child(command, self.directory / "log" / "stdout.log", self.directory)
        try:
            self._child.wait_until(self._is_booted, timeout)
        except BaseException as error:
            self._child.kill()
            if isinstance(error, ProcessFailed):
                raise ProcessFailed(f"asterisk {error}\n{self.messages[-2000:]}") from error
            raise
        self.boot_messages = self.messages[logged:]
        return self

    def _is_booted(self) -> bool:
        login = f"Action: Login\r\nUsername: observer\r\nSecret: {self.observer_secret}\r\nEvents: system\r\n\r\n"
        received = b""
        try:
            with socket.create_connection(("127.0.0.1", self.ami_port), 0.5) as connection:
                connection.settimeout(1.0)
                connection.sendall(login.encode())
                while b"FullyBooted" not in received:
                    chunk = connection.recv(4096)
                    if not chunk:
                        return False
                    received += chunk
        except OSError:
            return False
        return True

    def cli(self, command: str) -> str:
        """The output of one console command."""
        arguments = (self.binary, "-C", self.directory / "etc" / "asterisk.conf", "-rx", command)
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=15, check=False)
        return done.stdout

    def close(self) -> None:
        """Stop, give the ports back and remove a temporary directory."""
        self.stop()
        self._ports.release()
        if self._temporary and not os.environ.get("SWITCHROOM_LAB_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


def _with_project_dialplan(dialplan: str) -> str:
    include = f'#include "{PROJECT_DIALPLAN}"\n' if PROJECT_DIALPLAN.exists() else ""
    return include + TRUNK_DIALPLAN + "\n" + dialplan


def _installation(binary: Path) -> tuple[Path, Path]:
    """Module and data directories: of a fetched prefix, or of the system."""
    prefix = binary.resolve().parent.parent / "root"
    root = prefix if prefix.is_dir() else Path("/")
    modules = next((d for d in sorted(root.glob("usr/lib/**/asterisk/modules")) if any(d.glob("*.so"))), None)
    if modules is None:
        raise ProcessFailed(f"no Asterisk modules below {root}")
    data = next((d for d in (root / "usr/share/asterisk", root / "var/lib/asterisk") if d.is_dir()), root)
    return modules, data
