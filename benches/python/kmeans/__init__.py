"""K-means by custcore and its peers: what a case is, its input, the contenders, and when two results are equal."""

from benches.python.kmeans.case import DTYPES, TASKS, KMeansCase, KMeansInput
from benches.python.kmeans.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CONTENDERS", "DTYPES", "TASKS", "KMeansCase", "KMeansInput"]
