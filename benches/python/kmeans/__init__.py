"""K-means by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.kmeans.case import DTYPES, SHAPES, TASKS, KMeansCase, KMeansInput
from benches.python.kmeans.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "DTYPES", "SHAPES", "TASKS", "KMeansCase", "KMeansInput"]
