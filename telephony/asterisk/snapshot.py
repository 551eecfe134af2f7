"""What lives on the PBX, read after every connect. The reading is I/O, the building is pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from routing.core.facts import LegArrived
from telephony.answers import Answer
from telephony.asterisk.actions import get_variable
from telephony.asterisk.arrivals import decode
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import RINGING, UP, Legs, conference_name
from telephony.ears import HEAR
from telephony.handover import TOO_LONG, options_of
from telephony.legs import Leg, LegKind, arrived_leg_id
from telephony.rooms import CONTEXT_EAR, NO_MUSIC, PROMPTING
from telephony.session import SyncFailed

OUR_CONTEXTS = "switchroom-"
HANDED_OVER = ("SR_ENTRY", "SR_DNIS", "SR_ANI", "SR_ANI_NAME", "SR_OPTIONS", "SR_CADS")

Ask = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Channels with our variables (Status), and bridges (BridgeListItem)."""

    channels: tuple[AmiMessage, ...]
    bridges: tuple[AmiMessage, ...]


async def read_system_name(ask: Ask) -> str:
    """The name that every genuine event carries. Raises SyncFailed."""
    answer = await ask({"Action": "CoreSettings"})
    _demand(answer, "CoreSettings")
    name = answer.message.get("systemname") if answer.message else ""
    if not name:
        raise SyncFailed("systemname is not set in asterisk.conf: events could be forged", is_lasting=True)
    return name


async def read_listing(ask: Ask) -> Listing:
    """Raises SyncFailed."""
    channels = await ask({"Action": "Status", "Variables": "SR_LEG,SR_IID"}, is_list=True)
    _demand(channels, "Status")
    bridges = await ask({"Action": "BridgeList"}, is_list=True)
    _demand(bridges, "BridgeList")
    return Listing(channels.items, bridges.items)


async def read_device_states(ask: Ask, phones: Iterable[str]) -> dict[str, str]:
    """Device states by name; a phone that the PBX has no state of yet is asked for by itself. Raises SyncFailed."""
    answer = await ask({"Action": "DeviceStateList"}, is_list=True)
    _demand(answer, "DeviceStateList")
    states = {item.get("device"): item.get("state") for item in answer.items}
    for phone in phones:
        if phone not in states:
            one = await ask({"Action": "Getvar", "Variable": f"DEVICE_STATE({phone})"})
            states[phone] = one.message.get("value") if one.is_success and one.message else ""
    return states


async def read_missing(ask: Ask) -> frozenset[str]:
    """Contexts for which the dialplan there is not new enough: a channel that is sent to one which is not there is hung
    up.
    """
    missing: set[str] = set()
    for context, exten in (*((context, NO_MUSIC) for context in PROMPTING), (CONTEXT_EAR, f"{HEAR}nobody")):
        answer = await ask({"Action": "Getvar", "Variable": f"DIALPLAN_EXISTS({context},{exten},1)"})
        if answer.is_success and answer.message and answer.message.get("value") == "0":
            missing.add(context)
    return frozenset(missing)


def _demand(answer: Answer, action: str) -> None:
    if not answer.is_success:
        is_lasting = "permission" in answer.text.lower()
        raise SyncFailed(f"{action}: {answer.text or answer.how.value}", is_lasting=is_lasting)


def build(legs: Legs, listing: Listing, now_s: float) -> None:
    """Replace everything in `legs` by what was read."""
    legs.clear()
    for item in listing.bridges:
        legs.bridges.create(item.get("bridgeuniqueid"), conference_name(item))
    for item in listing.channels:
        uid = item.get("uniqueid")
        if not uid:
            continue  # cut short by a forged header
        leg = leg_of(item)
        if leg is not None:
            leg.known_since = now_s
            legs.add(leg)
        if item.get("bridgeid"):
            legs.bridges.enter(item.get("bridgeid"), uid)


def leg_of(item: AmiMessage) -> Leg | None:
    """The leg that a Status item describes; None when the channel is not ours."""
    variables = dict(pair.partition("=")[::2] for pair in item.all("variable"))
    uid, leg_id, context = item.get("uniqueid"), variables.get("SR_LEG", ""), item.get("context")
    kind = {uid: LegKind.DIALED, arrived_leg_id(uid): LegKind.ARRIVED}.get(leg_id)
    if kind is None:
        return None
    interaction_id = variables.get("SR_IID", "")
    is_ours_already = bool(item.get("bridgeid")) or context.startswith(OUR_CONTEXTS)
    return Leg(
        leg_id=leg_id,
        uid=uid,
        kind=kind,
        interaction_id="" if interaction_id == "(null)" else interaction_id,
        channel=item.get("channel"),
        context=context,
        exten=item.get("exten"),
        is_up=kind is LegKind.ARRIVED or (item.get("channelstate") == UP and is_ours_already),
        is_ringing=item.get("channelstate") == RINGING,
    )


async def read_arrival(ask: Ask, pbx: str, leg: Leg) -> LegArrived | None:
    """An untaken call with its data, read again from its channel; None when it is gone meanwhile."""
    values: dict[str, str] = {}
    for name in HANDED_OVER:
        answer = await ask(get_variable(leg.uid, name))
        if not answer.is_success or answer.message is None:
            return None
        values[name] = answer.message.get("value")
    cad, too_long = await _read_cad(ask, leg.uid, values["SR_CADS"])
    options = options_of(values["SR_OPTIONS"])
    if too_long:
        options[TOO_LONG] = ",".join(too_long)
    return LegArrived(
        pbx=pbx,
        leg_id=leg.leg_id,
        entry_point=values["SR_ENTRY"],
        dnis=values["SR_DNIS"],
        ani=values["SR_ANI"],
        ani_name=decode(values["SR_ANI_NAME"]),
        cad=cad,
        options=options,
    )


async def _read_cad(ask: Ask, uid: str, listed: str) -> tuple[dict[str, str], list[str]]:
    """`listed`: names with a value, each followed by `&`; `!` marks one that is too long to be sent."""
    cad: dict[str, str] = {}
    names = [name for name in listed.split("&") if name]
    for name in names:
        if not name.endswith("!"):
            answer: Any = await ask(get_variable(uid, f"SR_ENC_{name}"))
            cad[name] = decode(answer.message.get("value")) if answer.is_success and answer.message else ""
    return cad, [name[:-1] for name in names if name.endswith("!")]
