"""Customer analytics over Arrow: RFM scores, segments and cohorts from any dataframe, exact and fast.

>>> import custcore
>>> custcore.SegmentMap.named("rf10").names[:3]
['hibernating', 'at_risk', 'cant_lose']
"""

from custcore import errors, presets
from custcore._core import __version__
from custcore.base import CustomerBase
from custcore.cohort import cohort_retention
from custcore.kmeans import KMeans
from custcore.profile import profile
from custcore.report import Report, ReportEntry
from custcore.retention import CohortRetention
from custcore.rfm import rfm, rfm_scores
from custcore.scaler import Scaler
from custcore.scan import scan
from custcore.score import QuantileScorer
from custcore.scorer import RFMScorer
from custcore.segment_customers import segment_customers
from custcore.segments import SegmentMap
from custcore.select_k import Breaks, natural_breaks, select_k
from custcore.table import Schema, Table

__all__ = [
    "Breaks",
    "CohortRetention",
    "CustomerBase",
    "KMeans",
    "QuantileScorer",
    "RFMScorer",
    "Report",
    "ReportEntry",
    "Scaler",
    "Schema",
    "SegmentMap",
    "Table",
    "__version__",
    "cohort_retention",
    "errors",
    "natural_breaks",
    "presets",
    "profile",
    "rfm",
    "rfm_scores",
    "scan",
    "segment_customers",
    "select_k",
]
