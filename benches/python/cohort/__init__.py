"""Cohort retention by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.cohort.case import CohortCase, CohortInput
from benches.python.cohort.contenders import BENCH, CONTENDERS, PEERS, WITH_RFM

__all__ = ["BENCH", "CONTENDERS", "PEERS", "WITH_RFM", "CohortCase", "CohortInput"]
