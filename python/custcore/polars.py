"""Frames of polars in and out: ``df.custcore`` after ``import custcore.polars``, and the same as functions.

Type checkers know the functions, ``custcore.polars.rfm_scores(df)``; they do not know ``df.custcore``.
"""

from custcore.adapters._polars_affinity_functions import pairs, rules
from custcore.adapters._polars_campaigns import before_after, uplift_curve
from custcore.adapters._polars_clv_functions import clv_predict, clv_summary
from custcore.adapters._polars_experiments import effect, effect_of
from custcore.adapters._polars_functions import clusters, cohort_retention, kmeans, score, segment_customers
from custcore.adapters._polars_lifecycle_functions import lifecycle
from custcore.adapters._polars_measures_functions import decomposition, measures
from custcore.adapters._polars_portraits import funnel, nps, portrait
from custcore.adapters._polars_preferences_functions import preferences
from custcore.adapters._polars_rfm_functions import rfm, rfm_scores
from custcore.adapters._polars_value_functions import abc
from custcore.adapters.polars import CustcoreNamespace

__all__ = [
    "CustcoreNamespace",
    "abc",
    "before_after",
    "clusters",
    "clv_predict",
    "clv_summary",
    "cohort_retention",
    "decomposition",
    "effect",
    "effect_of",
    "funnel",
    "kmeans",
    "lifecycle",
    "measures",
    "nps",
    "pairs",
    "portrait",
    "preferences",
    "rfm",
    "rfm_scores",
    "rules",
    "score",
    "segment_customers",
    "uplift_curve",
]
