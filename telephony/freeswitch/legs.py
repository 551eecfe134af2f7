"""The live legs of one FreeSWITCH as its events tell them. Pure: events in, facts out."""

from __future__ import annotations

from routing.core.facts import DialOutcome, Fact, LegAnswered, LegRinging
from telephony.freeswitch.causes import Q850, outcome, sip_code
from telephony.freeswitch.codec import EslEvent
from telephony.legs import Leg, LegBook, LegKind


def pair_name(one: str, other: str) -> str:
    """FreeSWITCH gives a bridge of two no name."""
    return "+".join(sorted((one, other)))


class Legs(LegBook):
    """The legs, kept by events of the event socket.

    A leg whose partner has left the bridge counts as alone in it until our dialplan says that it has arrived
    somewhere: it is on its way there by itself.
    """

    # `switchroom` itself runs inside of the integrator's extension.
    handover = "switchroom-call"

    def __init__(self, pbx: str) -> None:
        super().__init__(pbx)
        self._why: dict[str, str] = {}
        self._mates: dict[str, str] = {}

    # ------------------------------------------------------------------ places and company

    def arrived_at(self, leg: Leg, event: EslEvent) -> None:
        """Our dialplan says where the leg is."""
        self._touch(leg.uid)
        self.bridges.leave(leg.uid)
        leg.context, leg.exten = event.get("Caller-Context"), event.get("Caller-Destination-Number")
        leg.settled += 1
        self._touch(leg.uid)

    def bridged(self, one: str, other: str) -> None:
        for uid in (one, other):
            self._touch(uid)
        for uid, mate in ((one, other), (other, one)):
            self.bridges.enter(pair_name(one, other), uid)
            self._mates[uid] = mate
        self._touch(one)

    def last_mate(self, leg: Leg) -> str:
        """The leg it was joined with last, perhaps still is; empty for none of ours."""
        mate = self.by_uid(self._mates.get(leg.uid, ""))
        return mate.leg_id if mate is not None else ""

    def unbridged(self, one: str, other: str) -> None:
        """Each is alone now, unless it is somewhere else already."""
        name = pair_name(one, other)
        self._touch(one)
        self._touch(other)
        for uid in (one, other):
            bridge = self.bridges.of(uid)
            if bridge is not None and bridge.id == name:
                self.bridges.leave(uid)
                if uid in self._by_uid:
                    self.bridges.enter(f"{name}/{uid}", uid)

    def joined(self, conference: str, uid: str) -> None:
        self._touch(uid)
        self.bridges.create(conference, conference)
        self.bridges.enter(conference, uid)
        self._touch(uid)

    def parted(self, conference: str, uid: str) -> None:
        bridge = self.bridges.of(uid)
        if bridge is not None and bridge.conference == conference:
            self._touch(uid)
            self.bridges.leave(uid)

    def gone(self, uid: str) -> None:
        """A channel that is no leg of ours has ended."""
        self._mates.pop(uid, None)
        self._touch(uid)
        self.bridges.leave(uid)

    def _touch(self, uid: str) -> None:
        """This one and everybody in its company has changed."""
        self.changed |= {self.name_of(member) for member in self.bridges.company_of({uid}) | {uid}}

    # ------------------------------------------------------------------ the life of a leg

    def rings(self, leg: Leg) -> list[Fact]:
        if leg.kind is not LegKind.DIALED or leg.is_ringing or leg.is_up:
            return []
        leg.is_ringing = True
        return [LegRinging(pbx=self._pbx, leg_id=leg.leg_id)]

    def answered(self, leg: Leg) -> list[Fact]:
        """It is where it can be moved from. One that nobody wants any more was hung up already, which will be told."""
        if leg.is_up or leg.hang_up_cause is not None or self.get(leg.leg_id) is not leg:
            return []
        leg.is_up = True
        self.changed.add(leg.leg_id)
        return [LegAnswered(pbx=self._pbx, leg_id=leg.leg_id)]

    def hung_up(self, leg: Leg, event: EslEvent) -> list[Fact]:
        """From CHANNEL_HANGUP_COMPLETE, which has the causes."""
        self._touch(leg.uid)
        self.bridges.leave(leg.uid)
        self._note_cause(leg, event)
        if leg.kind is LegKind.DIALED and not leg.is_up:
            was_answered = event.get("Caller-Channel-Answered-Time") not in ("", "0")
            if not was_answered or leg.hang_up_cause is not None:
                return self.settle_dial(leg)
            return [*self.answered(leg), *self.end(leg)]
        return self.end(leg)

    def _note_cause(self, leg: Leg, event: EslEvent) -> None:
        name = event.get("variable_hangup_cause") or event.get("Hangup-Cause")
        q850 = event.get("variable_hangup_cause_q850")
        leg.cause = int(q850) if q850.isdecimal() else Q850.get(name, 0)
        # Of a telephone that forwards its calls only the second is told.
        told = event.get("variable_sip_term_status") or event.get("variable_proto_specific_hangup_cause")
        leg.tech_cause = sip_code(told)
        leg.remote_hung_up = leg.hang_up_cause is None and _is_remote(event)
        self._why[leg.leg_id] = name

    def failed(self, leg: Leg, name: str) -> list[Fact]:
        """The job that dialled it has failed, and no channel tells more."""
        leg.cause = Q850.get(name, 0)
        self._why[leg.leg_id] = name
        return self.settle_dial(leg)

    def outcome(self, leg: Leg) -> DialOutcome:
        """From the name of the cause and the SIP answer."""
        return outcome(self._why.get(leg.leg_id, ""), leg.tech_cause, has_rung=leg.is_ringing)

    def drop(self, leg: Leg) -> None:
        super().drop(leg)
        self._why.pop(leg.leg_id, None)
        self._mates.pop(leg.uid, None)

    def clear(self) -> None:
        super().clear()
        self._why.clear()
        self._mates.clear()


def _is_remote(event: EslEvent) -> bool:
    """The far end said BYE or CANCEL, or refused."""
    return event.get("variable_sip_hangup_disposition").startswith("recv")
