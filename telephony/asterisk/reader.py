"""What an event means: genuine events become facts, and a few of them make us act."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from routing.core.facts import Fact, LegTransferred
from telephony.answers import ignore
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.detection import verdict
from telephony.asterisk.legs import Legs
from telephony.asterisk.trust import Distrust, distrust
from telephony.asterisk.watching import Watching
from telephony.commands import Commands
from telephony.legs import Leg, LegKind, arrived_leg_id
from telephony.runs import Heard

# OriginateResponse and Hangup of a failed dialling come within a millisecond of each other, in either order.
SECOND_HALF_S = 1.0
# No channel was ever seen: nobody is registered there. But under load the news of a channel comes after the refusal.
NO_CHANNEL_S = 0.2

_TRANSFERERS = ("transfereruniqueid", "origtransfereruniqueid", "secondtransfereruniqueid")
_TRANSFERRED = ("transfereeuniqueid", "transfertargetuniqueid")
_DIGITS, _SECONDS = re.compile(r"[0-9*#]{1,64}"), re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"[^0-9A-Za-z+*#_.-]")


class EventReader:
    """`system_name` is what genuine events carry; `distrusted` is why the last event was dropped, until it is taken."""

    def __init__(self, pbx: str, legs: Legs, arrivals: Arrivals, commands: Commands, watching: Watching) -> None:
        self._pbx, self._legs, self._arrivals = pbx, legs, arrivals
        self._commands, self._watching = commands, watching
        self.system_name = ""
        self.distrusted: Distrust | None = None
        self._by_event: dict[str, Callable[[AmiMessage], list[Fact]]] = {
            "Newchannel": self._new_channel,
            "OriginateResponse": self._originate_response,
            "Hangup": self._hang_up,
            "BlindTransfer": self._transferred,
            "AttendedTransfer": self._transferred,
            "UserEvent": self._user_event,
            "DeviceStateChange": self._device_state,
            "Reload": self._reload,
        }

    def read(self, event: AmiMessage) -> list[Fact]:
        """The facts in an event; none when it is forged or says nothing that matters."""
        why = distrust(event, self.system_name)
        if why is not None:
            self.distrusted = why
            return []
        return self._by_event.get(event.event, self._legs.apply)(event)

    def _new_channel(self, event: AmiMessage) -> list[Fact]:
        facts = self._legs.apply(event)
        return facts + self._commands.appeared(event.get("uniqueid"), event.get("channel"))

    def _hang_up_again(self, leg: Leg | None) -> None:
        if leg is not None and leg.hang_up_cause is not None:
            self._commands.say_hang_up(leg, ignore)

    def _originate_response(self, event: AmiMessage) -> list[Fact]:
        leg = self._legs.by_uid(event.get("uniqueid"))
        facts = self._legs.apply(event)
        if event.get("response") == "Success":
            self._hang_up_again(leg)
        else:
            self._await_second_half(leg)
        return facts

    def _hang_up(self, event: AmiMessage) -> list[Fact]:
        leg = self._legs.by_uid(event.get("uniqueid"))
        facts = self._legs.apply(event)
        self._await_second_half(leg)
        return facts

    def _await_second_half(self, leg: Leg | None) -> None:
        if leg is None or self._legs.get(leg.leg_id) is not leg or leg.is_up:
            return

        delay_s = SECOND_HALF_S if leg.channel else NO_CHANNEL_S

        def overdue() -> None:
            if leg.channel and delay_s == NO_CHANNEL_S:
                self._await_second_half(leg)
                return
            for fact in self._legs.settle_dial(leg):
                self._commands.emit(fact)

        asyncio.get_running_loop().call_later(delay_s, overdue)

    def _transferred(self, event: AmiMessage) -> list[Fact]:
        """A telephone did it by itself, with REFER: whom it sent away is not ours any more (CONS-14)."""
        if event.get("result") != "Success":
            return []
        by = [leg for name in _TRANSFERERS if (leg := self._legs.by_uid(event.get(name)))]
        away = [leg for name in _TRANSFERRED if (leg := self._legs.by_uid(event.get(name)))]
        if not away:  # out of a conference: nobody's place but its own has changed
            for leg in by:
                self._commands.say_hang_up(leg, ignore)
        how = "blind" if event.event == "BlindTransfer" else "attended"
        to = _NUMBER.sub("", event.get("extension") or event.get("transfertargetcalleridnum"))[:64]
        facts: list[Fact] = []
        for leg in away:
            self._commands.let_go(leg)
            self._legs.drop(leg)
            by_leg_id = by[0].leg_id if by else ""
            facts.append(LegTransferred(pbx=self._pbx, leg_id=leg.leg_id, by_leg_id=by_leg_id, how=how, to=to))
        return facts

    # ------------------------------------------------------------------ the dialplan's own events

    def _user_event(self, event: AmiMessage) -> list[Fact]:
        match event.get("userevent"):
            case "SwitchroomCad" | "SwitchroomCall":
                return self._handed_over(event)
            case "SwitchroomAt":
                leg = self._legs.by_uid(event.get("uniqueid"))
                facts = self._legs.apply(event)
                return facts + (self._legs.settle(leg) if leg is not None else [])
            case "SwitchroomHeard" | "SwitchroomRecording":
                return self._of_prompts(event)
            case "SwitchroomLeft":
                return self._left(event)
            case "SwitchroomFeature":
                return self._feature(event)
        return []

    def _of_prompts(self, event: AmiMessage) -> list[Fact]:
        leg = self._legs.by_uid(event.get("uniqueid"))
        if leg is None:
            return []
        self._legs.apply(event)
        if event.get("userevent") == "SwitchroomRecording":
            self._commands.prompts.recording(leg, event.get("ask"))
            return []
        silence, digits = event.get("silence"), event.get("digits")
        heard = Heard(
            command_id=event.get("ask"),
            has_played=event.get("played") == "1",
            digits=digits if _DIGITS.fullmatch(digits) else "",
            silence_ms=int(silence) * 1000 if _SECONDS.fullmatch(silence) else 0,
            verdict=verdict(event.get("status"), event.get("cause")) if event.get("tried") else None,
        )
        return self._commands.prompts.heard(leg, heard)

    def _handed_over(self, event: AmiMessage) -> list[Fact]:
        if not event.get("uniqueid"):
            return []  # sent by a manager user, not by a channel
        arrival = self._arrivals.take(event)
        if arrival is None:
            return []
        self._add(event, LegKind.ARRIVED)
        return [arrival]

    def _add(self, event: AmiMessage, kind: LegKind) -> None:
        uid = event.get("uniqueid")
        leg = self._legs.by_uid(uid)
        if leg is None:
            leg = Leg(leg_id=arrived_leg_id(uid), uid=uid, kind=kind, is_up=True, known_since=self._commands.now())
            self._legs.add(leg)
        self._legs.apply(event)

    def _left(self, event: AmiMessage) -> list[Fact]:
        leg = self._legs.by_uid(event.get("uniqueid"))
        if leg is None:
            return []
        self._commands.returns.arrived(leg.leg_id)
        return self._legs.leave(leg)

    def _feature(self, event: AmiMessage) -> list[Fact]:
        feature = self._arrivals.feature(event)
        if feature is None or not event.get("uniqueid"):
            return []
        self._add(event, LegKind.FEATURE)
        return [feature]

    # ------------------------------------------------------------------ the rest

    def _device_state(self, event: AmiMessage) -> list[Fact]:
        return self._watching.changed(event.get("device"), event.get("state"))

    def _reload(self, _: AmiMessage) -> list[Fact]:
        self._watching.push_names()  # clearglobalvars in extensions.conf would have removed them
        return []
