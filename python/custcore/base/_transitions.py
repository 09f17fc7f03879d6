"""Arguments and results of :meth:`custcore.CustomerBase.transitions` and ``stays``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.dates import listed_dates
from custcore._rfm import RFMScorer
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._input.data import AsOf

__all__ = ["stays", "transitions"]


def transitions(
    base: _core.CustomerBase, dates: Iterable[AsOf], scorer: RFMScorer, edges: str, n_threads: int | None
) -> Table:
    """Customers, revenue and share of every pair of segments between consecutive dates."""
    return Table(
        _core.transitions(
            base,
            listed_dates(dates),
            _scorer(scorer),
            edges=arguments.name("edges", edges),
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )


def stays(
    base: _core.CustomerBase, dates: Iterable[AsOf], scorer: RFMScorer, edges: str, n_threads: int | None
) -> Table:
    """The time that customers spend in each segment."""
    return Table(
        _core.stays(
            base,
            listed_dates(dates),
            _scorer(scorer),
            edges=arguments.name("edges", edges),
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )


def _scorer(scorer: RFMScorer) -> _core.RfmScorer:
    if not isinstance(scorer, RFMScorer):
        raise InvalidTypeError(f"scorer is {type(scorer).__name__}; expected an RFMScorer")
    return scorer._core
