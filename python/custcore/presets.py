"""Presets of ``custcore.cohort_retention``: sets of its options that reproduce what other tools count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS"]

# Sources, as read in November 2026, and what is not taken from them:
# posthog    its source, posthog/hogql_queries/insights/retention_query_runner.py: days by default, calendar days in the
#            zone of the project, every interval with a start event starts a cohort unless the first time is asked
#            for; posthog/models/team/team.py: Sunday is day 0 of weeks, the default. It pads what is
#            not observed with 0.
# mixpanel   help.mixpanel.com, "Advanced Retention Functionality": "On or After", and rolling windows from the user's
#            first event (a week is 7 days, a month 30) by default; docs.mixpanel.com/reference/retention-query:
#            "birth", first-time cohorts, by default. That the first time is looked for in the range of the query only
#            is our reading. Its windows run from the event's own time, custcore's from its local day.
# amplitude  amplitude.com/docs/analytics/charts/retention-analysis/retention-analysis-time: rolling windows by default
#            (a week is 7 days, a month 30), and each starting event starts windows of its own; of its two measures
#            this is "Return On" (amplitude.com/docs/faq/retention-analysis), ours to choose. Its days run from the
#            hour of the event, custcore's from its local day.
# pandas     the recipe of many tutorials, such as analyticsvidhya.com, "Cohort Analysis using Python" (2021): the month
#            of the first purchase, months since then, distinct ids. Here every row with an id is activity; many
#            tutorials drop refunds first. It has NaN both for "not yet" and for "no customers".
PRESETS: Mapping[str, Mapping[str, object]] = {
    "posthog": {"period": "day", "cohort_by": "recurring", "return_criteria": "on", "week_start": "sunday"},
    "mixpanel": {
        "period": "day",
        "period_mode": "elapsed",
        "cohort_by": "first_in_window",
        "return_criteria": "on_or_after",
    },
    "amplitude": {"period": "day", "period_mode": "elapsed", "cohort_by": "recurring", "return_criteria": "on"},
    "pandas": {"period": "month", "cohort_by": "first", "return_criteria": "on", "returns": "count"},
}
