"""The one error tree. Every class has a stable kebab-case `code`; the message is built from the fields."""

from __future__ import annotations

from typing import ClassVar


class SwitchroomError(Exception):
    """Root of every error of the product; `fields` are what the message was built from."""

    code: ClassVar[str] = "switchroom-error"
    template: ClassVar[str] = "{code}"

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        shown = {name: _in_words(value) for name, value in fields.items()}
        super().__init__(self.template.format(code=self.code, **shown))


def _in_words(value: object) -> object:
    """Lists and tables as a person writes them."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {what}" for name, what in value.items())
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple | set | frozenset) else value


class DomainError(SwitchroomError):
    """An order that the rules of the product refuse; nothing has changed."""

    code = "domain-error"


class StoreError(SwitchroomError):
    """The store (Redis, SQL, memory) could not do what was asked."""

    code = "store-error"


class PbxError(SwitchroomError):
    """The PBX or the link to it could not do what was asked."""

    code = "pbx-error"


class ConfigError(SwitchroomError):
    """The configuration files hold a mistake."""

    code = "config-error"


class IllegalTransition(DomainError):
    """There is no row for this trigger in this state."""

    code = "illegal-transition"
    template = "the {machine} is {state}; {trigger} is not possible from there"


class UnknownAgent(DomainError):
    code = "agent-unknown"
    template = "there is no agent {agent_id}"


class UnknownInteraction(DomainError):
    code = "interaction-unknown"
    template = "there is no live interaction {interaction_id}"


class UnknownReason(DomainError):
    code = "reason-unknown"
    template = "{reason!r} is not a configured {kind} reason; there are: {known}"


class AgentNotEngaged(DomainError):
    code = "agent-not-engaged"
    template = "agent {agent_id} has no part in interaction {interaction_id}"


class ActionNotAllowed(DomainError):
    """The action is not in `allowed_actions` of this interaction for this agent (OFFER-06)."""

    code = "action-not-allowed"
    template = "{action} is not allowed now; allowed: {allowed_actions}"


class AgentNotAvailable(DomainError):
    """The agent cannot be rung now (XFER-06, XFER-07)."""

    code = "agent-not-available"
    template = "agent {agent_id} cannot take a call now: {because}"


class UnknownTarget(DomainError):
    code = "target-unknown"
    template = "there is no {kind} {target!r} to send a call to"


class NumberRefused(DomainError):
    """This number is not dialed. `rule`: the stable word of `routing.core.numbers.NumberRule` that it breaks."""

    code = "number-refused"
    template = "number {number!r} is not dialed: {reason} ({rule})"


class OutdialNotAllowed(DomainError):
    """The profile or the configuration has no outdial for this agent (OUT-02, PERM-03, PERM-04).

    `rule`: outdial, dial_pad, address_book (switches of the profile) or entry_point (none is configured).
    """

    code = "outdial-not-allowed"
    template = "agent {agent_id} may not place this call: {rule} is not enabled"


class OutdialNotPossible(DomainError):
    """Neither available nor idle (STATE-11), or his telephone or its PBX cannot be used now: `because`."""

    code = "outdial-not-possible"
    template = "agent {agent_id} cannot place a call now: {because}"


class AniRefused(DomainError):
    """Not one of the numbers that his profile lists (OUT-10)."""

    code = "ani-refused"
    template = "the profile of agent {agent_id} does not list {ani!r} as a number to show; there are: {known}"


class TargetNotAllowed(DomainError):
    """`rule`: the switch of the profile that would allow it (XFER-13)."""

    code = "target-not-allowed"
    template = "this call may not be transferred to a {kind}: {rule} is not enabled"


class CapacityReached(DomainError):
    """No more customer calls. `reason_code`: 26 the data centre, 27 the tenant has reached its limit (OUT-03..05)."""

    code = "capacity-reached"
    template = "the limit of concurrent calls of the {whose} is reached (reason code {reason_code})"


class DialRateReached(DomainError):
    """Too many outside numbers within a minute (SAFE-04). `whose`: agent or tenant; `retry_after_s`: whole seconds."""

    code = "dial-rate-reached"
    template = "the {whose} has dialed {limit} numbers within a minute; try again in {retry_after_s} s"


class CallbackRefused(DomainError):
    """`reason`: number_invalid, not_allowed, no_trunk, in_flight; when it shall be cancelled no_callback (it is none,
    or has reached its customer), agent_has_it.
    """

    code = "callback-refused"
    template = "no callback: {reason}"


class AgentEngaged(DomainError):
    code = "agent-engaged"
    template = "agent {agent_id} still has an interaction: {interaction_id}"


class CadRefused(DomainError):
    """One or more CAD values break their declaration; none was written (CAD-04, 08, 10)."""

    code = "cad-refused"
    template = "CAD refused: {problems}"


class CadConflict(DomainError):
    """Somebody saved first (CAD-11). `author` wrote the `current` values of the names in question; `yours` are those
    that were not written (A19). Secure ones are masked in both.
    """

    code = "cad-conflict"
    template = "CAD is at version {current_version}, the edit was based on {expected_version}"


class DigitsRefused(DomainError):
    """These are no DTMF digits, or there are too many at a time (ACT-02)."""

    code = "digits-refused"
    template = "digits refused: {reason}"


class NoteRefused(DomainError):
    """A note is text of 1 to 2000 characters."""

    code = "note-refused"
    template = "note refused: {reason}"


class StaleConfig(DomainError):
    code = "config-stale"
    template = "the running configuration is revision {current}, the change was planned against {expected}"


class UnknownCampaign(DomainError):
    code = "campaign-unknown"
    template = "there is no campaign {campaign}"


class CampaignNotLoaded(DomainError):
    code = "campaign-not-loaded"
    template = "campaign {campaign} is not loaded"


class NotOfTeam(DomainError):
    """`because`: team, or logged_out."""

    code = "campaign-not-of-team"
    template = "{agent_id} cannot join campaign {campaign}: {because}"


class RecordNotDialable(DomainError):
    """`because`: window, in_flight, today (the contact's day has had its attempts), spent, no_number, no_trunk,
    not_running.
    """

    code = "record-not-dialable"
    template = "record {record_id} cannot be dialed now: {because}"


class CampaignNotRunning(DomainError):
    code = "campaign-not-running"
    template = "campaign {campaign} is not running"


class NotJoined(DomainError):
    code = "campaign-not-joined"
    template = "agent {agent_id} has not joined campaign {campaign}"


class NoRecord(DomainError):
    """`reason`: mode (records are laid before its agents, nobody asks for one), empty (none is ready), kept (those that
    are ready are not for this agent now).
    """

    code = "no-record"
    template = "there is no record of campaign {campaign}: {reason}"


class RecordRefused(DomainError):
    """What an agent wants with a record cannot be. `reason`: not_ready (he cannot be rung: `because`), window (closed
    until `next_open_ms`), other_number, limit (of attempts at that number), no_number, choice (of declining), callback
    (one is planned), gone.
    """

    code = "record-refused"
    template = "not with this record: {reason}"


class RecordNotDone(DomainError):
    """`reason`: disposition_required (DISP-04), callback_past (CBS-08), nothing_decided (before it was called)."""

    code = "record-not-done"
    template = "the record cannot be closed: {reason}"


class DispositionRefused(DomainError):
    """`reason`: unknown (`codes` that the campaign does not have), single (it allows one)."""

    code = "disposition-refused"
    template = "disposition refused: {reason} ({codes})"


class PlanRefused(DomainError):
    """No callback is scheduled so. `reason`: past, zone, personal, other_number, do_not_call, none (there is none),
    window (closed then, open from `next_open_ms` on).
    """

    code = "plan-refused"
    template = "no callback is scheduled: {reason}"


class GuideRefused(DomainError):
    """`reason`: no_guide, submitted, unknown or answer (of `question`), incomplete (`question` is open)."""

    code = "guide-refused"
    template = "call guide: {reason} ({question})"


class PacingRefused(DomainError):
    """`because`: mode (it is not predictive), tick (obeyed already, or overtaken), stale (its snapshot is too old)."""

    code = "pacing-refused"
    template = "no pacing of campaign {campaign}: {because}"


class NotSupervisable(DomainError):
    """`because`: state (no agent of ours talks in it), team (his is none of the supervisor's)."""

    code = "supervision-not-possible"
    template = "interaction {interaction_id} cannot be supervised: {because}"


class AlreadySupervised(DomainError):
    code = "supervision-exists"
    template = "interaction {interaction_id} is supervised already, by {by}"


class NotSupervised(DomainError):
    """Nobody listens, or somebody else than who asks."""

    code = "supervision-unknown"
    template = "interaction {interaction_id} is not supervised by {whom}"


class UnknownSupervisor(DomainError):
    code = "supervisor-unknown"
    template = "there is no supervisor {supervisor}"


class SupervisorNotAvailable(DomainError):
    """`because`: a state of the agent whose telephone it is, supervising, other_pbx, pbx_link_down, or phone_... with
    the state of the telephone.
    """

    code = "supervisor-not-available"
    template = "{whom} cannot listen now: {because}"
