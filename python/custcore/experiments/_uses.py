"""What the effects of an experiment are used for: reviews of revenue, and plans of contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from custcore.experiments._result import EffectResult

__all__ = ["contact_options_of", "increments_of"]


def increments_of(result: EffectResult, metric: str) -> list[dict[str, Any]]:
    """What each group added in all."""
    whole = (row for row in result.table() if row["segment"] is None and row["period"] is None)
    rows = [row for row in whole if row["metric"] == metric]
    if not rows:
        raise InvalidArgumentError(f"metric={metric!r} is not among the metrics of this effect")
    return [
        {
            "name": row["group"],
            "customers": row["n_treatment"],
            "revenue": _times(row["effect"], row["n_treatment"]),
            "low": _times(row["low"], row["n_treatment"]),
            "high": _times(row["high"], row["n_treatment"]),
        }
        for row in rows
    ]


def contact_options_of(
    result: EffectResult, share: float, cost: float | Mapping[str, float], metric: str
) -> list[dict[str, Any]]:
    """What a contact is worth in each segment, of which a share of revenue is profit."""
    rows = [row for row in result.segments() if row["metric"] == metric]
    customers = {row["segment"]: row["n_control"] for row in rows}
    for row in rows:
        customers[row["segment"]] += row["n_treatment"]
    options = []
    for row in rows:
        if row["shrunk"] is None:
            continue
        group = row["group"]
        if isinstance(cost, Mapping) and group not in cost:
            raise InvalidArgumentError(f"cost has no group {group!r}; expected the cost of a contact for each group")
        options.append(
            {
                "segment": row["segment"],
                "channel": group,
                "cost": arguments.number("cost", cost[group] if isinstance(cost, Mapping) else cost),
                "value": share * row["shrunk"],
                "value_se": share * row["shrunk_se"],
                "customers": customers[row["segment"]],
            }
        )
    return options


def _times(value: float | None, n: int) -> float | None:
    return None if value is None else value * n
