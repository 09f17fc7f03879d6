"""Cohort retention by custcore and its peers: cases, their input, contenders, and when two results are equal."""

from benches.python.cohort.case import CohortCase, CohortInput
from benches.python.cohort.contenders import BENCH, CONTENDERS, PEERS, WITH_RFM

__all__ = ["BENCH", "CONTENDERS", "PEERS", "WITH_RFM", "CohortCase", "CohortInput"]
