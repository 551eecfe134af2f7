"""Hand-overs of the dialplan, put together from its user events (FLOW-03). Pure."""

from __future__ import annotations

from urllib.parse import unquote

from routing.core.facts import FeatureDialed, LegArrived
from telephony.asterisk.codec import AmiMessage
from telephony.handover import FEATURES, MAX_NAMES, TOO_LONG, options_of
from telephony.legs import arrived_leg_id

MAX_OPEN = 1000


def decode(text: str) -> str:
    """A percent-coded value; bytes that are not UTF-8 become replacement characters."""
    return unquote(text, errors="replace")


class Arrivals:
    """Call-associated data come in an event each, the call itself comes last."""

    def __init__(self, pbx: str) -> None:
        self._pbx = pbx
        self._cad: dict[str, dict[str, str]] = {}
        self._too_long: dict[str, list[str]] = {}

    def clear(self) -> None:
        self._cad.clear()
        self._too_long.clear()

    def take(self, event: AmiMessage) -> LegArrived | None:
        """The call when this event completes it."""
        uid = event.get("uniqueid")
        if event.get("userevent") == "SwitchroomCad":
            self._take_cad(uid, event)
            return None
        return self.build(uid, event, self._cad.pop(uid, {}), self._too_long.pop(uid, []))

    def _take_cad(self, uid: str, event: AmiMessage) -> None:
        if len(self._cad) >= MAX_OPEN and uid not in self._cad:
            oldest = next(iter(self._cad))
            self._cad.pop(oldest)
            self._too_long.pop(oldest, None)
        cad, name = self._cad.setdefault(uid, {}), event.get("name")
        if "toolong" in event.headers:
            self._too_long.setdefault(uid, []).append(name)
        elif len(cad) < MAX_NAMES:
            cad[name] = decode(event.get("value"))

    def build(self, uid: str, event: AmiMessage, cad: dict[str, str], too_long: list[str]) -> LegArrived:
        """`event` has the headers of SwitchroomCall, percent-coded. Names too long to be sent are an option."""
        options = options_of(decode(event.get("options")))
        if too_long:
            options[TOO_LONG] = ",".join(too_long)
        return LegArrived(
            pbx=self._pbx,
            leg_id=arrived_leg_id(uid),
            entry_point=decode(event.get("entry")),
            dnis=decode(event.get("dnis")),
            ani=decode(event.get("ani")),
            ani_name=decode(event.get("ani-name")),
            cad=cad,
            options=options,
        )

    def feature(self, event: AmiMessage) -> FeatureDialed | None:
        """None when it is no feature that we know. The phone is the channel's name without its number."""
        code = event.get("code")
        if code not in FEATURES:
            return None
        return FeatureDialed(
            pbx=self._pbx,
            leg_id=arrived_leg_id(event.get("uniqueid")),
            phone=event.get("channel").rpartition("-")[0],
            code=code,
            argument=decode(event.get("argument")),
        )
