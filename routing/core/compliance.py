"""Two measures of an answered call, kept apart (DIALER-06): who hung up while he waited, who had no agent in time.

Pure. The second one is the law's; it counts against the cap of its campaign.
"""

from __future__ import annotations

from routing.core.campaign import CampaignCall, DropDay, Verdict
from routing.core.campaign_rules import AttemptResult

# An agent within 2 s of the answer, whatever the campaign's own limit is: 16 CFR 310.4(b)(4)(i), 47 CFR 64.1200(a)(7),
# and Ofcom's statement of policy on persistent misuse of 2016.
COMPLIANCE_MS = 2000

_IN_TIME = (AttemptResult.ANSWERED, AttemptResult.ABANDONED)


def judge(call: CampaignCall, result: AttemptResult, now_ms: int) -> DropDay:
    """An attempt that ends now so, as what it adds to the counts of its day.

    Hung up: he left while he waited. Dropped: a person had no agent within COMPLIANCE_MS, or was given none. Who
    answered is a person unless machine detection says that he is none; not to know is not to say so.
    """
    is_machine = call.reached_at_ms > 0 and call.verdict is Verdict.MACHINE
    is_live = call.reached_at_ms > 0 and not is_machine
    is_late = now_ms - call.reached_at_ms > COMPLIANCE_MS
    return DropDay(
        attempts=1,
        live=int(is_live),
        dropped=int(is_live and (is_late or result not in _IN_TIME)),
        hung_up=int(is_live and result is AttemptResult.ABANDONED),
        machines=int(is_machine),
    )
