"""Whom a FreeSWITCH has to reach: the agents' telephones, trunks; and what telephones may do by themselves."""

from __future__ import annotations

import re

from routing.app.doctor.findings import Findings
from routing.app.doctor.freeswitch.link import EslLook
from routing.app.doctor.freeswitch.needs import Needs
from routing.app.doctor.freeswitch.xml import Piece, piece_of
from telephony.freeswitch.snapshot import rows
from telephony.session import SyncFailed

_USER = re.compile(r"user/([A-Za-z0-9_.+-]+)(?:@([A-Za-z0-9_.-]+))?")
_GATEWAY = re.compile(r"sofia/gateway/([A-Za-z0-9_.+-]+)/.*")
_PROFILE = re.compile(r"sofia/(?!gateway/)([A-Za-z0-9_.+-]+)/.*")
_FIELD = re.compile(r"^(State|Status)\s+(\S+)", re.MULTILINE)
# States of a gateway that carries calls; NOREG needs no registration.
_USABLE = frozenset({"REGED", "NOREG"})


async def phones(findings: Findings, look: EslLook, needs: Needs) -> None:
    """Agents' telephones that are users; others are trunks, as far as there is something to know."""
    users = [found for phone in needs.phones if (found := _USER.fullmatch(phone))]
    domain = await look.text("global_getvar domain")
    if not domain and any(not user[2] for user in users):
        mend = "vars.xml: domain, as the domain of the directory is called; then reloadxml"
        findings.error("phones", "the global variable domain is not set: user/NUMBER has no domain", mend)
        return
    named = {found[0]: (found[1], found[2] or domain) for found in users}
    unknown = [name for name, (user, where) in named.items() if not await _is_known(look, user, where)]
    silent = [name for name, user in named.items() if name not in unknown and not await _can_ring(look, "@".join(user))]
    there = await _registered(look)
    away = [name for name, user in named.items() if user not in there]
    if unknown:
        mend = "add the users to the directory (reloadxml), or correct the agents' phones"
        findings.error("phones", f"the PBX does not know {', '.join(unknown)}", mend)
    elif silent:
        mend = "directory: <param name='dial-string' .../> of the domain, as in the vanilla configuration; reloadxml"
        findings.error("phones", f"no dial-string, so nothing can ring there: {', '.join(silent)}", mend)
    else:
        findings.ok("phones", f"all {len(named)} are known, {len(named) - len(away)} of them are registered")


async def _is_known(look: EslLook, user: str, domain: str) -> bool:
    if await look.text(f"user_exists id {user} {domain}") != "true":
        return False
    # A group names its users again. Where that is all there is, FreeSWITCH takes the pointer for the user.
    return await look.text(f"user_data {user}@{domain} attr type") != "pointer"


async def _can_ring(look: EslLook, user: str) -> bool:
    return bool(await look.text(f"user_data {user} param dial-string"))


async def _registrations(look: EslLook) -> list[dict[str, str]]:
    try:
        return rows(await look.text("show registrations as json"))
    except SyncFailed:
        return []


async def _registered(look: EslLook) -> set[tuple[str, str]]:
    return {(row.get("reg_user", ""), row.get("realm", "")) for row in await _registrations(look)}


# ---------------------------------------------------------------------- trunks


async def trunks(findings: Findings, look: EslLook, needs: Needs) -> None:
    """Gateways and profiles by which calls leave it."""
    dials = (*needs.dials, *needs.phones)
    gateways = sorted({found[1] for dial in dials if (found := _GATEWAY.fullmatch(dial))})
    profiles = sorted({found[1] for dial in dials if (found := _PROFILE.fullmatch(dial))})
    troubles = [await _gateway_trouble(look, name) for name in gateways]
    troubles += [await _profile_trouble(look, name) for name in profiles]
    if any(troubles):
        mend = "see `sofia status`; the gateway in the SIP profile, or pbx.*.dial, trunks, agents' phones here"
        findings.error("trunk", "; ".join(trouble for trouble in troubles if trouble), mend)
    elif troubles:
        findings.ok("trunk", ", ".join([*(f"gateway {name}" for name in gateways), *profiles]) + " up")


async def _gateway_trouble(look: EslLook, name: str) -> str:
    found = dict(_FIELD.findall(await look.text(f"sofia status gateway {name}")))
    if not found:
        return f"there is no gateway {name}"
    if found.get("State") not in _USABLE:
        return f"gateway {name} is not registered ({found.get('State')})"
    return "" if found.get("Status", "UP") == "UP" else f"gateway {name} is down: its pings are not answered"


async def _profile_trouble(look: EslLook, name: str) -> str:
    is_there = "Context" in await look.text(f"sofia status profile {name}")
    return "" if is_there else f"there is no SIP profile {name}, or it does not run"


# ---------------------------------------------------------------------- transfers by telephones


async def transfers(findings: Findings, look: EslLook) -> None:
    """Whether a telephone may send a customer away by itself (CONS-14)."""
    sofia = piece_of(await look.text("xml_locate configuration configuration name sofia.conf"))
    if sofia is None:
        return  # told with the modules
    profiles = {piece.attributes.get("name", ""): piece for piece in sofia.all("profile")}
    agents = {row.get("url", "").split("/")[1] for row in await _registrations(look) if "/" in row.get("url", "")}
    looked_at = sorted(agents & profiles.keys() or profiles.keys())
    free = [name for name in looked_at if not _forbids(profiles[name])]
    if free:
        mend = 'sofia profile of the agents: <param name="disable-transfer" value="true"/>; then restart that profile'
        detail = f"telephones of {', '.join(free)} may transfer: a customer whom they put through is lost to Switchroom"
        findings.warn("transfers", detail, mend)
    else:
        findings.ok("transfers", f"forbidden to the telephones of {', '.join(looked_at)}")


def _forbids(profile: Piece) -> bool:
    return profile.params().get("disable-transfer", "").lower() in {"true", "yes", "on", "1", "enabled", "active"}
