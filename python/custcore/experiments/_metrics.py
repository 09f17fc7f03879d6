"""Metrics of the columns of a table with a row for each customer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mean", "Metric", "Proportion", "Ratio"]


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a column.

    Parameters
    ----------
    column : str
        A numeric column.
    name : str, optional
        Its name in results. Default: ``column``.

    Examples
    --------
    >>> from custcore.experiments import Mean
    >>> Mean("revenue_after")
    Mean(column='revenue_after', name=None)
    """

    column: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Proportion:
    """The share of customers for whom a column is 1.

    Parameters
    ----------
    column : str
        A column of 0 and 1, or of booleans.
    name : str, optional
        Its name in results. Default: ``column``.

    Examples
    --------
    >>> from custcore.experiments import Proportion
    >>> Proportion("active_after", "active").name
    'active'
    """

    column: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """The sum of a column by the sum of another, such as revenue by orders.

    Parameters
    ----------
    numerator, denominator : str
        Numeric columns.
    name : str, optional
        Its name in results. Default: both columns, with a slash between them.

    Examples
    --------
    >>> from custcore.experiments import Ratio
    >>> Ratio("revenue_after", "orders_after", name="average_order_value")
    Ratio(numerator='revenue_after', denominator='orders_after', name='average_order_value')
    """

    numerator: str
    denominator: str
    name: str | None = None


Metric = Mean | Proportion | Ratio
