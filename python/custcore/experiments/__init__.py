"""Did it work: the planning of experiments, what a score is worth, and comparisons without random groups."""

from custcore.experiments._before_after import BeforeAfter, before_after
from custcore.experiments._planning import detectable, sample_size
from custcore.experiments._uplift import UpliftCurve, UpliftPoint, uplift_curve

__all__ = [
    "BeforeAfter",
    "UpliftCurve",
    "UpliftPoint",
    "before_after",
    "detectable",
    "sample_size",
    "uplift_curve",
]
