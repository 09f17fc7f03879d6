"""Arguments of experiments as the core takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from custcore._input import arguments
from custcore._input.data import as_of_argument, as_source
from custcore._rfm import RFMScorer
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.experiments._metrics import Mean, Proportion, Ratio

if TYPE_CHECKING:
    from custcore import _core
    from custcore._input.data import Data

__all__ = [
    "cost_argument",
    "days",
    "effect_arguments",
    "effect_request",
    "experiment_arguments",
    "experiment_source",
    "metrics_of",
    "passed_on",
    "scorer_argument",
]

METRICS = ("revenue", "orders", "active", "average_order_value")
# Columns that a base computes; others are those of the experiment.
COMPUTED = frozenset({"segment", "rfm_cell"})


def experiment_arguments(
    customer_id: str | Sequence[str],
    *,
    group: str | None,
    exposed_on: str,
    start: object,
    days_after: int,
    days_before: int | None,
    lag: int,
    gap: int,
    on_conflict: str,
    as_of: object,
    every: object = None,
    passed_on: Sequence[str] = (),
) -> _core.ExperimentArguments:
    """How an experiment is read."""
    after = _days("days_after", days_after)
    return {
        "customer_id": list(customer_id) if not isinstance(customer_id, str) else customer_id,
        "group": arguments.optional_name("group", group),
        "exposed_on": arguments.name("exposed_on", exposed_on),
        "start": as_of_argument(start, "start"),
        "days_after": after,
        "days_before": after if days_before is None else _days("days_before", days_before),
        "lag": _days("lag", lag),
        "gap": _days("gap", gap),
        "on_conflict": arguments.name("on_conflict", on_conflict),
        "passed_on": list(passed_on),
        "every": days("every", every),
        "as_of": as_of_argument(as_of),
    }


def _days(argument: str, value: object) -> int:
    """A number of days that the core can hold, which checks its bounds."""
    return max(min(arguments.whole(argument, value), 2**31 - 1), -(2**31))


def days(argument: str, value: object) -> int | None:
    """A number of days, or a text such as ``"7d"`` or ``"2w"``."""
    if value is None:
        return None
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d{1,6})\s*(d|days?|w|weeks?|)\s*", value)
        if not found:
            raise InvalidArgumentError(f"{argument}={value!r}; expected days, such as 7, '7d' or '2w'")
        return int(found[1]) * (7 if found[2].startswith("w") else 1)
    return _days(argument, value)


def passed_on(*names: object) -> list[str]:
    """The columns of the experiment that are read besides id, group and date."""
    columns: list[str] = []
    for name in names:
        listed = [name] if isinstance(name, str) else [] if name is None else list(name)  # type: ignore[call-overload]
        columns += [column for column in listed if column not in COMPUTED and column not in columns]
    return columns


def scorer_argument(scorer: object, *, needed: bool = True) -> _core.RfmScorer | None:
    """The scorer of segments, by default a new one; None if there is no need of one."""
    if scorer is None:
        return RFMScorer()._core if needed else None
    if not isinstance(scorer, RFMScorer):
        raise InvalidTypeError(f"scorer is {type(scorer).__name__}; expected an RFMScorer")
    return scorer._core


def effect_arguments(
    metrics: object,
    *,
    group: str = "group",
    control: str | None = None,
    adjust: object = None,
    strata: str | None = None,
    by: str | None = None,
    min_stratum: int = 10,
    winsorize: object = None,
    alternative: str = "two-sided",
    level: float = 0.95,
    correction: str | None = "holm",
    primary: str | None = None,
    shares: object = None,
    sequential: int | None = None,
    received: str | None = None,
    on_missing: str = "error",
) -> _core.EffectArguments:
    """What is computed of an experiment."""
    quantile, caps = _winsorize(winsorize)
    return {
        "metrics": metrics_argument(metrics),
        "group": arguments.name("group", group),
        "control": None if control is None else str(control),
        "adjust": adjust_argument(adjust),
        "strata": arguments.optional_name("strata", strata),
        "min_stratum": max(arguments.whole("min_stratum", min_stratum), 0),
        "by": arguments.optional_name("by", by),
        "winsorize": quantile,
        "caps": caps,
        "alternative": arguments.name("alternative", alternative),
        "level": arguments.number("level", level),
        "correction": arguments.optional_name("correction", correction),
        "primary": arguments.optional_name("primary", primary),
        "shares": None if shares is None else _numbers("shares", shares),
        "sequential": None if sequential is None else arguments.number("sequential", sequential),
        "received": arguments.optional_name("received", received),
        "on_missing": arguments.name("on_missing", on_missing),
    }


class EffectRequest(NamedTuple):
    """What the core needs to compute an effect, beside the purchases."""

    experiment: object
    read: _core.ExperimentArguments
    asked: _core.EffectArguments
    scorer: _core.RfmScorer | None
    others: list[object]


def effect_request(
    options: _core.ReadOptions,
    experiment: Data,
    *,
    group: str,
    exposed_on: str,
    start: object,
    days_after: int,
    days_before: int | None,
    lag: int,
    gap: int,
    metrics: Sequence[str] | None,
    every: object,
    scorer: object,
    others: Sequence[Data] | None,
    on_conflict: str,
    as_of: object,
    strata: str | None,
    by: str | None,
    received: str | None,
    **computed: Any,  # noqa: ANN401 (other arguments of `effect_arguments`)
) -> EffectRequest:
    """An experiment on purchases that are read with these options, and what is computed of it."""
    asked = effect_arguments(metrics_of(metrics, options), strata=strata, by=by, received=received, **computed)
    read = experiment_arguments(
        options["customer_id"],
        group=group,
        exposed_on=exposed_on,
        start=start,
        days_after=days_after,
        days_before=days_before,
        lag=lag,
        gap=gap,
        on_conflict=on_conflict,
        as_of=as_of,
        every=every,
        passed_on=passed_on(strata, by, received, asked["adjust"][1]),
    )
    ids = arguments.key_names(read["customer_id"])
    return EffectRequest(
        experiment_source(experiment, read),
        read,
        asked,
        scorer_argument(scorer) if COMPUTED & {strata, by} else None,
        [as_source(other, ids) for other in others or ()],
    )


def experiment_source(experiment: Data, read: _core.ExperimentArguments) -> object:
    """The experiment, of which only the columns that are read are decoded."""
    dates = [read["exposed_on"]] if read["start"] is None else []
    groups = [read["group"]] if read["group"] is not None else []
    return as_source(experiment, [*arguments.key_names(read["customer_id"]), *groups, *dates, *read["passed_on"]])


def metrics_of(metrics: Sequence[str] | None, read: _core.ReadOptions) -> Sequence[str]:
    """The metrics, by default those that purchases read so can have."""
    if metrics is not None:
        return metrics
    return METRICS if read["amount"] is not None else ("orders", "active")


def metrics_argument(metrics: object) -> list[tuple[str, str, list[str]]]:
    """Kind, name and columns of each metric."""
    if isinstance(metrics, str | Mean | Proportion | Ratio):
        metrics = [metrics]
    if not isinstance(metrics, Sequence):
        raise InvalidTypeError(f"metrics is {type(metrics).__name__}; expected a list of metrics")
    return [_metric(i, metric) for i, metric in enumerate(metrics)]


def _metric(at: int, metric: object) -> tuple[str, str, list[str]]:
    match metric:
        case str():
            return "named", metric, []
        case Mean(column, name):
            return "mean", name or column, [arguments.name("column", column)]
        case Proportion(column, name):
            return "proportion", name or column, [arguments.name("column", column)]
        case Ratio(numerator, denominator, name):
            columns = [arguments.name("numerator", numerator), arguments.name("denominator", denominator)]
            return "ratio", name or f"{numerator}/{denominator}", columns
    raise InvalidTypeError(
        f"metrics[{at}] is {type(metric).__name__}; expected a name such as 'revenue', or Mean, Proportion or Ratio"
    )


def adjust_argument(adjust: object) -> tuple[str, list[str]]:
    """The kind of adjustment, and its columns."""
    if adjust is None:
        return "none", []
    if isinstance(adjust, str):
        return (adjust, []) if adjust in {"own", "history"} else ("columns", [adjust])
    if isinstance(adjust, Sequence) and not isinstance(adjust, bytes):
        return "columns", [arguments.name("adjust", column) for column in adjust]
    raise InvalidTypeError(f"adjust is {type(adjust).__name__}; expected 'history', 'own', None or names of columns")


def _winsorize(winsorize: Any) -> tuple[float | None, list[tuple[str, float]] | None]:  # noqa: ANN401
    if isinstance(winsorize, Mapping):
        return None, _numbers("winsorize", winsorize)
    return (None if winsorize is None else arguments.number("winsorize", winsorize)), None


def _numbers(argument: str, values: Any) -> list[tuple[str, float]]:  # noqa: ANN401
    if not isinstance(values, Mapping):
        raise InvalidTypeError(f"{argument} is {type(values).__name__}; expected a dict of names to numbers")
    return [(str(name), arguments.number(f"{argument}[{name!r}]", value)) for name, value in values.items()]


def cost_argument(cost: Any) -> tuple[float, float, float]:  # noqa: ANN401
    """The cost of a group: fixed, per contact, per order."""
    if not isinstance(cost, Mapping):
        return arguments.number("cost", cost), 0.0, 0.0
    parts = {"fixed": 0.0, "per_contact": 0.0, "per_order": 0.0}
    for name, value in cost.items():
        if name not in parts:
            raise InvalidArgumentError(f"cost has {name!r}; expected 'fixed', 'per_contact' or 'per_order'")
        parts[name] = arguments.number(f"cost[{name!r}]", value)
    return parts["fixed"], parts["per_contact"], parts["per_order"]
