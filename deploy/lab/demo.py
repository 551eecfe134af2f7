"""`deploy/demo`: the whole product on embedded defaults, with real SIP callers and agents, live in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from deploy.lab.people import Caller, CallStory, Floor, Habits
from deploy.lab.playground import SUPERVISOR_PHONE, WEBHOOKS, Playground, let_in, wait_for_api, write_env
from deploy.lab.programs import ProgramMissing
from deploy.lab.prompt_tones import write_tones
from deploy.lab.site import ROOT, Site
from routing.core.interaction import TALKING, Interaction, InteractionState
from routing.core.world import WorldState
from routing.store.port import Store

EXAMPLE = ROOT / "deploy" / "example"
# Entry point by number: general questions, bills, technical help; two that begin with a flow.
DIALPLANS = {
    "asterisk": """
[from-trunk]
exten => 7001,1,Gosub(hand-over,s,1(main))
exten => 7002,1,Gosub(hand-over,s,1(bills))
exten => 7003,1,Gosub(hand-over,s,1(help))
exten => 7004,1,Gosub(hand-over,s,1(service))
exten => 7005,1,Gosub(hand-over,s,1(reception))

[hand-over]
exten => s,1,Set(SR_CAD_customer_id=C-${CALLERID(num):-4})
 same => n,Gosub(switchroom,s,1(${ARG1}))
 same => n,Hangup()

[from-agent]
include => switchroom-features
""",
    "freeswitch": """
<context name="from-trunk">
  <extension name="customer" continue="true">
    <condition field="caller_id_number" expression="([0-9]{4})$">
      <action application="set" data="SR_CAD_customer_id=C-$1"/>
    </condition>
  </extension>
  <extension name="main"><condition field="destination_number" expression="^7001$">
    <action application="execute_extension" data="main XML switchroom"/></condition></extension>
  <extension name="bills"><condition field="destination_number" expression="^7002$">
    <action application="execute_extension" data="bills XML switchroom"/></condition></extension>
  <extension name="help"><condition field="destination_number" expression="^7003$">
    <action application="execute_extension" data="help XML switchroom"/></condition></extension>
  <extension name="service"><condition field="destination_number" expression="^7004$">
    <action application="execute_extension" data="service XML switchroom"/></condition></extension>
  <extension name="reception"><condition field="destination_number" expression="^7005$">
    <action application="execute_extension" data="reception XML switchroom"/></condition></extension>
  <extension name="back"><condition field="destination_number" expression="^switchroom-result$">
    <action application="hangup"/>
  </condition></extension>
</context>
<context name="from-agent">
  <extension name="feature">
    <condition field="destination_number" expression="^(\\*6[1-5][0-9]*)$">
      <action application="transfer" data="$1 XML switchroom-features"/>
    </condition>
  </extension>
</context>
""",
}
NUMBERS = ("7001", "7001", "7002", "7003")
LIVELY = (
    "You are at anna's screen: her telephone takes up by itself after 5 seconds, and each fourth caller rings in vain.",
    "Callers stay with her until she ends the call. She may join the campaign Router check-up and call its records.",
    "The campaign Contract renewal dials by itself for dan, eva and finn. Where sam listens, his telephone takes up.",
    "A list to upload as sam: deploy/example/lists/check_up.csv\n",
)
EXTRA_AGENT = """
[agents.extra{number}]
name = "Agent {number}"
team = "front"
phone = "{number}"
skills = {{ english = 8, billing = 8, broadband = 6 }}
queues = {{ general = 1, billing = 1, technical = 1 }}
"""


def example_files(agents: int) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The example configuration with at least that many agents, and (agent id, phone) in the order of signing in."""
    files = {p.name: p.read_text(encoding="utf-8") for p in EXAMPLE.glob("*.toml") if p.name != "pbx.toml"}
    numbers = [str(1101 + n) for n in range(max(0, agents - 8))]
    files["more_agents.toml"] = "".join(EXTRA_AGENT.format(number=number) for number in numbers)
    names = ["anna", "ben", "chloe", "dan", "eva", "finn", "greta", "hugo"]
    # One of each team first, so that a small floor serves every queue.
    order = [0, 3, 5, 1, 4, 6, 2, 7]
    people = [(names[n], str(1001 + n)) for n in order] + [(f"extra{number}", number) for number in numbers]
    return files, people


