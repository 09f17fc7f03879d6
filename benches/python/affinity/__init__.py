"""Pairs of items bought together, by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.affinity.case import PairCase
from benches.python.affinity.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "PairCase"]
