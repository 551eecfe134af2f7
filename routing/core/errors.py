"""The one error tree. Every class has a stable kebab-case `code`; the message is built from the fields."""

from __future__ import annotations

from typing import ClassVar


class SwitchroomError(Exception):
    """Root of every error of the product; `fields` are what the message was built from."""

    code: ClassVar[str] = "switchroom-error"
    template: ClassVar[str] = "{code}"

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(self.template.format(code=self.code, **fields))


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
    template = "{action} is not allowed now; allowed: {allowed}"


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
