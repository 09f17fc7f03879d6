"""Effects of an experiment by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.experiments.case import ExperimentCase
from benches.python.experiments.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "ExperimentCase"]
