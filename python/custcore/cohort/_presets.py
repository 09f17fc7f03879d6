"""Applies ``preset=`` of ``custcore.cohort_retention`` to the other options."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

from custcore._input import arguments
from custcore.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["preset_options", "with_presets"]

Function = TypeVar("Function", bound="Callable[..., Any]")


def preset_options(name: object) -> Mapping[str, object]:
    """The options of a preset; none for None.

    Raises
    ------
    InvalidArgumentError
        If the preset is unknown.
    """
    return {} if name is None else PRESETS[arguments.choice("preset", name, PRESETS)]


def with_presets(function: Function) -> Function:
    """Apply ``preset=``; options that are passed explicitly take precedence."""

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:  # noqa: ANN401 (those of the function)
        return function(*args, **{**preset_options(given.get("preset")), **given})

    return cast("Function", call)
