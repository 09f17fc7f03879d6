"""Measures per month by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.measures.case import MeasuresCase, MeasuresInput
from benches.python.measures.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "MeasuresCase", "MeasuresInput"]
