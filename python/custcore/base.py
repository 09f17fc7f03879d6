"""``custcore.CustomerBase``: what is known of each customer, kept and updated."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from custcore import _core, arguments
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.inputs import as_of_argument, rows_total, source
from custcore.reading import memory, read_options
from custcore.table import Table
from custcore.transitions import stays, transitions

if TYPE_CHECKING:
    from custcore._core import ReadOptions
    from custcore.inputs import AsOf, Data, Progress
    from custcore.report import Report
    from custcore.retention import CohortRetention
    from custcore.scorer import RFMScorer

__all__ = ["CustomerBase"]

Id: TypeAlias = "int | str | bytes"


class CustomerBase:
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

    def update(
        self,
        data: Data,
        *,
        batch_id: str | None = None,
        commit_every: Literal["update", "batch"] = "update",
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Add transactions.

        Parameters
        ----------
        data
            As in :func:`custcore.rfm`.
        batch_id : str, optional
            A name for the data, such as their date or file: the same name a second time is refused.
        commit_every : {"update", "batch"}
            ``"update"``: all of the data, or after an error none. ``"batch"``: what was read is kept even if a later
            batch fails, about a million rows at a time; for streams without an end. It takes no ``batch_id``.
        n_threads : int, optional
            As in :func:`custcore.rfm`.
        progress : callable, optional
            As in :func:`custcore.rfm`.

        Raises
        ------
        DuplicateBatchError
            If data of this ``batch_id`` were loaded already.
        StateMismatchError
            If ids, times or amounts are of another kind than in earlier updates, or a line comes too late.
        """
        batch = arguments.optional_name("batch_id", batch_id)
        threads = arguments.optional_whole("n_threads", n_threads)
        every = arguments.name("commit_every", commit_every)
        if every not in {"update", "batch"}:
            raise InvalidArgumentError(f"commit_every={every!r} is unknown; choose one of 'update', 'batch'")
        if every == "update":
            self._core.update(
                source(data), batch_id=batch, n_threads=threads, progress=progress, rows_total=rows_total(data)
            )
        elif batch is None:
            self._core.update_by_batch(source(data), n_threads=threads, progress=progress, rows_total=rows_total(data))
        else:
            raise InvalidArgumentError(
                "batch_id= names data that are loaded all or not at all; with commit_every='batch' leave it out"
            )

    def merge(self, other: CustomerBase) -> None:
        """Add what another base knows, which stays as it is.

        The order of merges does not matter, and merging the bases of two parts of the data is the base of both.

        Parameters
        ----------
        other : CustomerBase
            A base of the same settings. No batch may be in both.

        Raises
        ------
        StateMismatchError
            If settings, levels or types are unlike; the message tells which.
        DuplicateBatchError
            If a ``batch_id`` is in both.
        """
        if not isinstance(other, CustomerBase):
            raise InvalidTypeError(f"other is {type(other).__name__}; expected a CustomerBase")
        self._core.merge(other._core)

    def seal(self, before: AsOf) -> None:
        """Close the orders whose lines all lie before a day; for ``track="orders"``.

        They become purchases or refunds of their days, and their ids are forgotten, which makes the base smaller. A
        line before that day is then an error (or counted, see ``late``) unless its order is still open.

        Parameters
        ----------
        before : date, datetime or str
            The first day whose lines may still come.
        """
        kind, value = as_of_argument(before) or ("", 0)
        if kind != "date":
            raise InvalidTypeError(f"before={before!r}: expected a date, or its ISO text such as '2026-01-31'")
        self._core.seal(value)

    def relabel(self, mapping: Mapping[Id, Id] | Iterable[tuple[Id, Id]]) -> None:
        """Give customers another id, all at once; who has the new id already is the same person from now on.

        The base is then what it would be if the data had come with the new ids. Old ids that are not there are passed
        over.

        Parameters
        ----------
        mapping : dict of old to new id, or pairs of them
            Ids as they are in the data: int, str or bytes. ``{1: 2, 2: 1}`` swaps two customers.
        """
        pairs = _listed("mapping", mapping.items() if isinstance(mapping, Mapping) else mapping)
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InvalidTypeError(
                    f"mapping has {pair!r} in it; expected a dict of old to new ids, or pairs of them"
                )
        self._core.relabel([(_plain(old), _plain(new)) for old, new in pairs])

    def remove(self, ids: Iterable[Id]) -> int:
        """Erase customers: nothing of them stays but their number of orders and money in the report.

        Parameters
        ----------
        ids : iterable of ids
            Ids as they are in the data; those that are not there are passed over.

        Returns
        -------
        int
            How many customers there were.
        """
        if isinstance(ids, str | bytes):
            raise InvalidTypeError(f"ids={ids!r} is one id; pass a list of ids")
        return self._core.remove([_plain(id_) for id_ in _listed("ids", getattr(ids, "tolist", lambda: ids)())])

    def rfm(self, as_of: AsOf | None = None, *, sort: bool = True, n_threads: int | None = None) -> Table:
        """The RFM table of the base, with the columns of :func:`custcore.rfm`.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            The day it speaks of; the default is the last day in the base. With ``track="days"`` or ``"orders"`` it may
            be any day: the table is that of :func:`custcore.rfm` with this ``as_of``.
        sort : bool, default True
            Whether rows ascend by id.
        n_threads : int, optional
            As in :func:`custcore.rfm`.

        Raises
        ------
        StateMismatchError
            If ``as_of`` lies before the last day in a base of level ``"totals"``.
        """
        return Table(
            self._core.rfm(
                as_of_argument(as_of),
                sort=arguments.flag("sort", sort),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def cohort_retention(
        self,
        *,
        period: str = "month",
        cohort_period: str | None = None,
        period_mode: Literal["calendar", "elapsed"] = "calendar",
        return_criteria: Literal["on", "on_or_after", "on_or_before", "every"] = "on",
        brackets: Iterable[int] | None = None,
        horizon: int | None = None,
        cohort_by: str = "first",
        by: str | None = None,
        min_occurrences: int = 1,
        week_start: str = "monday",
        fiscal_year_start: int = 1,
        as_of: AsOf | None = None,
        observation_start: AsOf | None = None,
        observation_end: AsOf | None = None,
        n_periods: int | None = None,
        rfm: bool = False,
        n_threads: int | None = None,
    ) -> CohortRetention:
        """Cohort retention of the base, as :func:`custcore.cohort_retention` of all its rows.

        It needs level "days" or "orders".

        Parameters
        ----------
        period, cohort_period, period_mode, return_criteria, brackets, horizon, min_occurrences, week_start
            As in :func:`custcore.cohort_retention`.
        fiscal_year_start, n_periods, rfm, n_threads
            As in :func:`custcore.cohort_retention`.
        cohort_by, by : str
            As there; a column must be among the attributes of the base, as ``"first"``.
        as_of, observation_start, observation_end : date or str, optional
            As there, but dates: a base keeps no times.

        Returns
        -------
        CohortRetention
            As from :func:`custcore.cohort_retention`.

        Raises
        ------
        StateMismatchError
            If the base keeps totals only, or not the column asked for.
        """
        from custcore.cohort_options import cohort_options
        from custcore.retention import CohortRetention

        options = cohort_options(
            customer_id=self._options["customer_id"],
            as_of=as_of,
            period=period,
            cohort_period=cohort_period,
            period_mode=period_mode,
            return_criteria=return_criteria,
            brackets=brackets,
            horizon=horizon,
            cohort_by=cohort_by,
            by=by,
            start=None,
            returning=None,
            min_occurrences=min_occurrences,
            week_start=week_start,
            fiscal_year_start=fiscal_year_start,
            observation_start=observation_start,
            observation_end=observation_end,
            n_periods=n_periods,
            rfm=rfm,
        )
        threads = arguments.optional_whole("n_threads", n_threads)
        day = as_of_argument(as_of)
        read: ReadOptions = {**self._options, "as_of": day}
        return CohortRetention(self._core.cohort_retention(options, day, n_threads=threads), read, options, None)

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

    def transitions(
        self,
        dates: Iterable[AsOf],
        scorer: RFMScorer,
        *,
        edges: Literal["frozen", "refit"] = "frozen",
        n_threads: int | None = None,
    ) -> Table:
        """How customers move between segments, date after date: the table behind a Sankey picture.

        Who is a buyer at a date, and how many orders and how much money he has by then, is what :meth:`rfm` says as of
        that date. Customers and revenue of the rows of one ``to_date`` sum to the customers and the money of its table.

        Parameters
        ----------
        dates : list of date, datetime or str
            At least two, ascending; customers are followed from each to the next. Dates before the last one in the base
            need level "days" or "orders". Before any purchase there is nobody.
        scorer : RFMScorer
            A scorer with segments. It is not changed.
        edges : {"frozen", "refit"}
            ``"frozen"``: one ruler for all dates, so that only customers move: a fitted scorer as it is, an unfitted
            one fitted at the first date. ``"refit"``: fitted anew at each date, so that customers move also because
            others do.
        n_threads : int, optional
            As in :func:`custcore.rfm`.

        Returns
        -------
        Table
            One row for each pair of segments that has customers: ``from_date``, ``to_date`` (date32), ``from_segment``
            (null: no buyer yet), ``to_segment``, ``customers`` (int64), ``revenue`` (the money that these customers
            have spent by ``to_date``, in the type of ``monetary_total``; left out where no money is counted), ``share``
            (float64: of all who were in ``from_segment`` at ``from_date``; of all new ones for null) and ``scorer``
            ("frozen" or "refit"). Rows are ordered by dates, then by the segments in the order of their map, null
            first. The report is that of the last date. Where lines of an order that come later turn it into a refund, a
            customer can be a buyer at one date and none at the next: he is in no row then, and a remark tells.

        Raises
        ------
        InvalidArgumentError
            If dates are fewer than two or do not ascend, or the scorer has no segments.
        StateMismatchError
            If a date is earlier than the base can look back.
        NotEnoughDataError
            If an unfitted scorer is to be fitted at a first date before any purchase.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> days = [datetime.date(2026, month, day) for month, day in ((1, 20), (1, 28), (2, 25), (2, 27))]
        >>> base = custcore.CustomerBase(track="days")
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [5.0, 7.5, 20.0, 1.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> awake = custcore.SegmentMap([("awake", 2, None), ("asleep", 1, None)], bins=(2, 2))
        >>> scorer = custcore.RFMScorer(cuts={"recency": [14], "frequency": [1]}, segments=awake)
        >>> moves = base.transitions(["2026-01-31", "2026-02-28"], scorer).to_pandas()
        >>> moves[["from_segment", "to_segment", "customers", "revenue", "share"]].astype(object).values.tolist()
        [[nan, 'awake', 1, 1.0, 1.0], ['awake', 'awake', 1, 25.0, 0.5], ['awake', 'asleep', 1, 7.5, 0.5]]
        """
        return transitions(self._core, dates, scorer, edges, n_threads)

    def stays(
        self,
        dates: Iterable[AsOf],
        scorer: RFMScorer,
        *,
        edges: Literal["frozen", "refit"] = "frozen",
        n_threads: int | None = None,
    ) -> Table:
        """How long customers stay in each segment, as seen on some dates.

        A spell begins at the first date at which a customer is in the segment (at the first of all dates nobody knows
        how long he has been there already) and ends at the first later one at which he is not. It lasts the days
        between these two; one that is still open at the last date is censored there. The closer the dates, the finer
        the lengths.

        Parameters
        ----------
        dates, scorer, edges, n_threads
            As in :meth:`transitions`.

        Returns
        -------
        Table
            One row for each segment of the map, also where nobody was ever in it: ``segment``, ``customers`` (distinct
            ones who were in it at one of the dates), ``spells``, ``ended``, ``open`` (int64), ``mean_days`` and
            ``median_days`` (float64) of the Kaplan-Meier curve of lengths. The mean is restricted to the longest spell,
            ended or open; null where no spell lasted from one date to another. The median is the shortest length at
            which the curve is at most 1/2; null where it stays above. The report is that of the last date.

        Raises
        ------
        InvalidArgumentError, StateMismatchError, NotEnoughDataError
            As in :meth:`transitions`.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> days = [datetime.date(2026, month, day) for month, day in ((1, 20), (1, 28), (2, 25), (2, 27))]
        >>> base = custcore.CustomerBase(track="days")
        >>> ids, amounts = ["ann", "bob", "ann", "cleo"], [5.0, 7.5, 20.0, 1.0]
        >>> base.update(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
        >>> awake = custcore.SegmentMap([("awake", 2, None), ("asleep", 1, None)], bins=(2, 2))
        >>> scorer = custcore.RFMScorer(cuts={"recency": [14], "frequency": [1]}, segments=awake)
        >>> stays = base.stays(["2026-01-31", "2026-02-28", "2026-03-31"], scorer)
        >>> stays.to_pyarrow().select(["segment", "spells", "ended", "mean_days", "median_days"]).to_pylist()
        [{'segment': 'awake', 'spells': 3, 'ended': 3, 'mean_days': 39.333333333333336, 'median_days': 31.0},
         {'segment': 'asleep', 'spells': 3, 'ended': 0, 'mean_days': 31.0, 'median_days': None}]
        """
        return stays(self._core, dates, scorer, edges, n_threads)

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


def _listed(name: str, values: object) -> list[Any]:
    """The values of something that can be gone through."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise InvalidTypeError(f"{name}={values!r}: expected several ids, for instance in a list")
    return list(values)


def _plain(value: object) -> int | str | bytes:
    """An id of numpy's as Python's own."""
    if isinstance(value, int | str | bytes) and not isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy":
        return _plain(value.item())  # type: ignore[attr-defined]
    raise InvalidTypeError(f"{value!r} is {type(value).__name__}, no customer id; expected int, str or bytes")


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
