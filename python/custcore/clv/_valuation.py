"""Money, discounting and intervals of predictions as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from custcore._input import arguments
from custcore.clv._spend import GammaGamma
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from custcore import _core

__all__ = ["Valuation", "level_argument", "spend_argument", "valuation"]


class Valuation(TypedDict):
    """What the core takes."""

    spend: _core.SpendModel | str | None
    margin: float
    discounting: tuple[str, float, float]
    level: float | None


def valuation(
    horizons: list[float | None],
    *,
    spend: object,
    margin: object,
    annual_rate: object,
    discount: object,
    period_days: object,
    period_rate: object,
    level: object,
    summary: _core.ClvSummary | None = None,
) -> Valuation:
    """The arguments, checked; those of money against the summary that is predicted."""
    return {
        "spend": spend_argument(spend, summary),
        "margin": arguments.number("margin", margin),
        "discounting": _discounting(annual_rate, discount, period_days, period_rate, endless=None in horizons),
        "level": None if level is None else level_argument(level),
    }


def spend_argument(spend: object, summary: _core.ClvSummary | None = None) -> _core.SpendModel | str | None:
    """The model of spend for the core."""
    if spend is None:
        return None
    if summary is not None and not summary.has_amounts:
        raise InvalidArgumentError(
            "spend= needs the mean money of each customer's repeat purchase days, and the summary has no column m_x; "
            "make it from a base with an amount, or leave spend out"
        )
    if isinstance(spend, str):
        return arguments.choice("spend", spend, ("own_mean",))
    if not isinstance(spend, GammaGamma):
        raise InvalidTypeError(f"spend={spend!r} is {type(spend).__name__}; expected a GammaGamma, 'own_mean' or None")
    core: _core.SpendModel = spend._ready()
    return core


def level_argument(level: object) -> float:
    """The probability of an interval."""
    found = arguments.number("level", level)
    if not 0 < found < 1:
        raise InvalidArgumentError(f"level={found} is invalid; expected a probability between 0 and 1, such as 0.9")
    return found


def _discounting(
    annual_rate: object, discount: object, period_days: object, period_rate: object, *, endless: bool
) -> tuple[str, float, float]:
    word = arguments.choice("discount", discount, ("continuous", "monthly"))
    if (period_days is None) != (period_rate is None):
        given, missing = ("period_rate", "period_days") if period_days is None else ("period_days", "period_rate")
        raise InvalidArgumentError(f"{given} is given without {missing}; give both, or neither")
    name = "annual_rate" if period_rate is None else "period_rate"
    rate = arguments.number(name, annual_rate if period_rate is None else period_rate)
    if rate < 0:
        raise InvalidArgumentError(f"{name}={rate} is negative; expected interest such as 0.1 for 10 %")
    if endless and rate == 0:
        raise InvalidArgumentError(
            f"horizon=None has no end, so purchases without interest have no finite value; {name}=0 needs a horizon"
        )
    if period_days is not None:
        days = arguments.number("period_days", period_days)
        if days <= 0:
            raise InvalidArgumentError(f"period_days={days} is invalid; expected more than 0")
        return "periodic", days, rate
    return word, rate, 0.0
