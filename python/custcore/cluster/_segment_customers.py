"""``custcore.segment_customers``: from purchases to named clusters of customers in one call."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import in_memory
from custcore._input.proposals import proposing
from custcore._rfm import rfm
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import features as read_features
from custcore.cluster._features import named
from custcore.cluster._init_centers import at_least_one, numbers_of_clusters
from custcore.cluster._kmeans import KMeans
from custcore.cluster._scaler import Scaler
from custcore.cluster._select_k import select_k
from custcore.errors import InvalidArgumentError, NotEnoughDataError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from custcore._input.data import AsOf, Data, Progress, TimeZone

__all__ = ["segment_customers"]

# The default features; counts and money are skewed, so their logarithms are clustered.
_RFM = ("recency_days", "n_orders", "monetary_total")
_SKEWED = ("n_orders", "n_rows", "n_days", "monetary_total", "monetary_mean")

# Names for clusters whose centre is half a standard deviation below or above the mean of all customers.
_WORDS = {
    "recency_days": ("recent", "lapsed"),
    "tenure_days": ("new", "long-standing"),
    "n_orders": ("rare", "frequent"),
    "n_days": ("rare", "frequent"),
    "n_rows": ("few items", "many items"),
    "monetary_total": ("small spend", "big spend"),
    "monetary_mean": ("small orders", "big orders"),
}
_LOW_IS_BEST = frozenset({"recency_days"})
_APART = 0.5
_FAR_APART = 1.5


@proposing
def segment_customers(
    data: Data,
    k: int | Literal["auto"] = "auto",
    *,
    features: Sequence[str] | None = None,
    log1p: Sequence[str] | Literal["auto"] = "auto",
    how: Literal["standard", "robust"] = "standard",
    ks: Iterable[int] = range(2, 9),
    n_init: int | Literal["auto"] = "auto",
    random_state: int = 0,
    n_threads: int | None = None,
    customer_id: str | Sequence[str] = "customer_id",
    timestamp: str = "timestamp",
    amount: str | None = "amount",
    order_id: str | Sequence[str] | None = None,
    as_of: AsOf | None = None,
    returns: Literal["net", "exclude", "count"] = "net",
    zero_is_purchase: bool = True,
    order_lines: Literal["any", "adjacent"] = "any",
    n_days: bool = False,
    attributes: Mapping[str, Literal["first", "last"]] | None = None,
    amount_decimals: int = 6,
    timezone: TimeZone | None = None,
    on_null: Literal["drop", "error"] = "drop",
    on_nonfinite: Literal["error", "drop"] = "error",
    sort: bool = True,
    progress: Progress | None = None,
) -> tuple[Table, KMeans]:
    """Cluster customers by their behaviour, choose the number of clusters, and name them.

    Purchases are aggregated to one row per customer (:func:`custcore.rfm`), skewed features
    are log-transformed, all features are scaled (:class:`custcore.Scaler`), k is chosen
    (:func:`custcore.select_k`), and the clusters are fitted (:class:`custcore.KMeans`),
    ordered from best to worst, and named by how their centres differ from the mean of all
    customers.

    Parameters
    ----------
    data : table, iterable of batches, or dict of arrays
        Transactions, one row per order, or with ``order_id`` one row per order line: a
        table of pyarrow (also a Dataset, Scanner or ParquetFile), pandas 3, polars (also a
        LazyFrame), DuckDB, ibis, dask or narwhals, of which only the named columns are
        decoded; files opened by :func:`custcore.read`; any other object that exports Arrow,
        such as a RecordBatchReader; an iterable of such batches; or a dict of
        one-dimensional numpy arrays. Or, if it has the columns of ``features``, one row per
        customer; then options of transactions are refused.
    k : int or "auto", default "auto"
        Number of clusters; "auto" takes what :func:`custcore.select_k` suggests among
        ``ks``.
    features : list of str, optional
        Features to cluster by. Default: ``recency_days``, ``n_orders`` and, with money,
        ``monetary_total``.
    log1p : list of str, or "auto", default "auto"
        Features whose logarithm is clustered, as in :class:`custcore.Scaler`; "auto":
        counts and money.
    how : {"standard", "robust"}, default "standard"
        ``"standard"``: the centre is the mean, the scale the population standard deviation.
        ``"robust"``: the median and the interquartile range, which a few very large
        customers do not move.
    ks : iterable of int, default range(2, 9)
        What "auto" may choose from; numbers above the number of customers are skipped.
    n_init : int or "auto", default "auto"
        Number of starts for each k, of which the best is kept. ``"auto"``: one start from
        centres that are searched first, as in :class:`custcore.KMeans`.
    random_state : int, default 0
        Seed; the same seed gives the same result in every version and on every machine.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.
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
        reported. Default: every row is an order.
    as_of : date, datetime or str, optional
        The last local day that counts, inclusive; later rows are left out and reported.
        Default: the last date among rows that have an id and a time, never today.
    returns : {"net", "exclude", "count"}, default "net"
        How orders with a negative amount count. ``"net"``: they lower the sums and are not
        purchases. ``"exclude"``: they are left out and reported. ``"count"``: they count
        like any other order. A customer who has only refunds is not a buyer.
    zero_is_purchase : bool, default True
        Whether an order with amount 0 is a purchase. Orders whose amounts are all null
        always are.
    order_lines : {"any", "adjacent"}, default "any"
        ``"any"``: lines of an order may be anywhere in the data. ``"adjacent"``: only
        consecutive lines form an order, which needs memory per customer only.
    n_days : bool, default False
        Whether to add the column ``n_days``, the number of distinct days with a purchase.
    attributes : dict of str to {"first", "last"}, optional
        Columns to keep per customer, each with its value at the first or at the last
        purchase; ties go to the smallest value. They may be integers, strings, binary,
        bools, dates, timestamps or floats (NaN is null); results have the same type.
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
    sort : bool, default True
        Whether rows are sorted by id (integers by value, strings by bytes). ``False``
        leaves their order unspecified and is faster.
    progress : callable, optional
        Called on this thread as ``progress(rows_done, rows_total)`` while rows are read;
        the total may be ``None``.

    Returns
    -------
    Table
        One row per customer, with all columns of :func:`custcore.rfm` (or of ``data``),
        then ``cluster`` (int32, from 0, best first) and ``segment`` (dictionary of
        strings). Its report is that of :func:`custcore.rfm`, with the reason for k as a
        remark.
    KMeans
        The model: ``names_``, ``profile()``, ``predict`` of raw features, ``save``.

    Raises
    ------
    NotEnoughDataError
        If there are fewer than two customers.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> day = datetime.date(2026, 1, 1)
    >>> times = [
    ...     day + datetime.timedelta(days=d) for d in (0, 1, 2, 60, 70, 80, 61, 71, 81)
    ... ]
    >>> orders = pa.table(
    ...     {
    ...         "customer_id": [1, 2, 3, 4, 4, 4, 5, 5, 5],
    ...         "timestamp": times,
    ...         "amount": [5.0, 6.0, 5.5, 40.0, 50.0, 45.0, 41.0, 52.0, 44.0],
    ...     }
    ... )
    >>> table, model = custcore.segment_customers(orders, k=2)
    >>> table.to_pyarrow()["segment"].to_pylist()[-1]
    'recent, frequent, big spend'
    >>> model.profile().to_pyarrow().select(["cluster", "customers"]).to_pylist()
    [{'cluster': 0, 'customers': 2}, {'cluster': 1, 'customers': 3}]
    """
    if k != "auto":
        k = at_least_one("k", k)
    wanted = checked_columns("features", features)
    customers, wanted = _customers(
        data,
        wanted,
        n_threads,
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        order_id=order_id,
        as_of=as_of,
        returns=returns,
        zero_is_purchase=zero_is_purchase,
        order_lines=order_lines,
        n_days=n_days,
        attributes=attributes,
        amount_decimals=amount_decimals,
        timezone=timezone,
        on_null=on_null,
        on_nonfinite=on_nonfinite,
        sort=sort,
        progress=progress,
    )
    n_customers = customers.num_rows
    if n_customers < 2:
        raise NotEnoughDataError(f"there are {n_customers} customers; clustering needs at least two")
    logs = _logs(log1p, wanted)
    scaler = Scaler(wanted, how=how, log1p=logs).fit(customers, n_threads=n_threads)
    reason: tuple[str, ...] = ()
    if k == "auto":
        k, reason = _chosen(customers, scaler, ks, n_customers, n_init, random_state, n_threads)
    elif arguments.whole("k", k) > n_customers:
        raise InvalidArgumentError(f"k={k} is more than the {n_customers} customers")
    model = KMeans(k, n_init=n_init, random_state=random_state, n_threads=n_threads, scaler=scaler).fit(customers)
    model = _ordered(model, customers)
    table = model.assign(customers)
    remarks = (*table.report.remarks, *reason, *_negative(customers, logs))
    table._report = dataclasses.replace(table.report, remarks=remarks)
    return table, model


def _customers(
    data: Data,
    wanted: list[str] | None,
    n_threads: int | None,
    **options: Any,  # noqa: ANN401 (those of rfm)
) -> tuple[Table, list[str]]:
    """One row per customer, and its features."""
    there, data = named(data)
    if there is not None and set(wanted or _RFM[:2]) <= set(there):
        defaults = inspect.unwrap(rfm).__kwdefaults__ or {}
        unused = sorted(name for name, value in options.items() if value != defaults[name])
        if unused:
            raise InvalidArgumentError(
                f"{unused} belong to purchases, but the data have one row per customer: their columns "
                f"{wanted or list(_RFM[:2])} are there"
            )
        customers = data if isinstance(data, Table) else Table(in_memory(read_features(data)))
        return customers, wanted or [name for name in _RFM if name in there]
    table = rfm(data, n_threads=n_threads, **options)
    wanted = wanted or [name for name in _RFM if name in table.column_names]
    return table, wanted


def _logs(log1p: object, wanted: list[str]) -> list[str]:
    if isinstance(log1p, str) and log1p == "auto":
        return [name for name in wanted if name in _SKEWED]
    given = tuple(log1p) if isinstance(log1p, list | tuple) else log1p
    return [] if given in {None, ()} else checked_columns("log1p", log1p) or []


def _negative(customers: Table, logs: list[str]) -> list[str]:
    """Remarks on features whose logarithm is taken and that have negative values."""
    remarks = []
    for name in logs:
        column: Any = customers[name]
        if column.type.startswith(("int", "float")) and importlib.util.find_spec("numpy"):
            count = int((column.to_numpy() < 0).sum())
        else:
            count = sum(value is not None and value < 0 for value in column)
        if count:
            remarks.append(f"{name} is negative for {count:,} customers: their logarithm is -log(1 - x)")
    return remarks


def _chosen(
    customers: Table,
    scaler: Scaler,
    ks: Iterable[int],
    n_customers: int,
    n_init: int | Literal["auto"],
    random_state: int,
    n_threads: int | None,
) -> tuple[int, tuple[str, ...]]:
    """The suggested number of clusters, and the reason."""
    tried = numbers_of_clusters(ks)
    possible = [k for k in tried if k <= n_customers]
    if not possible:
        raise InvalidArgumentError(f"ks={tried} are more than the {n_customers} customers")
    table = select_k(customers, possible, scaler=scaler, n_init=n_init, random_state=random_state, n_threads=n_threads)
    rows = zip(*(table._core.values(name, 0, table.num_rows) for name in ("k", "suggested")), strict=True)
    chosen = next((arguments.whole("k", k) for k, suggested in rows if suggested), possible[0])
    return chosen, table.report.remarks


def _ordered(model: KMeans, customers: Table) -> KMeans:
    """The same clusters, the best customers first, with their names."""
    core = model._fitted()
    names = core.feature_names or []
    signs = [-1.0 if name in _LOW_IS_BEST else 1.0 for name in names]
    centers = core.centers
    order = sorted(
        range(len(centers)),
        key=lambda j: (-sum(s * c for s, c in zip(signs, centers[j], strict=True)), j),
    )
    centers = [centers[j] for j in order]
    started = [core.init_centers[j] for j in order]
    scaler = None if model._scaler is None else model._scaler._core
    ordered = _core.KMeans.from_parameters(centers, started, core.inertia, core.n_iter, core.feature_names, scaler)
    found = model._with(ordered, cluster_names(names, centers))
    found._labels = found._fitted().predict(customers._core, n_threads=found._threads())
    found._profile = found.profile(customers)
    return found


def cluster_names(features: Sequence[str], centers: Sequence[Sequence[float]]) -> list[str]:
    """Name clusters by the features in which their centres differ from all customers; names are unique.

    >>> cluster_names(["recency_days", "n_orders"], [[-1.0, 2.0], [0.1, -0.2], [1.2, 0.0]])
    ['recent, very frequent', 'average', 'lapsed']
    """
    named = []
    for center in centers:
        words = []
        for feature, z in zip(features, center, strict=True):
            low, high = _WORDS.get(feature, (f"low {feature}", f"high {feature}"))
            if abs(z) > _APART:
                very = "very " if abs(z) > _FAR_APART else ""
                words.append(very + (high if z > 0 else low))
        named.append(", ".join(words) or "average")
    seen: dict[str, int] = {}
    for i, name in enumerate(named):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            named[i] = f"{name} ({seen[name]})"
    return named
