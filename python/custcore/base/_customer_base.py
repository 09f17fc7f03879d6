"""``custcore.CustomerBase``: what is known of each customer, kept and updated."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._options.read import memory, read_options
from custcore.base._analyses import Analyses
from custcore.base._changes import Changes
from custcore.errors import InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custcore.result import Report

__all__ = ["CustomerBase"]


class CustomerBase(Changes, Analyses):
    """The few facts per customer that every analysis asks for: first and last day, orders, money; kept and updated.

    A base is built from transactions update after update, in any order; the result is the same, bit for bit, as if they
    had come in one go. A failed update leaves it as it was. What it can be asked depends on what it keeps:

    ============ ============================================ ==========================================================
    ``track``    kept                                         answers
    ============ ============================================ ==========================================================
    ``"totals"`` per customer: first, last, orders, money     RFM as of the last day or later
    ``"days"``   and what happened on each of his days        RFM as of any past day, cohorts, transitions
    ``"orders"`` and the orders whose lines may still come    the same, with ``order_id`` and lines that come late
    ============ ============================================ ==========================================================

    Parameters
    ----------
    customer_id, timestamp, amount, order_id : str
        Names of the columns; ``amount=None`` counts no money; without ``order_id`` every row is an order.
    track : {"totals", "days", "orders"}
        What is kept. With ``order_id`` it is ``"orders"``; where the lines of an order follow each other,
        ``order_lines="adjacent"`` goes with ``"totals"`` and ``"days"`` (and without :meth:`merge`).
    attributes : dict of str to {"first", "last"}, optional
        Columns whose value at the first or last purchase rides along.
    n_days : bool, default False
        Whether :meth:`rfm` counts distinct purchase days.
    late : {"error", "report"}
        What a line means whose order was sealed: an error, or a row that is left out and counted in the report.
    returns, zero_is_purchase, order_lines, amount_decimals, timezone, on_null, on_nonfinite
        As in :func:`custcore.rfm`.
    max_memory : int or str, optional
        Bytes, or a text such as ``"4GiB"``, that the base may take. What exceeds it goes to a folder, and :meth:`rfm`,
        ``len()`` and :attr:`report` are then made range by range of ids; their results are the same. What needs the
        whole base at once raises ``MemoryLimitError``. Results themselves are not counted. Default: no limit.
    spill_dir : str or path, optional
        Where to make that folder, which goes with the base. Default: the system's temporary directory.

    Notes
    -----
    An update is folded into a state of its own first, which is added at the end. So it takes, while it runs, the memory
    of what the update alone would need as a base; ``commit_every="batch"`` needs that of a million rows only.

    A base may be read and changed by several threads: readers see it as it stands between two changes.

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
    >>> base.rfm().to_pyarrow().select(["customer_id", "recency_days", "monetary_total"]).to_pylist()
    [{'customer_id': 'ann', 'recency_days': 0, 'monetary_total': 15.5},
     {'customer_id': 'bob', 'recency_days': 1, 'monetary_total': 20.0}]
    >>> base.rfm(as_of="2026-01-01").to_pyarrow()["monetary_total"].to_pylist()
    [10.0, 20.0]
    """

    __slots__ = ("_core", "_late", "_options", "_track")

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = "amount",
        order_id: str | None = None,
        track: Literal["totals", "days", "orders"] = "totals",
        attributes: Mapping[str, str] | None = None,
        n_days: bool = False,
        returns: Literal["net", "exclude", "count"] = "net",
        zero_is_purchase: bool = True,
        order_lines: Literal["any", "adjacent"] = "any",
        amount_decimals: int = 6,
        timezone: str | None = None,
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
        )
        self._track, self._late = arguments.name("track", track), arguments.name("late", late)
        folder = None if spill_dir is None else os.fspath(spill_dir)
        self._core = _core.CustomerBase(self._options, self._track, self._late, memory(max_memory), folder)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the base to a file, whole or not at all.

        The file is an Arrow file with a row for each customer, ascending by id, and a checksum for each of its blocks;
        the same content gives the same bytes. First rows in the report are not kept: they depend on the order of
        updates.

        Parameters
        ----------
        path : str or path
            Where to; a file that is there stands until the new one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._core.save(os.fspath(path))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> CustomerBase:
        """Read a base from a file that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        ModelFormatError
            If the file is no base of custcore, or not as it was written.
        ModelVersionError
            If a newer custcore wrote it.
        """
        return CustomerBase._of(_core.CustomerBase.load(os.fspath(path)))

    def to_bytes(self) -> bytes:
        """The bytes of the file that :meth:`save` writes."""
        return self._core.to_bytes()

    @staticmethod
    def from_bytes(data: bytes) -> CustomerBase:
        """Read a base from the bytes of :meth:`to_bytes`.

        Parameters
        ----------
        data : bytes
            The bytes.

        Raises
        ------
        ModelFormatError, ModelVersionError
            As in :meth:`load`.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidTypeError(
                f"a base is read from bytes, not from {type(data).__name__}; load(path) reads a file"
            )
        return CustomerBase._of(_core.CustomerBase.from_bytes(bytes(data)))

    @staticmethod
    def _of(core: _core.CustomerBase) -> CustomerBase:
        """A base around one of the core."""
        base = object.__new__(CustomerBase)
        base._core = core
        base._options, base._track, base._late = core.settings()
        return base

    def __reduce__(self) -> tuple[object, ...]:
        return CustomerBase.from_bytes, (self.to_bytes(),)

    @property
    def report(self) -> Report:
        """What was left out of the base so far, and why."""
        return Table(self._core.report()).report

    @property
    def track(self) -> str:
        """What is kept: "totals", "days" or "orders"."""
        return self._track

    @property
    def n_rows(self) -> int:
        """Rows it was given."""
        return self._core.rows

    @property
    def nbytes(self) -> int:
        """Bytes of memory that its state takes, about."""
        return self._core.nbytes

    @property
    def nbytes_on_disk(self) -> int:
        """Bytes that exceeded ``max_memory`` and lie on disk."""
        return self._core.spilled

    @property
    def batch_ids(self) -> list[str]:
        """The names of the batches it was given, ascending."""
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
        # A base without customers is a base.
        return True

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._options.items() if name != "as_of")
        return f"CustomerBase of {len(self):,} customers from {self.n_rows:,} rows, level {self._track!r} ({shown})"


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
