"""Did it work: the effect of experiments, and of campaigns without random groups."""

from custcore.experiments._metrics import Mean, Proportion, Ratio
from custcore.experiments._result import EffectResult

__all__ = ["EffectResult", "Mean", "Proportion", "Ratio"]
