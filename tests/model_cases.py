"""Models of every kind, small ones and awkward ones, for the tests of saving and loading."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

import custcore
from custcore import clv
from custcore.experiments import EffectResult, Mean, Ratio
from tests.samples import transactions

Model = Any


def customers(ids: list[Any] | pa.Array | None = None) -> pa.Table:
    """An RFM table of twelve customers with ties and a group that is null."""
    rows = range(12)
    return pa.table(
        {
            "customer_id": ids if ids is not None else pa.array(rows, pa.int64()),
            "recency_days": pa.array([i * i % 7 for i in rows], pa.int32()),
            "n_orders": pa.array([1 + i % 4 for i in rows], pa.int64()),
            "monetary_total": pa.array([0.1 * i**3 - 3 for i in rows], pa.float64()),
            "country": pa.array([None if i == 5 else "de" if i % 2 else "fr" for i in rows]),
        }
    )


def decimals() -> pa.Table:
    values = [decimal.Decimal(10**30 + i * 10**29) / 10**6 for i in range(12)]
    money = pa.array(values, pa.decimal128(38, 6))
    return customers().set_column(3, "monetary_total", money)


def grouped(values: pa.Array) -> pa.Table:
    return customers().set_column(4, "country", values)


def rfm_scorer(table: pa.Table | None = None, **settings: Any) -> custcore.RFMScorer:
    return custcore.RFMScorer(**settings).fit(customers() if table is None else table)


def quantile_scorer(**settings: Any) -> custcore.QuantileScorer:
    columns = ["n_orders", "monetary_total"]
    return custcore.QuantileScorer(columns, **settings).fit(customers())


def kmeans(k: int = 2, **settings: Any) -> custcore.KMeans:
    columns = ["n_orders", "monetary_total"]
    return custcore.KMeans(k, columns=columns, **settings).fit(customers())


def segmented() -> custcore.KMeans:
    # What "auto" chose when the golden file was written: some customers have negative money.
    return custcore.segment_customers(transactions(nulls=False), k=2, log1p=["n_orders"], n_init=10)[1]


def purchases() -> custcore.CustomerBase:
    """A base of gaps of 2, 3, 5 and 9 days, and of open ones."""
    base = custcore.CustomerBase(amount=None, track="days")
    days = [(1, 1), (1, 3), (1, 6), (2, 2), (2, 7), (2, 16), (3, 4)]
    when = [datetime.date(2026, 1, day) for _, day in days]
    base.update(pa.table({"customer_id": [customer for customer, _ in days], "timestamp": when}))
    return base


def baskets() -> custcore.CustomerBase:
    """A base of three categories."""
    base = custcore.CustomerBase(amount=None, categories="kind")
    bought = [(1, "tea"), (1, "tin"), (2, "tea"), (2, "tin"), (3, "tea"), (3, "pot"), (4, "tin")]
    columns = {"customer_id": [customer for customer, _ in bought], "kind": [kind for _, kind in bought]}
    base.update(pa.table(columns | {"timestamp": [datetime.date(2026, 1, 5)] * len(bought)}))
    return base


def lifecycle(**settings: Any) -> custcore.LifecycleModel:
    return custcore.LifecycleModel(min_at_risk=1, quantiles=(0.4, 0.9), **settings).fit(purchases())


def repeat_customers() -> dict[str, np.ndarray[Any, Any]]:
    """A summary of customers of two channels, of whom the slow ones may be lost."""
    i = np.arange(240)
    age, x = 150 + i * 13 % 90, (i * i % 17) ** 2 // 12
    t_x = np.where(x > 0, np.maximum(x, age * (1 + i * 7 % 10) // 11), 0)
    return {
        "x": x,
        "t_x": t_x,
        "T": age,
        "m_x": np.where(x > 0, 5.0 + i * i % 41 + i % 7 / 8, np.nan),
        "channel": np.where(i % 2 == 0, "app", "shop"),
    }


def effect(**settings: Any) -> EffectResult:
    """The effect of an experiment on the customers of a table of scores."""
    table = customers().append_column("group", pa.array([["control", "mail", "coupon"][i % 3] for i in range(12)]))
    return custcore.effect_of(table, [Mean("monetary_total"), Ratio("monetary_total", "n_orders")], **settings)


# The smallest of each kind, for tests that try all changes of their bytes.
SMALL: dict[str, Callable[[], Model]] = {
    "rfm_scorer": lambda: rfm_scorer(bins=2, segments=None),
    "quantile_scorer": lambda: custcore.QuantileScorer(["n_orders"], bins=2).fit(customers()),
    "segment_map": lambda: custcore.SegmentMap([("a", 1, None)], bins=2, rest="b"),
    "scaler": lambda: custcore.Scaler(["n_orders"]).fit(customers()),
    "kmeans": lambda: custcore.KMeans(1, columns=["n_orders"]).fit(customers()),
    "churn": lambda: custcore.ChurnModel(30, strata=(1, 2), min_at_risk=1).fit(purchases()),
    "lifecycle": lifecycle,
    "next_category": lambda: custcore.NextCategory(min_customers=1).fit(baskets()),
    "clv_purchases": lambda: clv.NBD.of_parameters({"r": 0.5, "alpha": 3.0}),
    "clv_spend": lambda: clv.GammaGamma.of_parameters({"p": 6.0, "q": 4.0, "gamma": 15.0}),
    "clv_contracts": lambda: clv.SBG.of_parameters({"a": 0.7, "b": 1.2}),
}

FITTED: dict[str, Callable[[], Model]] = SMALL | {
    "rfm": rfm_scorer,
    "rfm without money": lambda: rfm_scorer(customers().drop_columns(["monetary_total"])),
    "rfm of decimals": lambda: rfm_scorer(decimals()),
    "rfm with 100 bins": lambda: rfm_scorer(bins=(100, 3, 7), segments=None),
    "rfm of one customer": lambda: rfm_scorer(customers().slice(0, 1)),
    "split": lambda: rfm_scorer(ties="split"),
    "split by unsigned ids": lambda: rfm_scorer(
        customers(pa.array([2**64 - 1 - i for i in range(12)], pa.uint64())), ties="split"
    ),
    "split by text": lambda: rfm_scorer(customers([f'"ünï\\{i}\n' for i in range(12)]), ties="split"),
    "split by bytes": lambda: rfm_scorer(customers(pa.array([bytes([255 - i, 0]) for i in range(12)])), ties="split"),
    "split of decimals": lambda: rfm_scorer(decimals(), ties="split"),
    "nested": lambda: rfm_scorer(binning="nested"),
    "nested, split, by group, unseen": lambda: rfm_scorer(
        binning="nested", ties="split", by="country", unseen="global", bins=3, segments=None
    ),
    "by": lambda: rfm_scorer(by="country"),
    "by number": lambda: rfm_scorer(grouped(pa.array([i % 3 for i in range(12)], pa.uint64())), by="country"),
    "by bytes": lambda: rfm_scorer(
        grouped(pa.array([bytes([i % 3]) for i in range(12)])), by="country", unseen="global"
    ),
    "cuts": lambda: rfm_scorer(cuts={"recency": [0.5, 3], "monetary": [-1e300, 0.1, 1e300]}, closed="left"),
    "r": lambda: rfm_scorer(cuts_rule="r", segments="r_vignette", weights=(0.1, 0.2, 0.7)),
    "octants": lambda: rfm_scorer(segments="octants"),
    "octants in Chinese": lambda: rfm_scorer(segments=custcore.SegmentMap.named("octants", lang="zh", center="median")),
    "a map of one's own": lambda: rfm_scorer(
        segments=custcore.SegmentMap([("好", (4, 5), None, 5), ("b", 1, 1)], bins=5, rest="rest")
    ),
    "quantile": lambda: quantile_scorer(directions={"n_orders": "low"}, bins=[3, 4], weights=[0.3, 2]),
    "lifecycle of own rhythm": lambda: lifecycle(rhythm="own", prior_gaps=1),
    "lifecycle of given windows": lambda: lifecycle(active_days=3, loss_days=40),
    "quantile split": lambda: quantile_scorer(ties="split"),
    "rf10": lambda: custcore.SegmentMap.named("rf10"),
    "effect": effect,
    "effect of segments": lambda: effect(
        by="country", strata="country", adjust="recency_days", winsorize=0.9, margin=0.5, cost={"fixed": 9}
    ),
    "octant map": lambda: custcore.SegmentMap.named("octants", lang="zh"),
    "robust scaler": lambda: custcore.Scaler(how="robust", log1p=["n_orders"]).fit(
        customers().select(["n_orders", "recency_days"])
    ),
    "scaler of an array": lambda: custcore.Scaler().fit([[1.0, 1e-300], [0.1, 5e-324]]),
    "k-means": lambda: kmeans(3, random_state=2**64 - 1, n_init=3, tol=0.0),
    "k-means with a scaler": lambda: custcore.KMeans(
        2, scaler=custcore.Scaler(["n_orders", "recency_days"], log1p=["n_orders"])
    ).fit(customers()),
    "k-means from given centres": lambda: kmeans(init=[[1.0, 0.0], [2.0, 1e9]]),
    "k-means with a drawn seed": lambda: kmeans(random_state=None),
    "k-means of an array": lambda: custcore.KMeans(2).fit([[1.0, -0.0], [2.0, 1e100], [0.1, 3.0]]),
    "named clusters": segmented,
    "clv of days": lambda: clv.NBD(unit="day").fit(repeat_customers()),
    "clv by channel": lambda: clv.NBD(by="channel", min_customers=100, unseen="error").fit(repeat_customers()),
    "clv with a prior": lambda: clv.ParetoNBD(
        prior={"s": (0.0, 0.5), "beta": (2.0, 0.5)}, start={"r": 1.0, "alpha": 5.0, "s": 1.0, "beta": 9.0}
    ).fit(repeat_customers()),
    "fitted spend": lambda: clv.GammaGamma(max_iter=50).fit(repeat_customers()),
    "fitted contracts": lambda: clv.SBG().fit([369, 163, 86, 56], 1_000),
    "churn of all customers": lambda: custcore.ChurnModel(1, strata=[1], min_at_risk=1).fit(purchases()),
}

UNFITTED: dict[str, Callable[[], Model]] = {
    "rfm": lambda: custcore.RFMScorer(bins=(3, 4, 5), cuts={"monetary": [1.0]}, segments=None),
    "quantile": lambda: custcore.QuantileScorer(["a", "b"], ties="split"),
    "churn": lambda: custcore.ChurnModel(7, strata=[1, 9], min_at_risk=2),
    "next_category": lambda: custcore.NextCategory("confidence", min_customers=3),
    "clv": lambda: clv.BGNBD(unit="year", starts="all", prior={"a": (0.0, 1.0)}),
    "spend": lambda: clv.GammaGamma(max_iter=7, on_failure="warn"),
    "contracts": clv.SBG,
    "scaler": lambda: custcore.Scaler(["a", "b"], how="robust", log1p=["b"]),
}


def sealed(data: bytes, body: Any) -> bytes:
    """The file with another body, and the checksum of that."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    head = json.loads(data) | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    del head["body"]
    return (json.dumps(head)[:-1] + ', "body": ' + text + "}").encode()


def body_of(data: bytes) -> Any:
    return json.loads(data)["body"]
