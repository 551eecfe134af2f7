"""Whether a FreeSWITCH has what Switchroom needs of it (OPS-01). Nothing is changed there, no call is touched."""

from __future__ import annotations

from routing.app.clock import Clock
from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch import host, people, places, trial
from routing.app.doctor.freeswitch.link import EslLook, LoginDenied, NotConnected, TurnedAway, look_at
from routing.app.doctor.freeswitch.needs import Needs, needs_of
from routing.app.settings import PbxSettings
from telephony.safety import UnsafeAction

__all__ = ["Needs", "examine", "needs_of"]


async def examine(findings: Findings, pbx: PbxSettings, needs: Needs, clock: Clock) -> None:
    """Every check of one PBX. A PBX that cannot be reached gives the one finding that says so."""
    if not pbx.secret:
        mend = f"set {pbx.secret_source} where this command and the connector run"
        findings.error("secret", f"{pbx.secret_source} is missing or empty", mend)
        return
    host.transport(findings, pbx)
    try:
        async with look_at(pbx) as look:
            findings.ok("login", f"at {pbx.host}:{pbx.port}")
            await _examine(findings, look, pbx, needs, clock)
    except TurnedAway as error:
        mend = "the list of apply-inbound-acl in event_socket.conf.xml needs this machine's address; then reloadacl"
        findings.error("login", str(error), mend)
    except NotConnected as error:
        mend = (
            f"is FreeSWITCH running, mod_event_socket loaded, and does pbx.{pbx.id} name its listen-ip and listen-port?"
        )
        findings.error("login", str(error), mend)
    except LoginDenied as error:
        mend = f"compare the password in event_socket.conf.xml with {pbx.secret_source}"
        findings.error("login", f"{pbx.host}:{pbx.port} refuses the password: {error}", mend)
    except UnsafeAction as error:
        findings.error("secret", str(error), f"{pbx.secret_source} must be one line")


async def _examine(findings: Findings, look: EslLook, pbx: PbxSettings, needs: Needs, clock: Clock) -> None:
    await host.version(findings, look)
    await host.system_name(findings, look, pbx)
    now_s = await host.clock(findings, look, clock)
    host.password(findings, pbx)
    await host.listening(findings, look)
    await host.limits(findings, look, len(needs.phones))
    await host.modules(findings, look)
    has_dialplan = await places.dialplan(findings, look)
    has_conference = await places.conference(findings, look)
    await places.settings(findings, look)
    await places.beat(findings, look, now_s, pbx.id)
    await places.music(findings, look, needs.music)
    await people.phones(findings, look, needs)
    await people.trunks(findings, look, needs)
    await people.transfers(findings, look)
    if has_dialplan:
        await trial.examine(findings, look, has_conference=has_conference, records=needs.records)
