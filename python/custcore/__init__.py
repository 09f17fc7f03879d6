"""Customer analytics over Arrow: RFM scores, segments and cohorts from any dataframe, exact and fast.

>>> import custcore
>>> custcore.SegmentMap.named("rf10").names[:3]
['hibernating', 'at_risk', 'cant_lose']
"""

from custcore import _moved, clv, errors, presets
from custcore._core import __version__
from custcore._input.data import AsOf, Data
from custcore._lifecycle import Backtest, ChurnModel, LifecycleModel, backtest
from custcore._read import Source, read
from custcore._rfm import (
    ExplainedScore,
    QuantileScorer,
    RFMScorer,
    ScoreChange,
    ScoreComparison,
    ScoreExplanation,
    SegmentMap,
    compare,
    profile,
    rfm,
    rfm_scores,
)
from custcore.affinity import Baskets, NextCategory, backtest_next, pairs, rules
from custcore.allocation import Allocation, Curve, allocate, allocate_contacts
from custcore.base import CustomerBase, Review, scan
from custcore.cluster import Breaks, KMeans, Scaler, natural_breaks, segment_customers, select_k
from custcore.clv._summary import clv_summary
from custcore.cohort import CohortRetention, cohort_retention
from custcore.experiments import UpliftCurve, UpliftPoint, detectable, sample_size, uplift_curve
from custcore.experiments._before_after import before_after
from custcore.experiments._before_after_result import BeforeAfter
from custcore.experiments._effect import effect
from custcore.experiments._effect_of import effect_of
from custcore.result import Column, Report, ReportEntry, Schema, Table
from custcore.value import Portrait, abc, decomposition, funnel, measures, nps, portrait

__all__ = [
    "Allocation",
    "AsOf",
    "Backtest",
    "Baskets",
    "BeforeAfter",
    "Breaks",
    "ChurnModel",
    "CohortRetention",
    "Column",
    "Curve",
    "CustomerBase",
    "Data",
    "ExplainedScore",
    "KMeans",
    "LifecycleModel",
    "NextCategory",
    "Portrait",
    "QuantileScorer",
    "RFMScorer",
    "Report",
    "ReportEntry",
    "Review",
    "Scaler",
    "Schema",
    "ScoreChange",
    "ScoreComparison",
    "ScoreExplanation",
    "SegmentMap",
    "Source",
    "Table",
    "UpliftCurve",
    "UpliftPoint",
    "__version__",
    "abc",
    "allocate",
    "allocate_contacts",
    "backtest",
    "backtest_next",
    "before_after",
    "clv",
    "clv_summary",
    "cohort_retention",
    "compare",
    "decomposition",
    "detectable",
    "effect",
    "effect_of",
    "errors",
    "funnel",
    "measures",
    "natural_breaks",
    "nps",
    "pairs",
    "portrait",
    "presets",
    "profile",
    "read",
    "rfm",
    "rfm_scores",
    "rules",
    "sample_size",
    "scan",
    "segment_customers",
    "select_k",
    "uplift_curve",
]

_moved.register()
