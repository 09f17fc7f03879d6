"""How ``preset=`` of ``custcore.cohort_retention`` stands for the options that it sets."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

from custcore._input import arguments
from custcore.errors import InvalidArgumentError
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
        If there is no such preset.
    """
    word = arguments.optional_name("preset", name)
    if word is None:
        return {}
    if word not in PRESETS:
        raise InvalidArgumentError(f"preset={word!r} is unknown; choose one of {', '.join(map(repr, PRESETS))}")
    return PRESETS[word]


def with_presets(function: Function) -> Function:
    """Let ``preset=`` stand for the options that it sets; an option that is given by hand wins."""

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:  # noqa: ANN401 (those of the function)
        return function(*args, **{**preset_options(given.get("preset")), **given})

    return cast("Function", call)
