"""Slow, obvious oracles in plain Python: what the fast code has to agree with, to the bit.

Nothing here imports custcore, numpy or pandas, and nothing here is clever. Lifetime value (`clv*.py`) is the exception:
its integrals and optimisers are those of numpy and scipy.
"""

from .kmeans import (
    inertia_reference,
    lloyd_reference,
    natural_breaks_reference,
    silhouette_squared_reference,
)
from .money import DECIMAL, FLOAT, INT, Money
from .rfm import Entry, Result, rfm_reference
from .scores import (
    edges_reference,
    float_at_or_below,
    group_reference,
    nested_reference,
    ntile_reference,
    rfm_scores_reference,
    scores_reference,
)
from .segments import RF10

__all__ = [
    "DECIMAL",
    "FLOAT",
    "INT",
    "RF10",
    "Entry",
    "Money",
    "Result",
    "edges_reference",
    "float_at_or_below",
    "group_reference",
    "inertia_reference",
    "lloyd_reference",
    "natural_breaks_reference",
    "nested_reference",
    "ntile_reference",
    "rfm_reference",
    "rfm_scores_reference",
    "scores_reference",
    "silhouette_squared_reference",
]
