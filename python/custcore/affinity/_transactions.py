"""Preferences from transactions in one call: a base that is kept no longer than the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore._lifecycle.transactions import base_of

if TYPE_CHECKING:
    from custcore._input.data import AsOf, Data, Progress
    from custcore.result import Table

__all__ = ["preferences_of"]


def preferences_of(
    data: Data,
    categories: str,
    measure: str = "spend",
    *,
    prior_orders: float = 5,
    as_of: AsOf | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 (those of a base)
) -> Table:
    """The preferences of :meth:`custcore.CustomerBase.preferences`."""
    base = base_of(
        data,
        categories=categories,
        category_days=as_of is not None,
        n_threads=n_threads,
        progress=progress,
        **options,
    )
    return base.preferences(measure, prior_orders=prior_orders, as_of=as_of, n_threads=n_threads)  # type: ignore[arg-type]
