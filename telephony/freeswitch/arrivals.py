"""Hand-overs and feature codes, from the variables of the channel (FLOW-03). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from routing.core.facts import FeatureDialed, LegArrived
from telephony.handover import FEATURES, MAX_CAD_BYTES, MAX_NAMES, TOO_LONG, options_of
from telephony.legs import arrived_leg_id

CAD_PREFIX = "SR_CAD_"


def arrival(pbx: str, uid: str, variables: Mapping[str, str], names: Iterable[str] | None) -> LegArrived:
    """The call on that channel. `names`: CAD that is taken over; None while they are not known: all."""
    options = options_of(variables.get("SR_OPTIONS", ""))
    found = {name.removeprefix(CAD_PREFIX): value for name, value in variables.items() if name.startswith(CAD_PREFIX)}
    cad = _declared(found, names)
    too_long = sorted(name for name, value in cad.items() if len(value.encode("utf-8", "replace")) > MAX_CAD_BYTES)
    if too_long:
        options[TOO_LONG] = ",".join(too_long)
    return LegArrived(
        pbx=pbx,
        leg_id=arrived_leg_id(uid),
        entry_point=variables.get("SR_ENTRY", ""),
        dnis=variables.get("SR_DNIS", ""),
        ani=variables.get("SR_ANI", ""),
        ani_name=variables.get("SR_ANI_NAME", ""),
        cad={name: value for name, value in cad.items() if name not in too_long},
        options=options,
    )


def _declared(found: Mapping[str, str], names: Iterable[str] | None) -> dict[str, str]:
    """Names of variables have no case at FreeSWITCH."""
    if names is None:
        return dict(list(found.items())[:MAX_NAMES])
    folded = {name.lower(): value for name, value in found.items()}
    return {name: folded[name.lower()] for name in names if name.lower() in folded}


def feature(pbx: str, uid: str, variables: Mapping[str, str]) -> FeatureDialed | None:
    """None when it is no feature that we know."""
    code = variables.get("SR_CODE", "")
    if code not in FEATURES:
        return None
    return FeatureDialed(
        pbx=pbx,
        leg_id=arrived_leg_id(uid),
        phone=variables.get("SR_PHONE", ""),
        code=code,
        argument=variables.get("SR_DIGITS", ""),
    )
