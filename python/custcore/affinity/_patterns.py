"""Pairs, itemsets and rules of baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.affinity._arguments import count, least, pair_options, share
from custcore.errors import InvalidTypeError
from custcore.result import Table
from custcore.value._measures_arguments import segments_argument

if TYPE_CHECKING:
    from custcore import _core
    from custcore._input.data import Data

__all__ = ["Patterns"]


@proposing_methods
class Patterns:
    """The analyses of :class:`custcore.Baskets`."""

    __slots__ = ()

    _core: _core.Baskets

    def pairs(
        self,
        min_item_baskets: float = 5,
        min_pair_baskets: float = 5,
        *,
        min_basket: int = 1,
        by: Data | None = None,
        segment: str = "segment",
        test: Literal["within", "fisher"] = "within",
        adjust: Literal["bh", "holm", "none"] = "bh",
        top: int | None = None,
        n_threads: int | None = None,
    ) -> Table:
        """All pairs of items that are in enough baskets together, counted exactly.

        **Lift needs baskets of like size.** Large baskets hold everything, so a lift above 1 is
        found for nearly all pairs, also where items are spread over baskets at random.
        ``lift_within`` compares baskets of like size only, and so do ``z_within`` and by
        default the p-values. Baskets of one customer are not independent of each other:
        p-values rank and screen; for claims use ``basket="customer"``.

        Parameters
        ----------
        min_item_baskets : int or float, default 5
            Items in fewer baskets are in no pair. A number below 1 is a share of the baskets.
        min_pair_baskets : int or float, default 5
            Pairs in fewer baskets are not listed. A number below 1 is a share of the baskets.
        min_basket : int, default 1
            Baskets of fewer distinct items are left out and reported. With 2, baskets of one
            item are not among ``n_baskets``.
        by : table, optional
            Segments of customers: a table with one row per customer, the columns of customer
            ids, else its first column, and ``segment``. Each segment has a block of rows of its
            own, with minimums of its own. Default: all baskets only.
        segment : str, default "segment"
            The column of segments of a table ``by``.
        test : {"within", "fisher"}, default "within"
            Where ``p_value`` comes from. ``"within"``: baskets of like size are compared
            (Cochran, Mantel, Haenszel). ``"fisher"``: the exact test of all baskets, which
            takes large baskets for association.
        adjust : {"bh", "holm", "none"}, default "bh"
            How ``p_adjusted`` is adjusted for the number of pairs of items that are in enough
            baskets: Benjamini and Hochberg, Holm, or not at all.
        top : int, optional
            The most pairs that are listed, of each block those in most baskets. Default: all.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per pair, those in most baskets first, then by ``item_a`` and ``item_b``:

            - ``item_a`` < ``item_b`` (integers by value, strings by bytes); ``n_ab``, ``n_a``,
              ``n_b``, the baskets with both and with each; ``n_baskets``, all of them (int64).
            - With s, a and b the shares of baskets with both and with each (float64):
              ``support`` = s, ``confidence_ab`` = n_ab / n_a, ``confidence_ba``, ``lift`` =
              s / (a b), ``leverage`` = s - a b, ``conviction_ab`` = (1 - b) /
              (1 - confidence_ab) (inf at confidence 1), ``conviction_ba``, ``zhang_ab`` =
              (s - a b) / max(s (1 - a), a (b - s)) (0 where that is 0), ``zhang_ba``,
              ``jaccard`` = n_ab / (n_a + n_b - n_ab), ``cosine`` = n_ab / sqrt(n_a n_b),
              ``phi`` = (s - a b) / sqrt(a (1 - a) b (1 - b)) (null where that is 0).
            - With N_k, n_ak and n_bk counted among the baskets of like size, those of the same
              ceil(log2(distinct items)): ``expected_within`` = sum of n_ak n_bk / N_k,
              ``lift_within`` = n_ab / expected_within, ``z_within`` = (n_ab - expected_within)
              / sqrt(sum of n_ak (N_k - n_ak) n_bk (N_k - n_bk) / (N_k^2 (N_k - 1))) (Mantel and
              Haenszel 1959, without correction; 0 where the root is 0).
            - ``p_value``: the upper normal tail of ``z_within``, or with ``test="fisher"`` the
              probability of at least n_ab in a hypergeometric distribution; ``p_adjusted``,
              among all pairs of the items that are in enough baskets, those that are not
              listed as 1.

            With ``by``, the column ``segment`` comes first (string, null: all baskets, the
            first block), and ``lift_ratio`` = lift_within / that of all baskets comes last. A
            pair of items of which one is not in enough of all baskets has a null ratio.

            The report has the entries of :attr:`Baskets.report`, ``small_baskets`` (with
            ``min_basket`` above 1), the note ``no_segment`` (with ``by``: baskets of customers
            without one, which are in the first block only), and the remark ``size_factor`` =
            N sum of s (s - 1) / (sum of s)^2 over the sizes of baskets: the lift that sizes
            alone give. Without a pair a remark has the largest number of baskets of one.

        Raises
        ------
        InvalidArgumentError, OutOfRangeError
            If an option is out of range, or a customer is twice in a table ``by``.
        NotEnoughDataError
            Before the first update.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> lines = [
        ...     ("1", "bread"),
        ...     ("1", "butter"),
        ...     ("2", "bread"),
        ...     ("2", "butter"),
        ...     ("3", "tea"),
        ... ]
        >>> baskets = custcore.Baskets("item", order_id="order")
        >>> baskets.update(
        ...     pa.table(
        ...         {
        ...             "customer_id": [7] * 5,
        ...             "timestamp": [datetime.date(2026, 1, 5)] * 5,
        ...             "order": [order for order, _ in lines],
        ...             "item": [item for _, item in lines],
        ...         }
        ...     )
        ... )
        >>> found = baskets.pairs(min_item_baskets=1, min_pair_baskets=1)
        >>> list(found.select(["item_a", "item_b", "n_ab", "lift", "lift_within"]).rows())
        [('bread', 'butter', 2, 1.5, 1.0)]
        """
        if isinstance(by, str):
            raise InvalidTypeError(
                f"by={by!r} is a name; expected a table with one row per customer: ids and the column {segment!r}"
            )
        options = pair_options(
            min_item_baskets=min_item_baskets,
            min_pair_baskets=min_pair_baskets,
            min_basket=min_basket,
            test=test,
            adjust=adjust,
            top=top,
        )
        threads = arguments.optional_whole("n_threads", n_threads)
        return Table(self._core.pairs(options, segments_argument(by, segment), n_threads=threads))

    def itemsets(
        self, min_baskets: float = 0.01, *, max_len: int = 4, max_itemsets: int = 10000000, n_threads: int | None = None
    ) -> Table:
        """All sets of items that are in enough baskets together.

        Parameters
        ----------
        min_baskets : int or float, default 0.01
            Sets of items in fewer baskets are not listed. A number below 1 is a share of the
            baskets.
        max_len : int, default 4
            The most items of a set, 1 to 16.
        max_itemsets : int, default 10000000
            More sets than this are an error, before memory is gone; it names the least minimum
            that fits.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per set, those in most baskets first, then the smaller ones, then by items:
            ``items`` (list, ascending), ``size`` and ``baskets`` (int64), ``support`` =
            baskets / all baskets (float64). Without a set the report has a remark.

        Raises
        ------
        MemoryLimitError
            If there are more than ``max_itemsets`` sets; it has the sets found so far by size,
            and the least ``min_baskets`` that fits.
        InvalidArgumentError, OutOfRangeError
            If an option is out of range.
        NotEnoughDataError
            Before the first update.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> lines = [
        ...     ("1", "bread"),
        ...     ("1", "butter"),
        ...     ("2", "bread"),
        ...     ("2", "butter"),
        ...     ("3", "tea"),
        ... ]
        >>> baskets = custcore.Baskets("item", order_id="order")
        >>> baskets.update(
        ...     pa.table(
        ...         {
        ...             "customer_id": [7] * 5,
        ...             "timestamp": [datetime.date(2026, 1, 5)] * 5,
        ...             "order": [order for order, _ in lines],
        ...             "item": [item for _, item in lines],
        ...         }
        ...     )
        ... )
        >>> baskets.itemsets(min_baskets=2).to_pyarrow()["items"].to_pylist()
        [['bread'], ['butter'], ['bread', 'butter']]
        """
        return Table(
            self._core.itemsets(
                least("min_baskets", min_baskets),
                count("max_len", max_len, highest=16),
                count("max_itemsets", max_itemsets),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    def rules(
        self,
        min_baskets: float = 0.01,
        min_confidence: float = 0.3,
        *,
        max_len: int = 4,
        max_itemsets: int = 10000000,
        n_threads: int | None = None,
    ) -> Table:
        """Rules: of the baskets with some items, how many also have another one.

        Parameters
        ----------
        min_baskets : int or float, default 0.01
            Sets of items in fewer baskets are not listed. A number below 1 is a share of the
            baskets.
        min_confidence : float, default 0.3
            Rules of a lower confidence are not listed.
        max_len : int, default 4
            The most items of a rule, antecedent and consequent together, 2 to 16.
        max_itemsets : int, default 10000000
            More sets than this are an error, before memory is gone; it names the least minimum
            that fits.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            One row per rule, those in most baskets first, then by antecedent and consequent:
            ``antecedent`` (list, ascending), ``consequent``, ``n_both``, ``n_antecedent``,
            ``n_consequent`` (int64), ``support``, ``confidence``, ``lift``, ``leverage``,
            ``conviction``, ``zhang`` (float64) as in :meth:`pairs`, ``improvement`` = the
            confidence less the largest one of a rule with the same consequent and a part of
            the antecedent (also none of it: the share of baskets with the consequent), and
            ``lift_within``, with the antecedent as one item. Rules whose improvement is not
            above 0 say nothing that shorter ones do not say. Without a rule the report has a
            remark.

        Raises
        ------
        MemoryLimitError
            If there are more than ``max_itemsets`` sets in enough baskets.
        InvalidArgumentError, OutOfRangeError
            If an option is out of range.
        NotEnoughDataError
            Before the first update.

        Examples
        --------
        >>> import datetime, pyarrow as pa, custcore
        >>> lines = [
        ...     ("1", "bread"),
        ...     ("1", "butter"),
        ...     ("2", "bread"),
        ...     ("2", "butter"),
        ...     ("3", "tea"),
        ... ]
        >>> baskets = custcore.Baskets("item", order_id="order")
        >>> baskets.update(
        ...     pa.table(
        ...         {
        ...             "customer_id": [7] * 5,
        ...             "timestamp": [datetime.date(2026, 1, 5)] * 5,
        ...             "order": [order for order, _ in lines],
        ...             "item": [item for _, item in lines],
        ...         }
        ...     )
        ... )
        >>> found = baskets.rules(min_baskets=2).to_pyarrow()
        >>> found.select(["antecedent", "consequent", "confidence"]).to_pylist()
        [{'antecedent': ['bread'], 'consequent': 'butter', 'confidence': 1.0},
         {'antecedent': ['butter'], 'consequent': 'bread', 'confidence': 1.0}]
        """
        return Table(
            self._core.rules(
                least("min_baskets", min_baskets),
                share("min_confidence", min_confidence),
                count("max_len", max_len, lowest=2, highest=16),
                count("max_itemsets", max_itemsets),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )
