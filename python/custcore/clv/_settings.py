"""Settings of models: checked, for the core, and as JSON beside a saved fit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from custcore._input import arguments
from custcore.clv._estimates import TIMES
from custcore.clv._time import UNITS
from custcore.errors import CustcoreError, InvalidArgumentError, InvalidTypeError, ModelFormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from custcore import _core

__all__ = ["PurchaseSettings", "SearchSettings", "days_of", "restored"]


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How to search for a maximum. Times are in the unit of the model."""

    start: dict[str, float] | None
    prior: dict[str, tuple[float, float]] | None
    max_iter: int
    on_failure: str

    @classmethod
    def of(cls, names: tuple[str, ...], *, start: object, prior: object, max_iter: object, on_failure: object) -> Self:
        """The settings, checked."""
        return cls(**_search(names, start, prior, max_iter, on_failure))

    def options(self, names: tuple[str, ...]) -> _core.FitOptions:
        """The same for the core."""
        return {
            "start": None if self.start is None else [self.start[name] for name in names],
            "all_starts": False,
            "max_iter": self.max_iter,
            "prior": _prior_of_days(names, self.prior, 1.0),
        }

    def text(self) -> str:
        """JSON, equal for equal settings."""
        return _json(asdict(self))


@dataclass(frozen=True, slots=True)
class PurchaseSettings:
    """Settings of a model of purchases. Times are in its unit."""

    unit: str
    by: str | None
    min_customers: int
    unseen: str
    start: dict[str, float] | None
    starts: str
    prior: dict[str, tuple[float, float]] | None
    max_iter: int
    on_failure: str

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        *,
        unit: object,
        by: object,
        min_customers: object,
        unseen: object,
        start: object,
        starts: object,
        prior: object,
        max_iter: object,
        on_failure: object,
    ) -> Self:
        """The settings, checked."""
        least = arguments.whole("min_customers", min_customers, bits=63)
        if least < 1:
            raise InvalidArgumentError(f"min_customers={least} is invalid; expected 1 or more")
        return cls(
            unit=arguments.choice("unit", unit, UNITS),
            by=arguments.optional_name("by", by),
            min_customers=least,
            unseen=arguments.choice("unseen", unseen, ("global", "error")),
            starts=arguments.choice("starts", starts, ("auto", "all")),
            **_search(names, start, prior, max_iter, on_failure),
        )

    @property
    def unit_days(self) -> float:
        """The days of the unit."""
        return UNITS[self.unit]

    def options(self, names: tuple[str, ...]) -> _core.PurchaseFitOptions:
        """The same for the core, in days."""
        return {
            "start": None if self.start is None else days_of(names, self.start, self.unit_days),
            "all_starts": self.starts == "all",
            "max_iter": self.max_iter,
            "prior": _prior_of_days(names, self.prior, self.unit_days),
            "by": self.by,
            "min_customers": self.min_customers,
            "unseen": self.unseen,
        }

    def text(self) -> str:
        """JSON, equal for equal settings."""
        return _json(asdict(self))


def days_of(names: tuple[str, ...], params: Mapping[str, float], unit_days: float) -> list[float]:
    """Parameters of a unit as a list of days, in the order of the core."""
    return [params[name] * (unit_days if name in TIMES else 1.0) for name in names]


def parameters(argument: str, names: tuple[str, ...], value: object) -> dict[str, float]:
    """All parameters by name: positive, finite numbers."""
    if not isinstance(value, Mapping):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a dict of {', '.join(names)}")
    if set(value) != set(names):
        raise InvalidArgumentError(f"{argument} has {sorted(map(str, value))}; expected all of {', '.join(names)}")
    found = {name: arguments.number(f"{argument}[{name!r}]", value[name]) for name in names}
    for name, number in found.items():
        if number <= 0:
            raise InvalidArgumentError(f"{argument}[{name!r}]={number} is invalid; expected more than 0")
    return found


def restored(text: str, constructor: Callable[..., Any]) -> Any:  # noqa: ANN401 (what the constructor makes)
    """What a constructor makes of settings as :meth:`text` wrote them."""
    try:
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise InvalidTypeError("they are no object")
        return constructor(**settings)
    except (CustcoreError, TypeError, ValueError, RecursionError) as error:
        raise ModelFormatError(f"the model has invalid settings: {error}") from None


def _search(
    names: tuple[str, ...], start: object, prior: object, max_iter: object, on_failure: object
) -> dict[str, Any]:
    iterations = arguments.whole("max_iter", max_iter)
    if not 1 <= iterations <= 1_000_000:
        raise InvalidArgumentError(f"max_iter={iterations} is invalid; expected 1 to 1,000,000")
    return {
        "start": None if start is None else parameters("start", names, start),
        "prior": None if prior is None else _prior(names, prior),
        "max_iter": iterations,
        "on_failure": arguments.choice("on_failure", on_failure, ("error", "warn")),
    }


def _prior(names: tuple[str, ...], value: object) -> dict[str, tuple[float, float]] | None:
    """Mean and standard deviation of the logarithms of some parameters."""
    if not isinstance(value, Mapping):
        raise InvalidTypeError(
            f"prior={value!r} is {type(value).__name__}; expected a dict of parameter to (mean, standard deviation) of "
            "its logarithm"
        )
    unknown = [name for name in value if name not in names]
    if unknown:
        raise InvalidArgumentError(f"prior has {unknown[0]!r}; the parameters are {', '.join(names)}")
    found: dict[str, tuple[float, float]] = {}
    for name in names:
        pair = value.get(name)
        if pair is None:
            continue
        if isinstance(pair, str | bytes) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise InvalidTypeError(f"prior[{name!r}]={pair!r}; expected (mean, standard deviation) of the logarithm")
        mean, deviation = (arguments.number(f"prior[{name!r}][{i}]", number) for i, number in enumerate(pair))
        if deviation <= 0:
            raise InvalidArgumentError(f"prior[{name!r}][1]={deviation} is invalid; expected more than 0")
        found[name] = mean, deviation
    return found or None


def _prior_of_days(
    names: tuple[str, ...], prior: dict[str, tuple[float, float]] | None, unit_days: float
) -> list[tuple[float, float] | None] | None:
    if prior is None:
        return None
    found: list[tuple[float, float] | None] = []
    for name in names:
        pair = prior.get(name)
        shift = math.log(unit_days) if name in TIMES else 0.0
        found.append(None if pair is None else (pair[0] + shift, pair[1]))
    return found


def _json(settings: dict[str, Any]) -> str:
    return json.dumps(settings, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
