"""Stages from transactions in one call: a base that is kept no longer than the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore.base import CustomerBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._input.data import AsOf, Data, Progress
    from custcore._input.ids import Id
    from custcore._lifecycle.model import LifecycleModel
    from custcore.result import Table

__all__ = ["base_of", "stages_of"]


def base_of(
    data: Data,
    *,
    n_threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 (those of a base)
) -> CustomerBase:
    """A base of the data that looks back, of the lowest level that can."""
    lines = options.get("order_id") is not None and options.get("order_lines", "any") == "any"
    base = CustomerBase(track="orders" if lines else "days", **options)
    base.update(data, n_threads=n_threads, progress=progress)
    return base


def stages_of(
    data: Data,
    model: LifecycleModel | None = None,
    prospects: Data | Iterable[Id] | None = None,
    *,
    lang: str = "en",
    as_of: AsOf | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 (those of a base)
) -> Table:
    """The stages of :meth:`custcore.CustomerBase.lifecycle`."""
    base = base_of(data, n_threads=n_threads, progress=progress, **options)
    return base.lifecycle(as_of, model, prospects, lang=lang, n_threads=n_threads)  # type: ignore[arg-type]
