"""Through which channels the customers of a base buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf, Data

__all__ = ["Channels"]


@proposing_methods
class Channels:
    """The methods of :class:`custcore.CustomerBase` for channels, and what preferences have in common."""

    __slots__ = ()

    _core: _core.CustomerBase

    if TYPE_CHECKING:

        def _groups(self, by: str | Data | None, segment: str) -> tuple[str | None, tuple[object, str] | None]: ...

    def channel_preferences(
        self,
        *,
        prior_orders: float = 5,
        by: str | Data | None = None,
        segment: str = "segment",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """Through which channels each customer buys, compared with all customers.

        The columns are those of :meth:`preferences` with ``measure="orders"``, and ``channel``
        for ``category``. It requires ``channel=``. The channel of an order is that of its
        earliest line, ties by the smallest value, so that shares sum to 1; an order whose
        earliest line has none is reported as ``null_category``.

        Parameters
        ----------
        prior_orders : float, default 5
            How many orders of an average customer are added to those of each: a customer with
            few orders is believed to be like all others. 0 adds none.
        by : str or table, optional
            Groups, with rows of their own instead of customers: an attribute of the base, whose
            value at the first purchase counts (ties by the smallest; null is a group), or a
            table with one row per customer: the columns of customer ids, else its first column,
            and ``segment``. Customers who are not in the table are the group null. Default: a
            row for each customer.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. A day before the
            last one in the base needs ``category_days=True``. Default: the last day in the
            base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each customer, or group, and channel, by id, then by channel.

        Raises
        ------
        StateMismatchError
            If the base keeps no channels or not the attribute ``by``, or ``as_of`` is before
            the last day without ``category_days=True``.
        InvalidArgumentError
            If ``prior_orders`` is below 0, or a customer is twice in a table ``by``.
        """
        return self._preferences("channels", "orders", prior_orders, (by, segment), (as_of, n_threads))

    def channels(self, *, as_of: AsOf | None = None, n_threads: int | None = None) -> Table:
        """The main channel of each customer, and the last one. It requires ``channel=``.

        Parameters
        ----------
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. A day before the
            last one in the base needs ``category_days=True``. Default: the last day in the
            base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row for each customer with an order with a channel, by id: the columns of ids,
            ``n_orders`` with a channel (int64), ``main_channel``, that of the most orders, then
            the smallest value; ``main_share`` = its share of the orders (float64),
            ``n_channels`` (int64), ``last_channel``, that of the last order by time, ties by
            the smallest value; ``switched`` (bool): whether the last one is not the main one.
            The report counts orders without a channel as ``null_category``.

        Raises
        ------
        StateMismatchError
            If the base keeps no channels, or ``as_of`` is before the last day without
            ``category_days=True``.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(channel="shop")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> ids, shops = ["ann", "ann", "ann", "bob"], ["web", "web", "city", "city"]
        >>> columns = {
        ...     "customer_id": ids,
        ...     "timestamp": days,
        ...     "amount": [1.0] * 4,
        ...     "shop": shops,
        ... }
        >>> base.update(pa.table(columns))
        >>> columns = ["customer_id", "main_channel", "n_channels", "last_channel", "switched"]
        >>> list(base.channels().select(columns).rows())
        [('ann', 'web', 2, 'city', True), ('bob', 'city', 1, 'city', False)]
        """
        return Table(
            _core.channels(
                self._core,
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def _preferences(
        self,
        preferred: str,
        measure: str,
        prior_orders: float,
        groups: tuple[str | Data | None, str],
        day_and_threads: tuple[AsOf | None, int | None],
    ) -> Table:
        by, segment_table = self._groups(*groups)
        as_of, n_threads = day_and_threads
        return Table(
            _core.preferences(
                self._core,
                preferred,
                measure,
                arguments.number("prior_orders", prior_orders),
                by=by,
                segment_table=segment_table,
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
