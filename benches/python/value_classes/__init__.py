"""Value classes by custcore and other libraries: contenders, comparison of results."""

from benches.python.value_classes.contenders import BENCH

__all__ = ["BENCH"]
