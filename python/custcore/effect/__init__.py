"""Did it work: the planning of experiments, what a score is worth, and comparisons without random groups."""

from custcore.effect._before_after import BeforeAfter, before_after
from custcore.effect._planning import detectable, sample_size
from custcore.effect._uplift import UpliftCurve, UpliftPoint, uplift_curve

__all__ = [
    "BeforeAfter",
    "UpliftCurve",
    "UpliftPoint",
    "before_after",
    "detectable",
    "sample_size",
    "uplift_curve",
]
