"""What the customers of a base like: preferences, breadth, sensitivity to promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.proposals import proposing_methods
from custcore.base._channels import Channels
from custcore.cohort._arguments import count
from custcore.result import Table

if TYPE_CHECKING:
    from custcore._input.data import AsOf, Data

__all__ = ["Preferences"]


@proposing_methods
class Preferences(Channels):
    """The methods of :class:`custcore.CustomerBase` for what customers like."""

    __slots__ = ()

    def preferences(
        self,
        measure: Literal["spend", "orders"] = "spend",
        *,
        prior_orders: float = 5,
        by: str | Data | None = None,
        segment: str = "segment",
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """What each customer likes, compared with all customers and shrunk towards them.

        The favourite of a customer with two orders is chance. So the shares of a customer are
        averaged with those of all customers, which count as ``prior_orders`` orders. It requires
        ``categories=``. T is the number of orders of a customer with a category, p the share of
        a category of all customers.

        Parameters
        ----------
        measure : {"spend", "orders"}, default "spend"
            What shares are of. ``"spend"``: of the money of a customer. ``"orders"``: of the
            orders with a category; an order may have several, so that shares need not sum to 1.
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
            One row for each customer and category with an order, by id, then by category: the
            columns of ids, ``category`` (the type of its column), ``orders`` with it, ``rows``
            (int64; of purchases), ``monetary_total`` (in the unit of the amounts; net of
            refunds, at least 0), ``share`` = monetary_total / that of all categories of the
            customer (null where it is 0), or with ``measure="orders"`` orders / T;
            ``share_all`` = p, the same of the sums of all customers; ``share_shrunk`` =
            (T share + prior_orders p) / (T + prior_orders), p where the share is null;
            ``index`` = 100 share_shrunk / p (float64; null where p is 0) and ``rank`` by
            share_shrunk descending, then category (int64).

            With ``by``, one row for each group and category instead: the column of groups,
            ``category``, ``customers``, ``orders``, ``rows``, ``monetary_total``, ``share`` of
            the sums of the group, ``share_all``, ``index`` = 100 share / share_all, ``rank`` by
            share. Nothing is shrunk.

            The report counts ``null_category`` (rows without a category),
            ``refund_only_categories`` and ``negative_categories`` (of a customer, with money
            below 0, which counts as 0), each with the money that is in no row.

        Raises
        ------
        StateMismatchError
            If the base keeps no categories, no money (with ``measure="spend"``) or not the
            attribute ``by``, or ``as_of`` is before the last day without
            ``category_days=True``.
        InvalidArgumentError
            If ``prior_orders`` is below 0, or a customer is twice in a table ``by``.

        Notes
        -----
        Columns of features for :class:`custcore.KMeans` and :class:`custcore.QuantileScorer`
        come from :meth:`preference_features` and :meth:`breadth`, with one row per customer.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(categories="kind")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> ids, kinds = ["ann", "ann", "ann", "bob"], ["tea", "tea", "mug", "mug"]
        >>> amounts = [10.0, 20.0, 10.0, 40.0]
        >>> columns = {"customer_id": ids, "timestamp": days, "amount": amounts, "kind": kinds}
        >>> base.update(pa.table(columns))
        >>> found = base.preferences(prior_orders=1)
        >>> columns = ["customer_id", "category", "share", "share_all", "share_shrunk", "rank"]
        >>> for row in found.select(columns).rows():
        ...     print(*row)
        ann mug 0.25 0.625 0.34375 2
        ann tea 0.75 0.375 0.65625 1
        bob mug 1.0 0.625 0.8125 1
        """
        return self._preferences(
            "categories", arguments.name("measure", measure), prior_orders, (by, segment), (as_of, n_threads)
        )

    def breadth(self, *, prior_orders: float = 5, as_of: AsOf | None = None, n_threads: int | None = None) -> Table:
        """How broad each customer buys, the favourite category, and the most distinctive one.

        It requires ``categories=`` and amounts.

        Parameters
        ----------
        prior_orders : float, default 5
            How many orders of an average customer are added to those of each: a customer with
            few orders is believed to be like all others. 0 adds none.
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
            One row for each customer with an order with a category, by id: the columns of ids,
            ``n_categories`` (int64), ``entropy`` = - sum of share ln share over the shares of
            money, in nats (float64; null where the customer spent 0),
            ``effective_categories`` = exp(entropy): as many categories of equal shares would
            be as diverse; ``favourite``, the category of rank 1 of :meth:`preferences`, and
            ``signature``, that of the largest index among those with 2 orders or more (ties by
            the smallest value; null if there is none).

        Raises
        ------
        StateMismatchError
            If the base keeps no categories or no money, or ``as_of`` is before the last day
            without ``category_days=True``.
        InvalidArgumentError
            If ``prior_orders`` is below 0.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(categories="kind")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> ids, kinds = ["ann", "ann", "ann", "bob"], ["tea", "tea", "mug", "mug"]
        >>> amounts = [10.0, 20.0, 30.0, 40.0]
        >>> columns = {"customer_id": ids, "timestamp": days, "amount": amounts, "kind": kinds}
        >>> base.update(pa.table(columns))
        >>> found = base.breadth()
        >>> columns = ["customer_id", "n_categories", "favourite", "signature"]
        >>> list(found.select(columns).rows())
        [('ann', 2, 'mug', 'tea'), ('bob', 1, 'mug', None)]
        >>> [round(value, 3) for value in found.to_numpy("effective_categories").tolist()]
        [2.0, 1.0]
        """
        return Table(
            _core.breadth(
                self._core,
                arguments.number("prior_orders", prior_orders),
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def promotion_sensitivity(
        self, *, prior_rows: float = 10, as_of: AsOf | None = None, n_threads: int | None = None
    ) -> Table:
        """How much each customer buys with a discount, given what the customer buys.

        Some categories are always on offer, so a high share of discounted rows may say nothing
        of a customer. ``index_standardised`` compares it with what anyone with the same rows
        per category would have bought with a discount (indirect standardisation); rank by it.
        This measures buying on offer, not the effect of offers, for which see
        :func:`custcore.effect`. It requires ``categories=``, ``promotion=`` and amounts.

        Parameters
        ----------
        prior_rows : float, default 10
            How many rows are added to those with a discount, and to those expected.
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
            One row for each customer with an order with a category, by id: the columns of ids,
            ``rows`` and ``promo_rows`` (int64; of purchases, with a category),
            ``monetary_total`` and ``promo_money`` (in the unit of the amounts; of each category
            at least 0), ``promo_share`` = promo_rows / rows and its 95 % interval
            ``promo_share_low``, ``promo_share_high`` (Wilson), ``promo_spend_share`` =
            promo_money / monetary_total (null where that is 0), ``index`` = 100 promo_share /
            (promo_rows / rows of all customers; null where that is 0), ``expected_rows`` = sum
            of rows in a category x the promo share of all rows of it, ``index_standardised`` =
            100 (promo_rows + prior_rows) / (expected_rows + prior_rows) (float64). The report
            counts rows without a category, as that of :meth:`preferences` does.

        Raises
        ------
        StateMismatchError
            If the base keeps no categories, no discounts or no money, or ``as_of`` is before
            the last day without ``category_days=True``.
        InvalidArgumentError
            If ``prior_rows`` is below 0.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(categories="kind", promotion="discount")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> columns = {"customer_id": ["ann", "ann", "bob", "bob"], "timestamp": days}
        >>> columns |= {
        ...     "amount": [10.0, 20.0, 30.0, 40.0],
        ...     "kind": ["tea", "tea", "tea", "mug"],
        ... }
        >>> base.update(pa.table(columns | {"discount": [1.5, 0.0, 2.0, 0.0]}))
        >>> found = base.promotion_sensitivity(prior_rows=2)
        >>> columns = ["customer_id", "rows", "promo_rows", "promo_share", "index"]
        >>> for row in found.select(columns).rows():
        ...     print(*row)
        ann 2 1 0.5 100.0
        bob 2 1 0.5 100.0
        >>> [round(value, 1) for value in found.to_numpy("index_standardised").tolist()]
        [90.0, 112.5]
        """
        return Table(
            _core.promotion_sensitivity(
                self._core,
                arguments.number("prior_rows", prior_rows),
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def preference_features(
        self,
        top: int = 20,
        measure: Literal["spend", "orders"] = "spend",
        *,
        prior_orders: float = 5,
        as_of: AsOf | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """Shrunk shares as columns: features for clusters and scores.

        Parameters
        ----------
        top : int, default 20
            Number of columns: the categories with the largest shares of all customers.
        measure : {"spend", "orders"}, default "spend"
            What shares are of. ``"spend"``: of the money of a customer. ``"orders"``: of the
            orders with a category; an order may have several, so that shares need not sum to 1.
        prior_orders : float, default 5
            How many orders of an average customer are added to those of each: a customer with
            few orders is believed to be like all others. 0 adds none.
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
            One row for each customer with an order with a category, by id: the columns of ids,
            and a column (float64) for each of the ``top`` categories with the largest
            ``share_all``, in their order, ties by the smallest value. Its name is the category
            as text, its value the ``share_shrunk`` of :meth:`preferences`; for a category that
            the customer never bought, that of a share of 0.

        Raises
        ------
        StateMismatchError
            If the base keeps no categories or no money (with ``measure="spend"``), or
            ``as_of`` is before the last day without ``category_days=True``.
        DuplicateColumnError
            If a category has the name of a column of ids.
        InvalidArgumentError
            If ``top`` is below 1, or ``prior_orders`` below 0.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> base = custcore.CustomerBase(categories="kind")
        >>> days = [datetime.date(2026, 1, day) for day in (1, 5, 9, 31)]
        >>> ids, kinds = ["ann", "ann", "ann", "bob"], ["tea", "tea", "mug", "mug"]
        >>> amounts = [10.0, 20.0, 10.0, 40.0]
        >>> columns = {"customer_id": ids, "timestamp": days, "amount": amounts, "kind": kinds}
        >>> base.update(pa.table(columns))
        >>> features = base.preference_features(2, prior_orders=1)
        >>> for row in features.rows():
        ...     print(*row)
        ann 0.34375 0.65625
        bob 0.8125 0.1875
        >>> features.column_names
        ['customer_id', 'mug', 'tea']
        >>> custcore.KMeans(2).fit_predict(features.select(["mug", "tea"])).tolist()
        [0, 1]
        """
        return Table(
            _core.preference_features(
                self._core,
                "categories",
                arguments.name("measure", measure),
                arguments.number("prior_orders", prior_orders),
                count("top", top),
                day=as_of_argument(as_of),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
