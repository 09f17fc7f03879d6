"""Portraits, net promoter scores and funnels of frames: methods of ``df.custcore`` common to all libraries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import custcore
from custcore._input.arguments import key_names
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import columns_of, given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from custcore._input.data import AsOf, Data, TimeZone
    from custcore._input.durations import Duration
    from custcore.result import Report, Table
    from custcore.value._portrait import Attributes, Portrait

__all__ = ["FramePortrait", "PortraitMethods"]

Frame = TypeVar("Frame")


class FramePortrait(Generic[Frame]):
    """:class:`custcore.Portrait` whose tables are frames of the library of the data.

    Parameters
    ----------
    result
        What was computed.
    convert
        Makes a frame of a table and remarks.
    remarks
        Remarks on the way in, for the report.
    """

    __slots__ = ("_convert", "_remarks", "result")

    def __init__(
        self, result: Portrait, convert: Callable[[Table, list[str]], Frame], remarks: Iterable[str] = ()
    ) -> None:
        self.result: Portrait = result
        self._convert = convert
        self._remarks = list(remarks)

    def to_table(self) -> Frame:
        """Every segment, attribute and value: :meth:`custcore.Portrait.to_table`."""
        return self._convert(self.result.to_table(), self._remarks)

    def marks(self, n: int = 3) -> Frame:
        """What sets each segment apart: :meth:`custcore.Portrait.marks`.

        Parameters
        ----------
        n : int, default 3
            How many marks with an index above 100 are listed.
        """
        return self._convert(self.result.marks(n), self._remarks)

    def sentences(self, lang: Literal["en", "zh"] = "en") -> Frame:
        """The portrait in words: :meth:`custcore.Portrait.sentences`.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            English or Chinese.
        """
        return self._convert(self.result.sentences(lang), self._remarks)

    @property
    def report(self) -> Report:
        """What was left out, and for how many customers each attribute is known."""
        report = self.result.report
        return dataclasses.replace(report, remarks=(*report.remarks, *self._remarks))

    def __repr__(self) -> str:
        return repr(self.result)

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


@proposing_methods
class PortraitMethods(Generic[Frame]):
    """Portraits, net promoter scores and funnels of a frame."""

    # Conversion, which differs by library.

    def _column_names(self) -> Iterable[object]:
        """The columns of the frame."""
        raise NotImplementedError

    def _transactions(self, wanted: dict[str, str], remarks: list[str]) -> Data:
        """The wanted columns, by the argument that names each; conversions are added to ``remarks``."""
        raise NotImplementedError

    def _attributes(self, table: Data, ids: list[str], remarks: list[str]) -> Data:  # noqa: ARG002
        """A table of attributes, with ids as those of the frame are converted."""
        return table

    @staticmethod
    def _converted(table: Table, remarks: list[str]) -> Frame:
        """A result as a frame."""
        raise NotImplementedError

    # Calls, the same for all libraries.

    def portrait(
        self,
        attributes: Attributes | None = None,
        *,
        long: Attributes | None = None,
        segment: str = "segment",
        customer_id: str | Sequence[str] | None = None,
        nulls: Literal["drop", "value"] = "drop",
        min_customers: int = 30,
        adjust: Literal["bh", "holm", "none"] = "bh",
        alpha: float = 0.05,
        bins: int | Mapping[str, int | Sequence[float] | None] | None = 4,
        period: Literal["day", "week", "month", "quarter", "year"] = "month",
        timezone: TimeZone | None = None,
        n_threads: int | None = None,
    ) -> FramePortrait[Frame]:
        """Who the customers of each segment of this frame are, by :func:`custcore.portrait`.

        The frame has one row per customer, with a column of segments.

        Parameters
        ----------
        attributes : table, list of tables, or dict of str to table, optional
            What is known of the customers: a table with the id, of which every other column is
            an attribute; a list of such tables; or a dict of names to tables, where the name is
            that of the attribute if the table has one only. A table of the id and one column in
            which an id occurs twice is a list of values, of which a customer may have several,
            as in ``long``.
        long : table, list of tables, or dict of str to table, optional
            Lists of values, such as the categories that were bought: tables of the id and one
            column, given as ``attributes``. A customer may have several values, each of which
            counts once, and one who is not in the list has none of them, which is known.
        segment : str, default "segment"
            Column of segments: strings, integers, or a dictionary of these, whose order is
            kept.
        customer_id : str or list of str, optional
            Column of customer ids in all tables, or a list of columns (a composite key).
            Default: what a table was grouped by, else the name in the table of segments, else
            the first column; in the table of segments ``customer_id`` if it has such a column.
        nulls : {"drop", "value"}, default "drop"
            ``"drop"``: a customer without a value of an attribute is not counted for it.
            ``"value"``: null is a value, also of customers who are not in the table.
        min_customers : int, default 30
            A value is tested in a segment where the segment has so many customers with a known
            value, and so many of all customers have the value.
        adjust : {"bh", "holm", "none"}, default "bh"
            How p-values are adjusted for the number of tests of the call. ``"bh"``: false
            discovery rate (Benjamini and Hochberg 1995). ``"holm"``: family-wise error rate
            (Holm 1979). ``"none"``: not at all.
        alpha : float, default 0.05
            Level below which an adjusted p-value makes a value a mark of its segment.
        bins : int or None, or dict of str to int, sequence of numbers or None, default 4
            How floats and decimals become values: the number of type-7 quantile bins over all
            customers of segments (4: quartiles), 2 to 100, or None to count each number. A dict
            gives an attribute a number of bins, ascending edges, which belong to the bin below,
            or None; integers are in bins only if it names them.
        period : {"day", "week", "month", "quarter", "year"}, default "month"
            Calendar period by which dates and timestamps are counted.
        timezone : str or tzinfo, optional
            Time zone whose local days count for times with a zone: an IANA name, an offset such
            as ``"+05:30"``, or a ``tzinfo`` with a name or a fixed offset. Times without a zone
            are never shifted. Default: the column's own zone.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        FramePortrait
            ``.to_table()``, ``.marks(n)`` and ``.sentences(lang)`` are frames.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        names = [str(name) for name in self._column_names()]
        ids = key_names(customer_id) or (["customer_id"] if "customer_id" in names else names[:1])
        wanted = {**dict.fromkeys(ids, "customer_id"), segment: "segment"}
        for argument in ("attributes", "long"):
            options[argument] = self._each_table(options[argument], ids, remarks)
        result = custcore.portrait(self._transactions(wanted, remarks), **options)
        return FramePortrait(result, self._converted, remarks)

    def nps(
        self,
        *,
        score: str = "score",
        by: str | None = None,
        customer_id: str | Sequence[str] | None = None,
        which: Literal["last", "first"] = "last",
        timestamp: str | None = None,
        interval: Literal["adjusted", "wald"] = "adjusted",
        n_threads: int | None = None,
    ) -> Frame:
        """Net promoter scores of the answers in this frame, by :func:`custcore.nps`.

        The frame has one row per answer.

        Parameters
        ----------
        score : str, default "score"
            Column of answers: whole numbers from 0 to 10, as integers, floats or decimals. Null
            and NaN are missing answers.
        by : str, optional
            Column of segments, each of which gets a row. Answers without a segment count in the
            first row only, and are reported.
        customer_id : str or list of str, optional
            Column of customer ids, or a list of columns (a composite key), of which each counts
            once. Rows with a null id are left out and reported. Default: every row counts.
        which : {"last", "first"}, default "last"
            Which answer of a customer counts. A missing one counts only if there is no other.
        timestamp : str, optional
            Column of dates or timestamps that orders the answers of a customer; of several at
            the same time the lowest counts. Rows with a null time are left out and reported.
            Default: the order of the rows.
        interval : {"adjusted", "wald"}, default "adjusted"
            The 95 % interval. ``"adjusted"``: Wald's interval after 3 answers are added, 3/4 of
            a promoter, 3/4 of a detractor, 3/2 of a passive, so that its width is not 0 where
            all answer alike. ``"wald"``: nothing is added.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        DataFrame
            A row for all answers, and with ``by`` one for each segment.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        table = custcore.nps(self._transactions(columns_of(custcore.nps, options), remarks), **options)
        return self._converted(table, remarks)

    def funnel(
        self,
        steps: Sequence[str],
        window: Duration,
        *,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        event: str = "event",
        by: str | None = None,
        strict: bool = False,
        order: Literal["ordered", "any"] = "ordered",
        observation_end: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Frame:
        """How many customers take each of several steps, by :func:`custcore.funnel`.

        The frame has one row per event.

        Parameters
        ----------
        steps : sequence of str
            The names of the events that are steps, 2 to 100 of them.
        window : float, timedelta or str
            How long after the start a step counts, inclusive: days, a ``timedelta``, or a text
            such as ``"3d"``, ``"12h"``, ``"30min"`` (units w, d, h, min, s).
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        event : str, default "event"
            Column of the names of events: strings, a dictionary of them, or values that are
            compared as text. Rows with a null name are left out and reported, and so are events
            that are no step.
        by : str, optional
            Column of groups, each with rows of its own. A customer is in the group of the start
            that counts; null is a group, the last one. Default: all customers.
        strict : bool, default False
            Whether a step must be later than the one before. By default it may be at the same
            time, as days or seconds of a log often are.
        order : {"ordered", "any"}, default "ordered"
            ``"ordered"``: steps are taken as listed, whatever happens between them. ``"any"``:
            a start is an event of any step, and a row is the number of different steps taken;
            ``name`` is null.
        observation_end : date, datetime or str, optional
            The first moment that was not observed; events from then on are left out and
            reported. A date is its 00:00, in the zone of the column. Default: the end of the
            last day with an event.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        DataFrame
            One row for each step, with ``by`` of each group.
        """
        options: dict[str, Any] = given(locals())
        remarks: list[str] = []
        names = ("customer_id", "timestamp", "event", "by")
        wanted = columns_of(custcore.funnel, {name: options[name] for name in ("steps", "window", *names)})
        table = custcore.funnel(self._transactions(wanted, remarks), **options)
        return self._converted(table, remarks)

    def _each_table(self, tables: Any, ids: list[str], remarks: list[str]) -> Any:  # noqa: ANN401
        """The tables of an argument, each converted."""
        if isinstance(tables, Mapping) and not hasattr(tables, "columns"):
            return {name: self._attributes(table, ids, remarks) for name, table in tables.items()}
        if isinstance(tables, list | tuple):
            return [self._attributes(table, ids, remarks) for table in tables]
        return None if tables is None else self._attributes(tables, ids, remarks)
