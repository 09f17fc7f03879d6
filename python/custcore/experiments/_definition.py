"""The settings of an effect in words that a person and a program can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custcore import _core

__all__ = ["definition_of"]


def definition_of(asked: _core.EffectArguments, experiment: _core.ExperimentArguments | None = None) -> dict[str, Any]:
    """The settings, those of windows first if there are any."""
    definition: dict[str, Any] = {}
    if experiment is not None:
        definition = {name: experiment[name] for name in ("days_after", "days_before", "lag", "gap", "every")}
    kind, columns = asked["adjust"]
    definition["metrics"] = [name for _, name, _ in asked["metrics"]]
    definition["adjust"] = None if kind == "none" else columns if kind == "columns" else kind
    for name in (
        "control",
        "strata",
        "by",
        "min_stratum",
        "alternative",
        "level",
        "correction",
        "primary",
        "sequential",
    ):
        definition[name] = asked[name]
    definition["winsorize"] = asked["winsorize"] if asked["caps"] is None else dict(asked["caps"])
    return definition
