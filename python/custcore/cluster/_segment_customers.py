"""``custcore.segment_customers``: from purchases to named clusters of customers in one call."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.data import in_memory
from custcore._rfm import rfm
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import features as read_features
from custcore.cluster._features import named
from custcore.cluster._init_centers import at_least_one
from custcore.cluster._kmeans import KMeans
from custcore.cluster._scaler import Scaler
from custcore.cluster._select_k import select_k
from custcore.errors import InvalidArgumentError, NotEnoughDataError, OutOfRangeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custcore._input.data import Data

__all__ = ["segment_customers"]

# What every customer has; counts and money are skewed, so their logarithms are clustered.
_RFM = ("recency_days", "n_orders", "monetary_total")
_SKEWED = ("n_orders", "n_rows", "n_days", "monetary_total", "monetary_mean")

# How a cluster is called whose centre lies below or above all customers by half a standard deviation.
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


def segment_customers(
    data: Data,
    k: int | Literal["auto"] = "auto",
    *,
    features: Sequence[str] | None = None,
    log1p: Sequence[str] | Literal["auto"] = "auto",
    how: Literal["standard", "robust"] = "standard",
    ks: Iterable[int] = range(2, 9),
    n_init: int = 10,
    random_state: int = 0,
    n_threads: int | None = None,
    **rfm_options: Any,  # noqa: ANN401
) -> tuple[Table, KMeans]:
    """Cluster customers by what they do, choose how many clusters there are, and name them.

    Purchases become one row per customer (:func:`custcore.rfm`), skewed features become logarithms, all are brought to
    one scale (:class:`custcore.Scaler`), k is chosen (:func:`custcore.select_k`), the clusters are found
    (:class:`custcore.KMeans`), ordered from the best customers to the least, and named by how their centres differ from
    all customers.

    Parameters
    ----------
    data
        Purchases, as in :func:`custcore.rfm`; or, if it has the columns of ``features``, one row per customer.
    k : int or "auto"
        How many clusters; "auto" takes what :func:`custcore.select_k` suggests among ``ks``.
    features : list of str, optional
        Default: ``recency_days``, ``n_orders`` and, where there is money, ``monetary_total``.
    log1p : list of str, or "auto"
        Features whose logarithm is clustered; "auto" takes counts and money that are nowhere negative.
    how : {"standard", "robust"}
        As in :class:`custcore.Scaler`.
    ks : whole numbers, default 2 to 8
        What "auto" may choose from; numbers above the number of customers are passed over.
    n_init, random_state, n_threads
        As in :class:`custcore.KMeans`.
    **rfm_options
        The other arguments of :func:`custcore.rfm`: ``customer_id``, ``timestamp``, ``amount``, ``order_id``, ...

    Returns
    -------
    Table
        One row per customer, with all columns of :func:`custcore.rfm` (or of ``data``), then ``cluster`` (int32, from
        0, best first) and ``segment`` (dictionary of strings). Its report is that of :func:`custcore.rfm`, with the
        reason for k as a remark.
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
    >>> times = [day + datetime.timedelta(days=d) for d in (0, 1, 2, 60, 70, 80, 61, 71, 81)]
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
    customers, wanted = _customers(data, wanted, n_threads, rfm_options)
    n_customers = customers.num_rows
    if n_customers < 2:
        raise NotEnoughDataError(f"there are {n_customers} customers; clusters need two at least")
    logs = _logs(log1p, customers, wanted, n_threads)
    scaler = Scaler(wanted, how=how, log1p=logs).fit(customers, n_threads=n_threads)
    reason: tuple[str, ...] = ()
    if k == "auto":
        k, reason = _chosen(customers, scaler, ks, n_customers, n_init, random_state, n_threads)
    model = KMeans(k, n_init=n_init, random_state=random_state, n_threads=n_threads, scaler=scaler).fit(customers)
    model = _ordered(model, customers)
    table = model.assign(customers)
    table._report = dataclasses.replace(table.report, remarks=(*table.report.remarks, *reason))
    return table, model


def _customers(
    data: Data, wanted: list[str] | None, n_threads: int | None, options: dict[str, Any]
) -> tuple[Table, list[str]]:
    """One row per customer, and its features."""
    there, data = named(data)
    if there is not None and set(wanted or _RFM[:2]) <= set(there):
        if options:
            raise InvalidArgumentError(
                f"{sorted(options)} belong to purchases, but the data have one row per customer: their columns "
                f"{wanted or list(_RFM[:2])} are there"
            )
        customers = data if isinstance(data, Table) else Table(in_memory(read_features(data)))
        return customers, wanted or [name for name in _RFM if name in there]
    table = rfm(data, n_threads=n_threads, **options)
    wanted = wanted or [name for name in _RFM if name in table.column_names]
    return table, wanted


def _logs(log1p: object, customers: Table, wanted: list[str], n_threads: int | None) -> list[str]:
    if isinstance(log1p, str) and log1p == "auto":
        return _skewed(customers, wanted, n_threads)
    given = tuple(log1p) if isinstance(log1p, list | tuple) else log1p
    return [] if given in {None, ()} else checked_columns("log1p", log1p) or []


def _skewed(customers: Table, wanted: list[str], n_threads: int | None) -> list[str]:
    """Counts and money whose values all have a logarithm: those above -1."""
    found = []
    for name in wanted:
        if name in _SKEWED:
            try:
                Scaler([name], log1p=[name]).fit(customers, n_threads=n_threads)
            except (InvalidArgumentError, OutOfRangeError):
                continue
            found.append(name)
    return found


def _chosen(
    customers: Table,
    scaler: Scaler,
    ks: Iterable[int],
    n_customers: int,
    n_init: int,
    random_state: int,
    n_threads: int | None,
) -> tuple[int, tuple[str, ...]]:
    """The number of clusters that is suggested, and why."""
    tried = [at_least_one("ks", k) for k in ks]
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
    """Name clusters by the features in which their centres lie apart from all customers; no two are alike.

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
