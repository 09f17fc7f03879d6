"""What a fit found, in the unit of its model: the core has everything in days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from custcore import _core

__all__ = ["TIMES", "Estimates", "whole"]

# The parameters that are times.
TIMES = frozenset({"alpha", "beta"})
# Of the standard normal distribution, for 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimates:
    """One fit: of all customers, or of a group.

    Attributes
    ----------
    names : tuple of str
        The names of the parameters, in the order of the core.
    info : FitInfo
        What the core found, in days.
    unit_days : float
        The days of the unit.
    """

    names: tuple[str, ...]
    info: _core.FitInfo
    unit_days: float = 1.0

    def in_unit(self, values: list[float]) -> dict[str, float]:
        """Parameters of days by name, in the unit."""
        return {name: value / self._days(name) for name, value in zip(self.names, values, strict=True)}

    @property
    def params(self) -> dict[str, float]:
        """The parameters."""
        return self.in_unit(self.info["parameters"])

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Their standard errors; None where the limit leaves them undetermined."""
        found = zip(self.names, self.info["standard_errors"], strict=True)
        return {name: None if error is None else error / self._days(name) for name, error in found}

    @property
    def intervals(self) -> dict[str, tuple[float, float] | None]:
        """Intervals of 95 %, symmetric in the logarithm of the parameter, which is where the likelihood is normal."""
        found: dict[str, tuple[float, float] | None] = {}
        for at, (name, value) in enumerate(self.params.items()):
            variance = self.info["covariance"][at][at]
            width = math.inf if variance is None or variance < 0 else _Z * math.sqrt(variance)
            # Beyond it one end is not a number of float64 any more, and the interval says nothing.
            found[name] = (value * math.exp(-width), value * math.exp(width)) if width < 300 else None
        return found

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood: densities are per unit of time, one for each repeat purchase."""
        return self.info["log_likelihood"] + math.log(self.unit_days) * self.info["repeat_purchases"]

    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    def bic(self) -> float:
        """Schwarz's criterion, whose sample size is the number of customers."""
        return len(self.names) * math.log(self.info["customers"]) - 2 * self.log_likelihood

    def _days(self, name: str) -> float:
        return self.unit_days if name in TIMES else 1.0


def whole(number: float) -> int | float:
    """A sum of weights, as an integer if it is one.

    >>> whole(3.0), whole(2.5)
    (3, 2.5)
    """
    return int(number) if number == int(number) else number
