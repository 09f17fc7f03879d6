"""``custcore.CustomerBase``: persistent state per customer, updated incrementally."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing
from custcore._input.read_options import folder, memory, read_options
from custcore.base._analyses import Analyses
from custcore.base._changes import Changes
from custcore.base._clv import LifetimeValue
from custcore.base._experiments import Experiments
from custcore.base._growth import Growth
from custcore.base._lifecycle import Lifecycle
from custcore.base._measures import BaseMeasures
from custcore.base._planning import Planning
from custcore.base._preferences import Preferences
from custcore.base._tracking import Tracking
from custcore.base._value import ValueClasses
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custcore._input.data import TimeZone
    from custcore.result import Report

__all__ = ["CustomerBase"]


class CustomerBase(
    Changes,
    Analyses,
    ValueClasses,
    Preferences,
    Lifecycle,
    LifetimeValue,
    BaseMeasures,
    Experiments,
    Planning,
    Tracking,
    Growth,
):
    """First and last day, orders and money of every customer: kept, updated, merged, saved.

    A base is built from transactions by updates in any order; the result is bitwise equal
    to that of a single update. A failed update leaves it unchanged. ``track`` determines
    which analyses it supports:

    ============ ===================================== =====================================
    ``track``    kept per customer                     supports
    ============ ===================================== =====================================
    ``"totals"`` first and last day, orders, money     RFM and value classes as of the last
                                                       day or later
    ``"days"``   also orders and money of each day     also as of any past day, cohorts,
                                                       transitions, demand classes, life cycle,
                                                       churn, lifetime value, measures,
                                                       changes, acquisition, health
    ``"orders"`` also orders that are not sealed       the same with ``order_id``, if lines
                                                       of an order may come late
    ============ ===================================== =====================================

    Parameters
    ----------
    customer_id : str or list of str, default "customer_id"
        Column of customer ids: integers, strings, binary, or a dictionary of these. A list
        of columns is a composite key, which is null if a part is, and is ordered part by
        part; a single id of it is a tuple. Rows with a null id are left out and reported.
    timestamp : str, default "timestamp"
        Column of dates or timestamps. Rows with a null time are left out and reported.
    amount : str or None, default "amount"
        Column of money: floats, integers or decimals. A null or NaN amount adds 0 and is
        reported. ``None``: money is not read, and the result has no monetary columns.
    order_id : str or list of str, optional
        Column of order ids, or a list of columns, of the same types as customer ids. Lines
        with the same customer and order id form one order, whose amount is their sum and
        whose time is the earliest. A line with a null order id is an order by itself, and
        reported. Default: every row is an order. It needs ``track="orders"``, or
        ``order_lines="adjacent"``.
    track : {"totals", "days", "orders"}, default "totals"
        What is kept, see above.
    attributes : dict of str to {"first", "last"}, optional
        Columns to keep per customer, each with its value at the first or at the last
        purchase; ties go to the smallest value. They may be integers, strings, binary,
        bools, dates, timestamps or floats (NaN is null); results have the same type.
    categories : str, optional
        Column of categories, departments, brands or other values of lines, of the types of
        attributes. The orders, rows, money and last day of each customer with each value
        are kept: for :meth:`preferences`, :meth:`breadth` and
        :class:`custcore.NextCategory`. Rows without a value are reported there.
    promotion : str, optional
        Column of discounts, with ``categories``: a line with true, or with a number above
        0, has one. Rows and money with a discount are kept, too: for
        :meth:`promotion_sensitivity`.
    channel : str, optional
        Column of channels, such as stores: that of an order is the value of its earliest
        line, ties by the smallest. The orders of each customer through each are kept: for
        :meth:`channels`.
    category_days : bool, default False
        Whether categories and channels are kept by day, so that they are known as of past
        days. It needs ``track="days"`` or ``"orders"``.
    n_days : bool, default False
        Whether :meth:`rfm` has the column ``n_days``, the number of distinct days with a
        purchase.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer.
    zero_is_purchase : bool, default True
        Whether an order with amount 0 is a purchase. Orders whose amounts are all null
        always are.
    order_lines : {"any", "adjacent"}, default "any"
        ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
        consecutive lines form an order, with ``track="totals"`` or ``"days"``; such a base
        cannot be merged.
    amount_decimals : int, default 6
        Decimal places, 0 to 12, to which float amounts are rounded when read. Their sums
        are then exact and independent of row order. Amounts that this changes by more than
        1 %, such as those read as 0, are reported.
    timezone : str or tzinfo, optional
        Time zone whose local days count for times with a zone: an IANA name, an offset such
        as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
        are never shifted. Default: the column's own zone.
    on_null : {"drop", "error"}, default "drop"
        Whether a null id, time or amount is reported, or an error that names its row.
    on_nonfinite : {"error", "drop"}, default "error"
        Whether an infinite amount is an error that names its row, or left out and reported.
    late : {"error", "report"}, default "error"
        Whether a line of a sealed order is an error, or left out and reported. The notes on
        rows, such as ``null_amount``, count late lines, too.
    max_memory : int or str, optional
        Bytes, or a text such as ``"4GiB"``, that the base may take in memory, with the work
        on it. The rest is spilled to disk, and results are computed by ranges of ids; they
        are the same. It is kept by :meth:`save` and by pickling. Results and the batches of
        the data are not counted: with what the allocator keeps, the process takes at most
        about 128 MiB more in an update, and 256 MiB in an analysis, in saving and loading.
        Default: no limit.
    spill_dir : str or path, optional
        Where to create the folder of spilled data, which only this user can read and which
        is removed with the base. Folders of processes that were killed are removed, too.
        Default: the system's temporary directory.

    Notes
    -----
    An update first builds a separate state, which is added at the end. Meanwhile it needs
    the memory of a base of its data alone; ``commit_every="batch"`` limits this to about a
    million rows.

    A base may be read and changed by several threads: readers see a consistent state
    between two changes. An update beside a reader copies nothing.

    A change that raises has done nothing, ``KeyboardInterrupt`` included; one that took
    effect returns. So a change that raised can be repeated, except an update with
    ``commit_every="batch"``, whose earlier steps are kept.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> def day(d, ids, amounts):
    ...     times = [datetime.date(2026, 1, d)] * len(ids)
    ...     return pa.table({"customer_id": ids, "timestamp": times, "amount": amounts})
    >>> base = custcore.CustomerBase(track="days")
    >>> base.update(day(1, ["ann", "bob"], [10.0, 20.0]), batch_id="2026-01-01")
    >>> base.update(day(2, ["ann"], [5.5]), batch_id="2026-01-02")
    >>> len(base)
    2
    >>> base.rfm().to_pyarrow().select(
    ...     ["customer_id", "recency_days", "monetary_total"]
    ... ).to_pylist()
    [{'customer_id': 'ann', 'recency_days': 0, 'monetary_total': 15.5},
     {'customer_id': 'bob', 'recency_days': 1, 'monetary_total': 20.0}]
    >>> base.rfm(as_of="2026-01-01").to_pyarrow()["monetary_total"].to_pylist()
    [10.0, 20.0]
    """

    __slots__ = ("_core", "_late", "_options", "_track")

    @proposing
    def __init__(
        self,
        *,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = "amount",
        order_id: str | Sequence[str] | None = None,
        track: Literal["totals", "days", "orders"] = "totals",
        attributes: Mapping[str, Literal["first", "last"]] | None = None,
        categories: str | None = None,
        promotion: str | None = None,
        channel: str | None = None,
        category_days: bool = False,
        n_days: bool = False,
        returns: Literal["net", "exclude", "count"] = "net",
        zero_is_purchase: bool = True,
        order_lines: Literal["any", "adjacent"] = "any",
        amount_decimals: int = 6,
        timezone: TimeZone | None = None,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
        late: Literal["error", "report"] = "error",
        max_memory: int | str | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
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
            order_id=order_id,
            order_lines=order_lines,
            n_days=n_days,
            attributes=attributes,
            categories=categories,
            promotion=promotion,
            channel=channel,
            category_days=category_days,
        )
        self._track, self._late = arguments.name("track", track), arguments.name("late", late)
        self._core = _core.CustomerBase(self._options, self._track, self._late, memory(max_memory), folder(spill_dir))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the base to a file atomically.

        The file is an Arrow file with a row for each customer, ascending by id, and a checksum
        for each of its blocks; equal content gives equal bytes. First rows in the report
        are not kept: they depend on the order of updates.

        Parameters
        ----------
        path : str or path
            Path of the file. An existing file is replaced when the new one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        _ = self._core.save(os.fspath(path)).applied

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        *,
        max_memory: int | str | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> CustomerBase:
        """Read a base from a file that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            The file.
        max_memory : int or str, optional
            The memory limit, as of :class:`CustomerBase`. Default: that of the saved base.
        spill_dir : str or path, optional
            Where to create the folder of spilled data. Default: the system's temporary
            directory.

        Raises
        ------
        ModelFormatError
            If the file is not a base of custcore, or was changed.
        ModelVersionError
            If a newer custcore wrote it.
        """
        return CustomerBase._of(_core.CustomerBase.load(os.fspath(path), memory(max_memory), folder(spill_dir)))

    def to_bytes(self) -> bytes:
        """The bytes of the file that :meth:`save` writes, but for ``max_memory``."""
        return self._core.to_bytes()

    @staticmethod
    def from_bytes(
        data: bytes, *, max_memory: int | str | None = None, spill_dir: str | os.PathLike[str] | None = None
    ) -> CustomerBase:
        """Read a base from the bytes that :meth:`to_bytes` returned.

        Parameters
        ----------
        data : bytes
            The bytes.
        max_memory : int or str, optional
            The memory limit, as of :class:`CustomerBase`. Default: no limit.
        spill_dir : str or path, optional
            Where to create the folder of spilled data. Default: the system's temporary
            directory.

        Raises
        ------
        ModelFormatError
            If the bytes are not a base of custcore, or were changed.
        ModelVersionError
            If a newer custcore wrote them.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidTypeError(
                f"a base is read from bytes, not from {type(data).__name__}; load(path) reads a file"
            )
        return CustomerBase._of(_core.CustomerBase.from_bytes(bytes(data), memory(max_memory), folder(spill_dir)))

    @staticmethod
    def _of(core: _core.CustomerBase) -> CustomerBase:
        """Wrap a base of the core."""
        base = object.__new__(CustomerBase)
        base._core = core
        base._options, base._track, base._late = core.settings()
        return base

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.to_bytes(), self._core.max_memory)

    @property
    def report(self) -> Report:
        """What was excluded from the base so far, and why."""
        return Table(self._core.report()).report

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of this base: ``CustomerBase(**base.settings)`` is an empty one like it."""
        options: dict[str, Any] = {name: value for name, value in self._options.items() if name != "as_of"}
        options["attributes"] = dict(self._options["attributes"]) or None
        return {**options, "track": self._track, "late": self._late, "max_memory": self._core.max_memory}

    @property
    def track(self) -> str:
        """The tracking level: "totals", "days" or "orders"."""
        return self._track

    @property
    def n_rows(self) -> int:
        """Number of rows read."""
        return self._core.rows

    @property
    def nbytes(self) -> int:
        """Approximate memory of its state in bytes."""
        return self._core.nbytes

    @property
    def nbytes_on_disk(self) -> int:
        """Bytes on disk because of ``max_memory``."""
        return self._core.spilled

    @property
    def batch_ids(self) -> list[str]:
        """The ids of the batches loaded, ascending."""
        return self._core.batches

    @property
    def sealed_before(self) -> date | None:
        """The day before which orders are sealed."""
        return _date(self._core.sealed)

    @property
    def last_date(self) -> date | None:
        """The last day among rows that have an id and a time."""
        return _date(self._core.last_day)

    def __copy__(self) -> CustomerBase:
        return CustomerBase._of(self._core.copy())

    def __deepcopy__(self, memo: object) -> CustomerBase:
        return self.__copy__()

    def __len__(self) -> int:
        return len(self._core)

    def __bool__(self) -> bool:
        # Without this, a base without customers would be false.
        return True

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self._options.items() if name not in _SHOWN_IF_SET or value]
        if self._core.max_memory is not None:
            shown.append(f"max_memory={self._core.max_memory}")
        # The customers on disk may not have been counted yet.
        customers, is_exact = self._core.customers
        number = f"{customers:,}" if is_exact else f"up to {customers:,}"
        level = f"level {self._track!r}"
        return f"CustomerBase of {number} customers from {self.n_rows:,} rows, {level} ({', '.join(shown)})"


#: Options that are in the repr of a base only if they are set.
_SHOWN_IF_SET = {"as_of", "categories", "promotion", "channel", "category_days"}


def _restored(data: bytes, max_memory: int | None) -> CustomerBase:
    """A base from its pickled form."""
    return CustomerBase.from_bytes(data, max_memory=max_memory)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
