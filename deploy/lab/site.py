"""A whole contact centre on 127.0.0.1: Redis, a PBX, Switchroom's own processes, and a configuration for them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.lab.command_line import run_command
from deploy.lab.nodes import DIALPLANS, LabPbx, Node, make_node
from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.store.codec import Codecs
from routing.store.redis_store import RedisStore
from routing.store.sealing import Sealer, SealKeys, new_key

ROOT = Path(__file__).parents[2]
KEY_FILE = "cad.key"  # as the example configuration names it


def center(agents: Sequence[str], *, ring_timeout_s: int = 8, wrap_up: str = "{ timeout_s = 0 }") -> dict[str, str]:
    """Configuration files of a plain centre: queue `general` of all, `help` of odd numbers; PIN = number."""
    rows = "\n".join(
        f'[agents.a{number}]\nname = "Agent {number}"\nteam = "floor"\nphone = "{number}"\npin = "{number}"\n'
        f"skills = {{ english = 8{', broadband = 7' if int(number) % 2 else ''} }}\n"
        for number in agents
    )
    return {
        "agents.toml": rows,
        "floor.toml": f"""
[skills]
english = "English"
broadband = "Broadband"
[teams.floor]
label = "Floor"
queues = {{ general = 1, help = 1 }}
[profiles.default]
[queues.general]
label = "General"
requires = {{ english = 5 }}
ring_timeout_s = {ring_timeout_s}
wrap_up = {wrap_up}
[queues.help]
label = "Help"
requires = {{ broadband = 5 }}
ring_timeout_s = {ring_timeout_s}
wrap_up = {wrap_up}
[entry_points.main]
queue = "general"
numbers = ["7001"]
[entry_points.help]
queue = "help"
numbers = ["7002"]
[cad.customer_id]
label = "Customer"
[reasons]
idle = ["Break", "Lunch"]
wrap_up = ["Done", "Call back"]
""",
    }


# Processes by name: what follows `switchroom`.
COMMANDS = {
    "up": ["up"],
    "engine": ["engine"],
    "standby": ["engine"],
    "connector": ["connector", "{pbx}"],
    "recorder": ["recorder"],
    "worker": ["worker"],
    "ticker": ["ticker"],
    "lookups": ["lookups"],
    "api": ["api"],
}


class Site:
    """Processes `engine`, `standby` and `connector` on their own, or one `up` which supervises all there are.

    with Site(["1001", "1002"], center(["1001", "1002"]), pbx="freeswitch") as site:
        site.switchroom("agent", "sign-in", "a1001")

    Each can be killed and started again by name; Redis keeps its port and its data. `node` is the PBX as Switchroom
    is told of it, `pbx` the PBX itself.
    """

    def __init__(
        self,
        phones: Sequence[str],
        files: Mapping[str, str],
        *,
        pbx: str = "asterisk",
        dialplan: str | Mapping[str, str] = DIALPLANS,
        supervised: bool = False,
        directory: Path | None = None,
        link_port: int | None = None,
        tenant: str = "main",
        **options: Any,
    ) -> None:
        """`files` are the configuration without PBX and server, `options` those of the lab's PBX.

        `dialplan`: the integrator's text, or one for each kind of PBX. `link_port` replaces the PBX's own, for a proxy.
        """
        self._is_temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="switchroom-site-"))
        text = dialplan if isinstance(dialplan, str) else dialplan[pbx]
        self.node: Node = make_node(pbx, phones, text, options)
        self.redis = RedisServer(self.directory / "redis")
        self.tenant = tenant
        self.files, self.supervised, self.link_port = dict(files), supervised, link_port or self.node.link_port
        self.children: dict[str, Child] = {}
        self.cad_key = new_key("lab")
        self.config = self.directory / "config"
        self._api_port = ReservedPort()

    @property
    def pbx(self) -> LabPbx:
        return self.node.pbx

    @property
    def api_url(self) -> str:
        """Where the REST API of this site listens, once `api` or `up` runs."""
        return f"http://127.0.0.1:{self._api_port.number}"

    @property
    def environment(self) -> dict[str, str]:
        """What every `switchroom` command of this site needs."""
        return {
            "SWITCHROOM_REDIS": self.redis.url,
            "SWITCHROOM_TENANT": self.tenant,
            "SWITCHROOM_CONFIG": str(self.config),
            **self.node.environment,
            "PYTHONPATH": str(ROOT),
        }

    def write_config(self) -> None:
        """The files as they stand in `files`, with the PBX's address of now."""
        self.config.mkdir(parents=True, exist_ok=True)
        files = {**self.files, "pbx.toml": self.node.table(self.link_port), KEY_FILE: self.cad_key.line}
        if not any("cad_key_" in text for text in self.files.values()):
            files["sealing.toml"] = f'[server]\ncad_key_file = "{KEY_FILE}"\n'
        if not any("[api]" in text for text in self.files.values()):
            files["api.toml"] = f"[api]\nport = {self._api_port.number}\n"
        (self.config / KEY_FILE).touch(0o600)
        for name, text in files.items():
            (self.config / name).write_text(text, encoding="utf-8")

    def open_store(self) -> RedisStore:
        """This site's live state, as its own processes see it."""
        sealer = Sealer(SealKeys(keys=(self.cad_key,)))
        return RedisStore(self.redis.url, self.tenant, codecs=Codecs(sealer))

    def start(self) -> Self:
        """Everything up, the configuration applied."""
        self.write_config()
        self.redis.start()
        self.pbx.start()
        for name in ("up",) if self.supervised else ("engine", "connector", "standby"):
            self.start_process(name)
        self.switchroom("apply", "--yes")
        self.switchroom("status", "--wait", "20")
        return self

    def start_process(self, name: str) -> Child:
        """Start (again) one of `COMMANDS`."""
        words = [word.format(pbx=self.node.id) for word in COMMANDS[name]]
        command = [sys.executable, "-m", "routing.cli.main", *words]
        log = self.directory / f"{name}.log"
        self.children[name] = Child(command, log, self.directory, self.environment)
        return self.children[name]

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash: one of `COMMANDS`, redis or pbx."""
        if name == "redis":
            self.redis.kill()
        elif name == "pbx":
            self.pbx.kill()
        else:
            self.children[name].kill()

    def switchroom(self, *words: str, check: bool = True, typed: str = "") -> Any:
        """Run one command line with --json and this input; its parsed answer. Raises RuntimeError with what it said."""
        done = run_command([*words, "--json"], self.environment, typed, 60.0)
        if check and done.exit_code:
            raise RuntimeError(f"switchroom {' '.join(words)}: {done.output}{done.complaint}")
        return json.loads(done.output) if done.output.strip() else None

    def log(self, name: str) -> str:
        """What a process wrote so far."""
        path = self.directory / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def close(self) -> None:
        """End every process, newest first."""
        for child in reversed(self.children.values()):
            child.stop()
        self.pbx.close()
        self.redis.close()
        self._api_port.release()
        if self._is_temporary and not os.environ.get("SWITCHROOM_LAB_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
