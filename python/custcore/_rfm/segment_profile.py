"""``custcore.profile``: size, revenue and averages of the segments of a scored table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing
from custcore.errors import ColumnNotFoundError
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import Data

__all__ = ["FREQUENCY", "MONETARY", "profile"]

FREQUENCY = {"orders": "n_orders", "days": "n_days", "rows": "n_rows"}
MONETARY = {"total": "monetary_total", "mean": "monetary_mean"}


@proposing
def profile(
    scored: Data,
    *,
    by: str = "segment",
    frequency: Literal["orders", "days", "rows"] = "orders",
    monetary: Literal["total", "mean"] = "total",
    n_threads: int | None = None,
) -> Table:
    """Per segment: customers, revenue, and means and medians of recency, frequency and money.

    Parameters
    ----------
    scored : table
        The result of :func:`custcore.rfm_scores`, or any table with ``recency_days``,
        ``n_orders`` and ``monetary_total``.
    by : str, default "segment"
        Column of segments: strings, integers, or a dictionary, whose order the rows keep
        (segments without customers are shown with 0 customers).
    frequency : {"orders", "days", "rows"}, default "orders"
        Whether F is ``n_orders``, ``n_days`` or ``n_rows``.
    monetary : {"total", "mean"}, default "total"
        Whether M is ``monetary_total`` or ``monetary_mean``.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        The segment, ``customers`` (int64), ``share`` of all customers, ``revenue`` and
        ``revenue_share`` (float64; the sum of ``monetary_total``), then ``recency_mean``,
        ``recency_median``, ``frequency_mean``, ... (float64; null without customers).
        Without money there are no columns of money.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> days = [datetime.date(2026, 1, d) for d in (1, 5, 9, 13, 17)]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3, 4, 5],
    ...         "timestamp": days,
    ...         "amount": [9.0, 7.0, 5.0, 3.0, 1.0],
    ...     }
    ... )
    >>> table = custcore.profile(custcore.rfm_scores(orders)).to_pyarrow()
    >>> [
    ...     row
    ...     for row in table.select(["segment", "customers", "revenue"]).to_pylist()
    ...     if row["customers"]
    ... ]
    [{'segment': 'hibernating', 'customers': 2, 'revenue': 16.0},
     {'segment': 'about_to_sleep', 'customers': 1, 'revenue': 5.0},
     {'segment': 'promising', 'customers': 1, 'revenue': 3.0},
     {'segment': 'new_customers', 'customers': 1, 'revenue': 1.0}]
    """
    columns = ["recency_days", FREQUENCY.get(frequency, frequency), MONETARY.get(monetary, monetary)]
    by = arguments.name("by", by)
    read = as_source(scored, [by, *columns[:2]], optional=columns[2:])
    try:
        return Table(_core.profile_table(read, by, columns, n_threads=n_threads))
    except ColumnNotFoundError as error:
        if error.column != by or by != "segment":
            raise
        hint = "run custcore.rfm_scores first, or name the column of segments: by=..."
        raise ColumnNotFoundError(f"{error}. If the customers have no segments yet, {hint}", column=by) from None
