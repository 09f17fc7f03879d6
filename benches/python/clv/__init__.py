"""Lifetime value by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.clv.case import MODELS, TASKS, ClvCase, ClvInput
from benches.python.clv.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "MODELS", "TASKS", "ClvCase", "ClvInput"]