class DemoSite(Site):
    """With a tone for each prompt of the example."""

    def write_config(self) -> None:
        """As Site, with the prompts and where the PBX sees them."""
        super().write_config()
        prompts = self.directory / "prompts"
        with (self.config / "pbx.toml").open("a", encoding="utf-8") as file:
            file.write(f'prompts = "{prompts}"\n')
        write_tones(self.config, prompts)


class Demo:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.stories: list[CallStory] = []
        self.console = Console()

    async def run(self, site: Site, people: list[tuple[str, str]]) -> dict[str, Any]:
        store: Store = site.open_store()
        floor = Floor(site, store, people[: self.arguments.agents], Habits())
        try:
            await floor.open()
            show = asyncio.create_task(self._show(store))
            await self._call_in(site, floor.habits)
            await asyncio.sleep(1.0)  # the last hang-ups reach the server
            show.cancel()
            await asyncio.gather(show, return_exceptions=True)
            report = await self._report(store)
            self.console.print("\n", report["totals"], sep="")
            if self.arguments.json:
                self.arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            if self.arguments.stay:
                await self._stay(site, floor, store)
            return report
        finally:
            await floor.close()
            await store.close()

    async def _call_in(self, site: Site, habits: Habits) -> None:
        """Callers spread over the time given, less what the last ones need to talk."""
        gap = max(0.2, (self.arguments.seconds - habits.talk_s[1]) / max(1, self.arguments.calls))

        async def later(n: int) -> None:
            await asyncio.sleep(n * gap)
            caller = Caller(site, NUMBERS[n % len(NUMBERS)], f"+1201555{100 + n % 100:04d}", habits)
            self.stories.append(await caller.live())

        await asyncio.gather(*(later(n) for n in range(self.arguments.calls)))

    async def _show(self, store: Store) -> None:
        with Live(console=self.console, refresh_per_second=4) as live:
            while True:
                state, _ = await store.load()
                ended = await store.recent_ended(8)
                if state:
                    live.update(Group(queues_table(state), agents_table(state), calls_table(state, ended)))
                await asyncio.sleep(0.5)

    async def _report(self, store: Store) -> dict[str, Any]:
        ended = {i.id: i for i in await store.recent_ended(self.arguments.calls * 2)}
        calls = [describe(i) for i in sorted(ended.values(), key=lambda i: i.entered_at_ms)]
        waits = [c["waited_s"] for c in calls if c["answered_at"]]
        totals = {
            "calls": len(calls),
            "answered": len(waits),
            "abandoned": sum(c["ended"] == "abandoned" for c in calls),
            "missed_offers": sum(o["end"] != "answered" for c in calls for o in c["offers"]),
            "mean_wait_s": round(sum(waits) / len(waits), 3) if waits else None,
            "longest_wait_s": max(waits, default=None),
        }
        return {"totals": totals, "calls": calls, "callers": [asdict(story) for story in self.stories]}

    async def _stay(self, site: Site, floor: Floor, store: Store) -> None:
        """Until Ctrl-C."""
        playground = Playground(site, floor, store, is_lively=self.arguments.calls > 0)
        try:
            await playground.open()
            await wait_for_api(site.api_url)
            access = let_in(site)
            await playground.enliven(access)
            self._say_how_to_look(site, write_env(site, access), access)
            await asyncio.Event().wait()
        finally:
            await playground.close()

    def _say_how_to_look(self, site: Site, env: Path, access: Mapping[str, str]) -> None:
        """What to type in another terminal; the words stand in a file, because a line of that length would break."""
        host, port = site.pbx.sip
        lines = (
            "Running until Ctrl-C: customers keep calling, and the agents' telephones answer. In a browser:\n",
            f"  {site.api_url}/desk/   agent: anna, password {access['SWITCHROOM_PASSWORD_OF_ANNA']}",
            f"  {' ' * len(site.api_url)}          supervisor: sam, password {access['SWITCHROOM_PASSWORD_OF_SAM']}\n",
            *(LIVELY if self.arguments.calls else ()),
            "In another terminal:\n",
            f"  . {shlex.quote(str(env))}",
            "  switchroom status",
            "  switchroom agents --watch",
            "  switchroom calls --ended 5\n",
            f"The API is at {site.api_url}, to read and to try at {site.api_url}/docs",
            '  curl -H "Authorization: Bearer $SWITCHROOM_API_KEY" $SWITCHROOM_API/v1/interactions',
            "docs/crm.md goes on from here.\n",
            f"The configuration files are in {site.config}: change them, then",
            "  switchroom plan",
            "  switchroom apply\n",
            f"Any SIP telephone may call 7001, 7002 and 7003 at {host}:{port}.",
            "7004 and 7005 begin with flows (flows.toml), in which a tone stands for each prompt.",
        )
        self.console.print("", *lines, sep="\n", highlight=False, soft_wrap=True)


