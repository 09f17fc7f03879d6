"""Moves between segments by group of an experiment: a method of a customer base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source
from custcore._input.proposals import proposing_methods
from custcore._rfm import RFMScorer
from custcore.errors import InvalidTypeError
from custcore.experiments._arguments import experiment_arguments
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore._core import ReadOptions
    from custcore._input.data import AsOf, Data

__all__ = ["Tracking"]


@proposing_methods
class Tracking:
    """The method of :class:`custcore.CustomerBase` that follows segments through an experiment."""

    __slots__ = ()

    _core: _core.CustomerBase
    _options: ReadOptions

    def track_segments(
        self,
        experiment: Data,
        scorer: RFMScorer,
        *,
        group: str = "group",
        exposed_on: str = "exposed_on",
        start: AsOf | None = None,
        days_after: int,
        lag: int = 0,
        control: str | None = None,
        target: Sequence[str] | None = None,
        on_conflict: Literal["drop", "error"] = "drop",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """Where the customers of an experiment moved, segment by segment, beside control.

        Segments are those of the day before exposure, and of the last day of the window after,
        both by the same scorer: who moves has changed, not the edges. Requires level "days" or
        "orders".

        Parameters
        ----------
        experiment : table
            One row per customer: the id, named as in the transactions, the group that was
            assigned, and the day of exposure. Any table that :func:`custcore.rfm` takes.
            Whoever is in it is in the analysis: no purchase means zeros.
        scorer : RFMScorer
            The scorer of segments. One that is not fitted is fitted once, on all buyers as of
            the day before the first exposure.
        group : str, default "group"
            Column of groups: strings, integers or booleans. A group is what was assigned, not
            what arrived.
        exposed_on : str, default "exposed_on"
            Column of the days of exposure in the experiment: dates or timestamps, also
            different ones. Not read with ``start``.
        start : date, datetime or str, optional
            One day of exposure for all customers, instead of ``exposed_on``.
        days_after : int
            Length of the window after exposure, in days. The day of exposure is its first day,
            unless ``lag`` moves it. Take it longer than returns take: a refund counts on its
            own day.
        lag : int, default 0
            Days from exposure to the window after: 1 leaves out the day of exposure.
        control : str, optional
            The group that the others are compared with. Default: ``"control"``, if there is
            one.
        target : sequence of str, optional
            Segments that are watched together, such as the good ones. Default: each segment by
            itself.
        on_conflict : {"drop", "error"}, default "drop"
            Whether a customer in several groups is left out and counted, or an error that names
            it.
        as_of : date, datetime or str, optional
            The last day that counts. Customers whose window after ends later are left out and
            counted. Default: the last day of the data.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            By group, ``from_segment`` and ``to_segment``, ascending: ``customers`` of the group
            and ``control_customers`` who moved (int64; also who stayed), ``share`` and
            ``control_share`` of those of ``from_segment`` (null without any), their
            ``difference`` with its 95 % interval ``low``, ``high`` (Newcombe), and of each
            ``from_segment`` Pearson's test that group and control moved alike: ``chi2``, ``df``,
            ``p_value`` (the same in all of its rows; null where only one segment occurs). Moves
            that nobody of any group made have no row. With ``target`` each group and
            ``from_segment`` has one row, ``to_segment`` "in target". "none": had not bought. The
            report is that of the experiment.

        Raises
        ------
        InvalidArgumentError
            If there is no control group, a segment of ``target`` is none of the scorer's, or an
            option is out of range.
        NotEnoughDataError
            If no window is over, or nobody had bought before the first exposure.
        StateMismatchError
            If the base is of level ``"totals"``, which has no days.

        Notes
        -----
        Tests of many segments find some differences by chance; a small p-value of one of ten
        segments means little. Expected counts below 5 make the test inexact.

        Examples
        --------
        >>> import datetime, custcore, pyarrow as pa
        >>> days = [datetime.date(2026, 1, day) for day in (1, 2, 3, 4, 20, 21)]
        >>> base = custcore.CustomerBase(amount=None, track="days")
        >>> base.update(pa.table({"customer_id": [1, 2, 3, 4, 1, 2], "timestamp": days}))
        >>> groups = pa.table(
        ...     {"customer_id": [1, 2, 3, 4], "group": ["mail", "mail", "control", "control"]}
        ... )
        >>> moves = base.track_segments(
        ...     groups,
        ...     custcore.RFMScorer(),
        ...     start="2026-01-10",
        ...     days_after=12,
        ...     target=["champions"],
        ... )
        >>> moves.select(["from_segment", "to_segment", "customers"]).num_rows > 0
        True
        """
        if not isinstance(scorer, RFMScorer):
            raise InvalidTypeError(f"scorer is {type(scorer).__name__}; expected an RFMScorer")
        read = experiment_arguments(
            self._options["customer_id"],
            group=arguments.name("group", group),
            exposed_on=exposed_on,
            start=start,
            days_after=days_after,
            days_before=None,
            lag=lag,
            gap=0,
            on_conflict=on_conflict,
            as_of=as_of,
        )
        names = [*arguments.key_names(read["customer_id"]), group]
        if start is None:
            names.append(exposed_on)
        return Table(
            _core.track_segments(
                self._core,
                as_source(experiment, names),
                read,
                scorer._core,
                control=arguments.optional_name("control", control),
                target=arguments.optional_names("target", target),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
