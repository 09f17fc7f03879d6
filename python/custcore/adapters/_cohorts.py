"""A result of cohorts whose tables are frames of one library."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, cast

from custcore.adapters._forward import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from custcore.cohort import CohortRetention
    from custcore.result import Report, Table

__all__ = ["FrameCohorts", "forward_cohorts"]

P = ParamSpec("P")
Frame = TypeVar("Frame")


class FrameCohorts(Generic[Frame]):
    """:class:`custcore.CohortRetention`, whose tables come as frames of the library that the data came from.

    Parameters
    ----------
    result
        What was computed.
    convert
        Makes a frame of a table.
    remarks
        Remarks on the way in, for the report.
    """

    __slots__ = ("_convert", "_remarks", "result")

    def __init__(self, result: CohortRetention, convert: Callable[[Table], Frame], remarks: Iterable[str] = ()) -> None:
        self.result = result
        self._convert = convert
        self._remarks = tuple(remarks)

    def to_table(self) -> Frame:
        """The long table: :meth:`custcore.CohortRetention.to_table`."""
        return self._convert(self.result.to_table())

    def matrix(self, value: str = "rate") -> Frame:
        """The wide table: :meth:`custcore.CohortRetention.matrix`."""
        return self._convert(self.result.matrix(value))

    def average(self, kind: Literal["pooled", "simple"] = "pooled") -> Frame:
        """The average of complete cells: :meth:`custcore.CohortRetention.average`."""
        return self._convert(self.result.average(kind))

    def movement(self) -> Frame:
        """Customers per period: :meth:`custcore.CohortRetention.movement`."""
        return self._convert(self.result.movement())

    def revenue_retention(self, *, reactivation: bool = False) -> Frame:
        """Revenue per period: :meth:`custcore.CohortRetention.revenue_retention`."""
        return self._convert(self.result.revenue_retention(reactivation=reactivation))

    def customers(self) -> Frame:
        """The cohort of every customer: :meth:`custcore.CohortRetention.customers`."""
        return self._convert(self.result.customers())

    def rfm(self) -> Frame:
        """RFM from the same scan: :meth:`custcore.CohortRetention.rfm`."""
        return self._convert(self.result.rfm())

    @property
    def definition(self) -> str:
        """What was computed, in words."""
        return self.result.definition

    @property
    def report(self) -> Report:
        """What was left out and why."""
        report = self.result.report
        return dataclasses.replace(report, remarks=(*report.remarks, *self._remarks))

    def __repr__(self) -> str:
        return repr(self.result)

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


def forward_cohorts(
    function: Callable[Concatenate[Any, P], CohortRetention],
) -> Callable[[Callable[..., FrameCohorts[Frame]]], Callable[Concatenate[Any, P], FrameCohorts[Frame]]]:
    """Mark a method that takes the arguments of ``function``, and document it by them."""

    def mark(method: Callable[..., FrameCohorts[Frame]]) -> Callable[Concatenate[Any, P], FrameCohorts[Frame]]:
        describe(method, function)
        return cast("Callable[Concatenate[Any, P], FrameCohorts[Frame]]", method)

    return mark