def plain_table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", width=76, box=SIMPLE_HEAD, show_edge=False)


def queues_table(state: WorldState) -> Table:
    table = plain_table("queues", "queue", "waiting", "longest", "ringing", "talking")
    for queue in state.config.queues.values():
        calls = [i for i in state.interactions.values() if i.queue == queue.id]
        counts = Counter(i.state for i in calls)
        waiting = [i.entered_at_ms for i in calls if i.state is InteractionState.QUEUED]
        longest = _seconds(min(waiting)) if waiting else ""
        talking = sum(counts[state] for state in TALKING)
        table.add_row(queue.id, str(len(waiting)), longest, str(counts[InteractionState.OFFERED]), str(talking))
    return table


def agents_table(state: WorldState) -> Table:
    table = plain_table("agents", "agent", "state", "since", "call")
    for agent in sorted(state.agents.values(), key=lambda a: a.id):
        if agent.shown_state == "logged_out":
            continue
        call = next(iter(agent.engagements.values()), None)
        since = call.since_ms if call else agent.since_ms
        table.add_row(agent.id, agent.shown_state, _seconds(since), call.interaction_id[-8:] if call else "")
    return table


def calls_table(state: WorldState, ended: list[Interaction]) -> Table:
    table = plain_table("calls", "call", "queue", "caller", "state", "since", "agent")
    for call in sorted(state.interactions.values(), key=lambda i: i.entered_at_ms):
        at = call.answered_at_ms or call.entered_at_ms
        who = ", ".join([p.agent_id for p in call.parties] or [o.agent_id for o in call.offers])
        table.add_row(call.id[-8:], call.queue, call.ani, call.state.value, _seconds(at), who)
    for call in ended[: max(0, 12 - len(state.interactions))]:
        result = call.result.value if call.result else ""
        table.add_row(
            call.id[-8:], call.queue, call.ani, result, "", ", ".join(p.agent_id for p in call.parties), style="dim"
        )
    return table


def _seconds(since_ms: int) -> str:
    return f"{max(0, int(time.time() * 1000) - since_ms) // 1000} s"


def describe(call: Interaction) -> dict[str, Any]:
    """One ended call for the report: times as seconds since the epoch, spans in seconds."""
    answered, ended = call.answered_at_ms, call.ended_at_ms or call.entered_at_ms
    return {
        "id": call.id,
        "queue": call.queue,
        "entered_at": call.entered_at_ms / 1000,
        "offers": [
            {"agent": o.agent_id, "rang_s": (o.ended_at_ms - o.offered_at_ms) / 1000, "end": o.end.value}
            for o in call.past_offers
        ],
        "answered_by": [p.agent_id for p in call.parties],
        "answered_at": answered / 1000 if answered else None,
        "bridged_at": call.bridged_at_ms / 1000 if call.bridged_at_ms else None,
        "waited_s": ((answered or ended) - call.entered_at_ms) / 1000,
        "ended_at": ended / 1000,
        "ended": call.result.value if call.result else None,
        "ended_by": call.ended_by,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy/demo", description=__doc__)
    parser.add_argument("--pbx", choices=sorted(DIALPLANS), default="asterisk", help="default asterisk")
    parser.add_argument("--agents", type=int, default=6, help="agents who sign in (default 6)")
    parser.add_argument(
        "--calls",
        type=int,
        default=20,
        help="callers (default 20); 0: none at first, and with --stay one alone, who keeps calling",
    )
    parser.add_argument("--for", dest="seconds", type=float, default=60.0, help="seconds over which they call (60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what happened to each call")
    parser.add_argument("--stay", action="store_true", help="keep everything running until Ctrl-C")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C, and takes everything along
    files, people = example_files(arguments.agents)
    files["webhooks.toml"] = WEBHOOKS
    demo, phones = Demo(arguments), [*(number for _, number in people), SUPERVISOR_PHONE]
    try:
        with DemoSite(phones, files, pbx=arguments.pbx, dialplan=DIALPLANS, supervised=True, tenant="example") as site:
            report = asyncio.run(demo.run(site, people))
    except ProgramMissing as missing:
        sys.exit(f"deploy/demo: {missing}")
    except KeyboardInterrupt:
        sys.exit(0)
    sys.exit(0 if report["totals"]["answered"] else 1)


if __name__ == "__main__":
    main()
