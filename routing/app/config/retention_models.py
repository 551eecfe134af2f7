"""The table of how long things are kept."""

from __future__ import annotations

from pydantic import Field, model_validator

from routing.app.config.scalars import Table

FIVE_YEARS_DAYS = 1827  # 16 CFR 310.5(b), since October 15, 2024 (89 FR 26760)


class RetentionTable(Table):
    """How long things are kept; what has no default and is not given is kept for ever. Do-not-call marks always are.

    Read at the start of the processes.
    """

    recording_days: int | None = Field(
        default=None,
        ge=1,
        description="Days after the end of a call until its recordings are deleted; needs `directory` of `recordings`",
    )
    history_days: int | None = Field(
        default=None, ge=1, description="Days after the end of a call until its history and recordings are deleted"
    )
    audit_days: int | None = Field(default=None, ge=1, description="Days until an entry of the audit log is deleted")
    campaign_days: int = Field(
        default=FIVE_YEARS_DAYS,
        ge=0,
        description="Days until attempts of campaigns, results and answers of guides are deleted; 0: never",
    )
    ledger_days: int = Field(
        default=FIVE_YEARS_DAYS,
        ge=0,
        description="Days until rows of the ledger of attempts are deleted; 0: never. Less than five years, which "
        "16 CFR 310.5(b) demands, only with `ledger_below_minimum`",
    )
    ledger_below_minimum: bool = Field(
        default=False, description="The ledger may be kept for less than five years: no such law holds for you"
    )
    report_days: int = Field(
        default=FIVE_YEARS_DAYS, ge=0, description="Days until the figures of reports are deleted; 0: never"
    )

    @model_validator(mode="after")
    def _lawful(self) -> RetentionTable:
        if 0 < self.ledger_days < FIVE_YEARS_DAYS and not self.ledger_below_minimum:
            raise ValueError(f"ledger_days below {FIVE_YEARS_DAYS} needs ledger_below_minimum = true")
        return self
