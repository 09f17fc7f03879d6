"""A cohort result whose tables are frames of a dataframe library."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from custcore.cohort import CohortRetention
    from custcore.result import Report, Table

__all__ = ["FrameCohorts"]

Frame = TypeVar("Frame")


class FrameCohorts(Generic[Frame]):
    """:class:`custcore.CohortRetention` whose tables are frames of the library of the data.

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
        self.result: CohortRetention = result
        self._convert = convert
        self._remarks = tuple(remarks)

    def to_table(self) -> Frame:
        """The long table: :meth:`custcore.CohortRetention.to_table`."""
        return self._convert(self.result.to_table())

    def matrix(self, value: str = "rate") -> Frame:
        """The wide table: :meth:`custcore.CohortRetention.matrix`.

        Parameters
        ----------
        value : str, default "rate"
            The column of the long table that it holds.
        """
        return self._convert(self.result.matrix(value))

    def average(self, kind: Literal["pooled", "simple"] = "pooled") -> Frame:
        """The average of complete cells: :meth:`custcore.CohortRetention.average`.

        Parameters
        ----------
        kind : {"pooled", "simple"}, default "pooled"
            Sum of customers / sum of eligible, or the mean of the rates.
        """
        return self._convert(self.result.average(kind))

    def movement(self) -> Frame:
        """Customers per period: :meth:`custcore.CohortRetention.movement`."""
        return self._convert(self.result.movement())

    def revenue_retention(self, *, reactivation: bool = False) -> Frame:
        """Revenue per period: :meth:`custcore.CohortRetention.revenue_retention`.

        Parameters
        ----------
        reactivation : bool, default False
            Whether the revenue of customers who come back counts in ``nrr``.
        """
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
        """What was excluded and why."""
        report = self.result.report
        return dataclasses.replace(report, remarks=(*report.remarks, *self._remarks))

    def __repr__(self) -> str:
        return repr(self.result)

    def _repr_html_(self) -> str:
        return self.result._repr_html_()
