"""RFM: the table of recency, frequency and money, scores of these and of any columns, segments and their profile."""

from custcore._rfm.comparison import ScoreComparison, compare
from custcore._rfm.explanation import ExplainedScore, ScoreChange, ScoreExplanation
from custcore._rfm.quantile_scorer import QuantileScorer
from custcore._rfm.scorer import RFMScorer
from custcore._rfm.segment_map import SegmentMap
from custcore._rfm.segment_profile import profile
from custcore._rfm.table import rfm, rfm_scores

__all__ = [
    "ExplainedScore",
    "QuantileScorer",
    "RFMScorer",
    "ScoreChange",
    "ScoreComparison",
    "ScoreExplanation",
    "SegmentMap",
    "compare",
    "profile",
    "rfm",
    "rfm_scores",
]
