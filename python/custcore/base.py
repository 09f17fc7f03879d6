"""``custcore.CustomerBase``: what is known of each customer, kept and updated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core, arguments
from custcore.errors import OutOfRangeError
from custcore.inputs import as_of_argument, rows_total, source
from custcore.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custcore._core import ReadOptions
    from custcore.inputs import AsOf, Data, Progress

__all__ = ["CustomerBase"]


def read_options(
    *,
    customer_id: str,
    timestamp: str,
    amount: str | None,
    as_of: AsOf | None,
    returns: str,
    zero_is_purchase: bool,
    amount_decimals: int,
    timezone: str | None,
    on_null: str,
    on_nonfinite: str,
    order_id: str | None = None,
    order_lines: str = "any",
    n_days: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> ReadOptions:
    """How transactions are read, as the core takes it."""
    return {
        "customer_id": arguments.name("customer_id", customer_id),
        "timestamp": arguments.name("timestamp", timestamp),
        "amount": arguments.optional_name("amount", amount),
        "as_of": as_of_argument(as_of),
        "returns": arguments.name("returns", returns),
        "zero_is_purchase": arguments.flag("zero_is_purchase", zero_is_purchase),
        "amount_decimals": _decimals(amount_decimals),
        "timezone": arguments.optional_name("timezone", timezone),
        "on_null": arguments.name("on_null", on_null),
        "on_nonfinite": arguments.name("on_nonfinite", on_nonfinite),
        "order_id": arguments.optional_name("order_id", order_id),
        "order_lines": arguments.name("order_lines", order_lines),
        "n_days": arguments.flag("n_days", n_days),
        "attributes": arguments.pairs("attributes", attributes),
    }


def _decimals(value: object) -> int:
    decimals = arguments.whole("amount_decimals", value)
    if not 0 <= decimals <= 12:
        raise OutOfRangeError(f"amount_decimals={decimals} is outside 0 to 12")
    return decimals


class CustomerBase:
    """The few facts per customer that every analysis asks for: first and last day, orders, money.

    A base is built from transactions batch after batch, in any order; the result is the same, bit for bit, as if they
    had come in one go. A failed update leaves it as it was.

    Parameters
    ----------
    customer_id, timestamp, amount : str
        Names of the columns; ``amount=None`` counts no money.
    returns, zero_is_purchase, amount_decimals, timezone, on_null, on_nonfinite
        As in :func:`custcore.rfm`.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> def day(d, ids, amounts):
    ...     times = [datetime.date(2026, 1, d)] * len(ids)
    ...     return pa.table({"customer_id": ids, "timestamp": times, "amount": amounts})
    >>> base = custcore.CustomerBase()
    >>> base.update(day(1, ["ann", "bob"], [10.0, 20.0]))
    >>> base.update(day(2, ["ann"], [5.5]))
    >>> len(base)
    2
    >>> base.rfm().to_pyarrow().select(["customer_id", "recency_days", "monetary_total"]).to_pylist()
    [{'customer_id': 'ann', 'recency_days': 0, 'monetary_total': 15.5},
     {'customer_id': 'bob', 'recency_days': 1, 'monetary_total': 20.0}]
    """

    __slots__ = ("_core", "_options")

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = "amount",
        returns: Literal["net", "exclude", "count"] = "net",
        zero_is_purchase: bool = True,
        amount_decimals: int = 6,
        timezone: str | None = None,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
    ) -> None:
        self._options = read_options(
            customer_id=customer_id,
            timestamp=timestamp,
            amount=amount,
            as_of=None,
            returns=returns,
            zero_is_purchase=zero_is_purchase,
            amount_decimals=amount_decimals,
            timezone=timezone,
            on_null=on_null,
            on_nonfinite=on_nonfinite,
        )
        self._core = _core.CustomerBase(self._options)

    def update(self, data: Data, *, n_threads: int | None = None, progress: Progress | None = None) -> None:
        """Add transactions.

        Parameters
        ----------
        data
            As in :func:`custcore.rfm`.
        n_threads : int, optional
            As in :func:`custcore.rfm`.
        progress : callable, optional
            As in :func:`custcore.rfm`.

        Raises
        ------
        StateMismatchError
            If ids, times or amounts are of another kind than in earlier updates.
        """
        self._core.update(
            source(data),
            n_threads=arguments.optional_whole("n_threads", n_threads),
            progress=progress,
            rows_total=rows_total(data),
        )

    def rfm(self, as_of: AsOf | None = None, *, sort: bool = True, n_threads: int | None = None) -> Table:
        """The RFM table of the base, with the columns of :func:`custcore.rfm`.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            The day it speaks of, not before the last day in the base (the default).
        sort : bool, default True
            Whether rows ascend by id.
        n_threads : int, optional
            As in :func:`custcore.rfm`.
        """
        return Table(
            self._core.rfm(
                as_of_argument(as_of),
                sort=arguments.flag("sort", sort),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def __len__(self) -> int:
        return len(self._core)

    @property
    def n_rows(self) -> int:
        """Rows it was given."""
        return self._core.rows

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._options.items() if name != "as_of")
        return f"CustomerBase of {len(self):,} customers from {self.n_rows:,} rows, level 'totals' ({shown})"
