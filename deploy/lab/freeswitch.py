"""A private FreeSWITCH on 127.0.0.1 with ports, configuration and secrets of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from deploy.lab.freeswitch_config import Plan, render
from deploy.lab.music import MUSIC_HZ, write_music
from deploy.lab.ports import PortBlock
from deploy.lab.process import Child, ProcessFailed, Server
from deploy.lab.programs import cache_dir, find_freeswitch, version_of

__all__ = ["MUSIC_HZ", "Console", "FreeSwitch"]
PROJECT_DIALPLAN = Path(__file__).parents[2] / "dialplan" / "freeswitch" / "switchroom.xml"
_OPTIONS = "conf log run db storage recordings temp cache grammar scripts certs htdocs sounds".split()


class FreeSwitch(Server):
    """Configuration on disk and one process.

        with FreeSwitch(agents=["1001", "1002"], dialplan=TEXT) as pbx:
            phone = await Phone.create("1001", pbx.sip, pbx.password("1001"), tone=700)

    `dialplan` is the integrator's: <context> elements. It should hold `from-trunk` (callers) and, where agents may
    dial, `from-agent`. The project's own contexts are included before it. Music on hold is a tone of 440 Hz, the
    local_streams `moh` and `default`; calls to sofia/gateway/trunk/NUMBER go to `carrier_port`.
    """

    name = "freeswitch"

    def __init__(
        self,
        *,
        agents: Iterable[str] = ("1001", "1002", "1003", "1004"),
        dialplan: str = "",
        modules: Iterable[str] = (),
        trunk_context: str = "lab-trunk",
        agent_context: str = "from-agent",
        overrides: Mapping[str, str] | None = None,
        profile: Mapping[str, str] | None = None,
        rtp_ports: int = 1000,
        directory: Path | None = None,
    ) -> None:
        """Choose ports and write the configuration; nothing runs yet.

        `modules` (without mod_) are loaded beside the usual ones, `overrides` adds or replaces files of conf by name.
        `profile`: settings of the SIP profile beside the usual ones. A leg needs two `rtp_ports`. Without `directory` a
        temporary one is used and removed by `close`, unless SWITCHROOM_LAB_KEEP is set.
        """
        self.binary = find_freeswitch()
        self.version = version_of(self.binary, "-version")
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="switchroom-freeswitch-"))
        self._ports = PortBlock(rtp_ports)
        self.sip_port, self.esl_port, self.carrier_port = (self._ports.single(n) for n in range(3))
        self.system_name = f"lab{secrets.token_hex(4)}"
        self.esl_secret = secrets.token_hex(16)
        self._passwords = {number: secrets.token_hex(8) for number in agents}
        for folder in (*_OPTIONS, "moh"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        write_music(self.directory / "moh", seconds=600)  # local_stream is silent for a second between two files
        self._borrow_certificates()
        plan = Plan(
            directory=self.directory,
            system_name=self.system_name,
            sip_port=self.sip_port,
            esl_port=self.esl_port,
            carrier_port=self.carrier_port,
            rtp=(self._ports.first_range, self._ports.last_range),
            esl_secret=self.esl_secret,
            agents=self._passwords,
            trunk_context=trunk_context,
            agent_context=agent_context,
            project_dialplan=PROJECT_DIALPLAN,
            modules=tuple(modules),
            profile=dict(profile or {}),
            overrides=dict(overrides or {}),
        )
        for name, text in render(plan).items():
            (self.directory / "conf" / name).write_text(text)
        self._write_dialplan(dialplan)

    def _borrow_certificates(self) -> None:
        """Of an earlier lab: FreeSWITCH makes keys of 4096 bits when it has none, which takes seconds."""
        for path in (cache_dir() / "freeswitch-certs").glob("*.pem"):
            shutil.copy(path, self.directory / "certs")

    def _lend_certificates(self) -> None:
        kept = cache_dir() / "freeswitch-certs"
        if not kept.exists():
            kept.mkdir(mode=0o700, parents=True)
            for path in (self.directory / "certs").glob("*.pem"):
                shutil.copy(path, kept)

    @property
    def sip(self) -> tuple[str, int]:
        """The address telephones register at and callers call."""
        return ("127.0.0.1", self.sip_port)

    @property
    def recordings(self) -> Path:
        """Where recordings belong; `uuid_record` wants the whole path."""
        return self.directory / "recordings"

    @property
    def messages(self) -> str:
        """The text of messages.log so far."""
        log = self.directory / "log" / "messages.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def password(self, agent: str) -> str:
        """The SIP password of an agent's telephone."""
        return self._passwords[agent]

    def _write_dialplan(self, dialplan: str) -> None:
        (self.directory / "conf" / "integrator.xml").write_text(f"<include>\n{dialplan}\n</include>\n")

    def set_dialplan(self, dialplan: str) -> None:
        """Replace the integrator's dialplan; a running FreeSWITCH reloads it. Raises ProcessFailed on faulty XML."""
        self._write_dialplan(dialplan)
        if self.is_running:
            answer = self.cli("reloadxml")
            if "error" in answer:  # behind an +OK
                raise ProcessFailed(answer)

    # ------------------------------------------------------------------ process
    def start(self, timeout: float = 30.0) -> Self:
        """Start (again) and wait until it answers and telephones can register; raises ProcessFailed."""
        folder = self.directory
        command: list[str | Path] = [self.binary, "-nf", "-nc", "-nonat", "-np"]
        for option in _OPTIONS:  # each of them is a folder: it shall write nowhere else
            command += [f"-{option}", folder / option]
        self._child = Child(command, folder / "log" / "stdout.log", folder)
        try:
            self._child.wait_until(self._is_up, timeout)
        except BaseException as error:
            self._child.kill()
            if isinstance(error, ProcessFailed):
                raise ProcessFailed(f"freeswitch {error}\n{self.messages[-2000:]}") from error
            raise
        self._lend_certificates()
        with Console("127.0.0.1", self.esl_port, self.esl_secret) as console:
            console.wake()
        return self

    def _is_up(self) -> bool:
        try:
            with Console("127.0.0.1", self.esl_port, self.esl_secret) as console:
                is_ready = "is ready" in console.api("status")
                return is_ready and "RUNNING (" in console.api("sofia status")
        except (OSError, EOFError):
            return False

    def cli(self, command: str, timeout: float = 15.0) -> str:
        """The output of one console command; raises OSError when there is none in time."""
        with Console("127.0.0.1", self.esl_port, self.esl_secret, timeout) as console:
            return console.api(command)

    def stop(self) -> None:
        """SIGTERM: calls end, then the process; that takes it 4 to 7 seconds."""
        if self._child:
            self._child.stop(patience=15.0)

    def close(self) -> None:
        """End at once (an orderly stop takes long), give the ports back and remove a temporary directory."""
        if self.is_running:
            self.kill()
        self._ports.release()
        if self._temporary and not os.environ.get("SWITCHROOM_LAB_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


class Console:
    """A blocking connection to the event socket, for one command after the other."""

    def __init__(self, host: str, port: int, secret: str, timeout: float = 15.0) -> None:
        """Raises OSError or EOFError when nobody answers, or refuses the password."""
        self._socket = socket.create_connection((host, port), timeout)
        self._reader = self._socket.makefile("rb")
        try:
            self._read()
            self._socket.sendall(f"auth {secret}\n\n".encode())
            if "+OK" not in self._read()[0].get("Reply-Text", ""):
                raise EOFError("not let in")
        except BaseException:
            self.close()
            raise

    def api(self, command: str) -> str:
        """The answer to `command`, without line ends in it."""
        self._socket.sendall(f"api {command}\n\n".encode())
        return self._read()[1]

    def wake(self) -> None:
        """Have the first presence event now: FreeSWITCH tells nothing for half a second then, once in its life."""
        for block in (
            "event plain CUSTOM lab::awake",
            "sendevent PRESENCE_PROBE\nproto: lab",
            "sendevent CUSTOM\nEvent-Subclass: lab::awake",
        ):
            self._socket.sendall(f"{block}\n\n".encode())
        while self._read()[0].get("Content-Type") != "text/event-plain":
            pass

    def _read(self) -> tuple[dict[str, str], str]:
        headers: dict[str, str] = {}
        for line in iter(self._reader.readline, b"\n"):
            if not line:
                raise EOFError("the connection ended")
            name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition(": ")
            headers[name] = value
        return headers, self._reader.read(int(headers.get("Content-Length", 0))).decode("utf-8", "replace")

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
