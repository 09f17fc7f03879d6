"""What is bought together, of a frame of transactions; the same for all libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import custcore
from custcore._input.proposals import proposing_methods
from custcore.adapters._columns import columns_of, given

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from custcore._input.data import Data, Progress, TimeZone
    from custcore.result import Table

__all__ = ["FrameAffinity"]

Frame = TypeVar("Frame")


@proposing_methods
class FrameAffinity(Generic[Frame]):
    """Pairs and rules of the baskets of a frame of transactions."""

    def _transactions(self, wanted: dict[str, str], remarks: list[str]) -> Data:
        raise NotImplementedError

    @staticmethod
    def _converted(table: Table, remarks: list[str]) -> Frame:
        raise NotImplementedError

    def pairs(
        self,
        item: str,
        *,
        basket: Literal["order", "day", "customer"] | None = None,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        order_id: str | Sequence[str] | None = None,
        amount: str | None = None,
        returns: Literal["net", "exclude", "count"] = "net",
        max_basket: int | None = None,
        anonymous: bool = False,
        amount_decimals: int = 6,
        timezone: TimeZone | None = None,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
        min_item_baskets: float = 5,
        min_pair_baskets: float = 5,
        min_basket: int = 1,
        by: Data | None = None,
        segment: str = "segment",
        test: Literal["within", "fisher"] = "within",
        adjust: Literal["bh", "holm", "none"] = "bh",
        top: int | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> Frame:
        """The pairs of items that are in enough baskets of this frame, by :func:`custcore.pairs`.

        Parameters
        ----------
        item : str
            Column of items, such as products or categories: integers, strings, binary, bools,
            dates, timestamps, floats, or a dictionary of these. Rows with a null item are left
            out and reported.
        basket : {"order", "day", "customer"}, optional
            What is a basket. ``"order"``: the lines of an order id of a customer. ``"day"``:
            what a customer bought on a local day. ``"customer"``: all that a customer ever
            bought; ``order_id`` is not read then, as with ``"day"``. Default: ``"order"`` with
            ``order_id``, else ``"day"``.
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        order_id : str or list of str, optional
            Column of order ids, or a list of columns, of the same types as customer ids. A line
            with a null order id is an order by itself, and reported.
        amount : str or None, optional
            Column of money: floats, integers or decimals. It decides what was returned, see
            ``returns``. Default: every line counts.
        returns : {"net", "exclude", "count"}, default "net"
            What an ``amount`` below 0 does. ``"net"`` and ``"exclude"``: an item is in a basket
            unless its lines there sum to less than 0, and an order that sums to less than 0 is
            none; both are reported. ``"count"``: every line puts its item into the basket.
        max_basket : int, optional
            Baskets of more distinct items are left out and reported, such as wholesale orders:
            one of 541 items makes 146,070 pairs. Default: no limit.
        anonymous : bool, default False
            Whether orders without a customer id are baskets; for ``basket="order"``.
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
        progress : callable, optional
            Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
            the total may be ``None``.

        Returns
        -------
        DataFrame
            The columns of :meth:`custcore.Baskets.pairs`.
        """
        return self._of_baskets(custcore.pairs, given(locals()))

    def rules(
        self,
        item: str,
        *,
        basket: Literal["order", "day", "customer"] | None = None,
        customer_id: str | Sequence[str] = "customer_id",
        timestamp: str = "timestamp",
        order_id: str | Sequence[str] | None = None,
        amount: str | None = None,
        returns: Literal["net", "exclude", "count"] = "net",
        max_basket: int | None = None,
        anonymous: bool = False,
        amount_decimals: int = 6,
        timezone: TimeZone | None = None,
        on_null: Literal["drop", "error"] = "drop",
        on_nonfinite: Literal["error", "drop"] = "error",
        min_baskets: float = 0.01,
        min_confidence: float = 0.3,
        max_len: int = 4,
        max_itemsets: int = 10000000,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> Frame:
        """The rules of the baskets of this frame, by :func:`custcore.rules`.

        Parameters
        ----------
        item : str
            Column of items, such as products or categories: integers, strings, binary, bools,
            dates, timestamps, floats, or a dictionary of these. Rows with a null item are left
            out and reported.
        basket : {"order", "day", "customer"}, optional
            What is a basket. ``"order"``: the lines of an order id of a customer. ``"day"``:
            what a customer bought on a local day. ``"customer"``: all that a customer ever
            bought; ``order_id`` is not read then, as with ``"day"``. Default: ``"order"`` with
            ``order_id``, else ``"day"``.
        customer_id : str or list of str, default "customer_id"
            Column of customer ids: integers, strings, binary, or a dictionary of these. A list
            of columns is a composite key, which is null if a part is, and is ordered part by
            part; a single id of it is a tuple. Rows with a null id are left out and reported.
        timestamp : str, default "timestamp"
            Column of dates or timestamps. Rows with a null time are left out and reported.
        order_id : str or list of str, optional
            Column of order ids, or a list of columns, of the same types as customer ids. A line
            with a null order id is an order by itself, and reported.
        amount : str or None, optional
            Column of money: floats, integers or decimals. It decides what was returned, see
            ``returns``. Default: every line counts.
        returns : {"net", "exclude", "count"}, default "net"
            What an ``amount`` below 0 does. ``"net"`` and ``"exclude"``: an item is in a basket
            unless its lines there sum to less than 0, and an order that sums to less than 0 is
            none; both are reported. ``"count"``: every line puts its item into the basket.
        max_basket : int, optional
            Baskets of more distinct items are left out and reported, such as wholesale orders:
            one of 541 items makes 146,070 pairs. Default: no limit.
        anonymous : bool, default False
            Whether orders without a customer id are baskets; for ``basket="order"``.
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
        progress : callable, optional
            Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
            the total may be ``None``.

        Returns
        -------
        DataFrame
            The columns of :meth:`custcore.Baskets.rules`.
        """
        return self._of_baskets(custcore.rules, given(locals()))

    def _of_baskets(self, function: Callable[..., Table], options: dict[str, Any]) -> Frame:
        remarks: list[str] = []
        # A table of segments is no column of the frame.
        wanted = columns_of(function, {**options, "by": None} if "by" in options else options)
        return self._converted(function(self._transactions(wanted, remarks), **options), remarks)
