"""Did it work: the effect of experiments, and of campaigns without random groups."""

from custcore.experiments._metrics import Mean, Proportion, Ratio
from custcore.experiments._planning import detectable, sample_size
from custcore.experiments._result import EffectResult
from custcore.experiments._uplift import UpliftCurve, UpliftPoint, uplift_curve

__all__ = [
    "EffectResult",
    "Mean",
    "Proportion",
    "Ratio",
    "UpliftCurve",
    "UpliftPoint",
    "detectable",
    "sample_size",
    "uplift_curve",
]
