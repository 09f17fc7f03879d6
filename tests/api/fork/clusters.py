"""K-means, scalers, and the choice of k."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import custcore
from tests.api.fork.case import FEATURES, FEW, MANY, THREADS, Case, kinds, points, public_names, stored, table, touch

KMEANS_WORDS = [
    "cluster_centers_",
    "feature_names_in_",
    "inertia_",
    "init_centers_",
    "labels_",
    "n_features_in_",
    "n_iter_",
    "names_",
    "scaler_",
    "__repr__",
    "__getstate__",
    "__setstate__",
]


def clusters() -> Iterator[Case]:
    for n in (FEW, MANY):

        def model(n: int = n) -> tuple[Any, Any]:
            x = points(n)
            return custcore.KMeans(4, n_init=2, n_threads=THREADS).fit(x), x

        x = functools.partial(points, n)
        for init in ("k-means++", "random"):
            yield Case(
                f"KMeans.fit, {init}, {n}",
                ("KMeans.__init__", "KMeans.fit"),
                lambda x, init=init: custcore.KMeans(4, init=init, n_init=2, n_threads=THREADS).fit(x).inertia_,
                x,
            )
        yield Case(
            f"KMeans.fit_predict, {n}",
            ("KMeans.fit_predict",),
            lambda x: custcore.KMeans(4, n_threads=THREADS).fit_predict(x).sum(),
            x,
        )
        for method in ("predict", "transform", "score"):
            yield Case(
                f"KMeans.{method}, {n}",
                (f"KMeans.{method}",),
                lambda s, method=method: np.asarray(getattr(s[0], method)(s[1])).sum(),
                model,
            )
        yield Case(
            f"KMeans.fit of whole numbers, {n}",
            ("KMeans.fit",),
            lambda x: custcore.KMeans(4, n_threads=THREADS).fit(x).inertia_,
            lambda n=n: np.random.default_rng(0).integers(1, 6, (n, 3)).astype(float),
        )
        yield Case(
            f"select_k, {n}",
            ("select_k",),
            lambda x: custcore.select_k(x, range(2, 6), n_threads=THREADS),
            x,
        )
        yield Case(
            f"natural_breaks, {n}",
            ("natural_breaks", *(f"Breaks.{name}" for name in public_names(custcore.Breaks))),
            lambda x: touch(custcore.natural_breaks({"v": x[:, 0]}, 4, n_threads=THREADS)),
            x,
        )
    for kind, data in kinds("few", "many"):

        def customers(data: Callable[[], Any] = data) -> Any:
            return table(data())

        def named(customers: Callable[[], Any] = customers) -> tuple[Any, Any]:
            found = customers()
            scaler = custcore.Scaler(FEATURES, log1p=FEATURES[1:2])
            return custcore.KMeans(3, scaler=scaler, n_threads=THREADS).fit(found), found

        yield Case(f"KMeans.assign, {kind}", ("KMeans.assign",), lambda s: s[0].assign(s[1]), named)
        yield Case(f"KMeans.profile, {kind}", ("KMeans.profile",), lambda s: s[0].profile(s[1]), named)
        yield Case(
            f"KMeans.predict_one, {kind}", ("KMeans.predict_one",), lambda s: s[0].predict_one([1.0, 2.0, 3.0]), named
        )
        covers, call = stored(custcore.KMeans, *KMEANS_WORDS)
        yield Case(f"KMeans, stored, {kind}", covers, lambda s, call=call: call(s[0])[0].inertia_, named, given=False)
        for how in ("standard", "robust"):
            yield Case(
                f"Scaler.fit, {how}, {kind}",
                ("Scaler.__init__", "Scaler.fit"),
                lambda t, how=how: custcore.Scaler(FEATURES, how=how).fit(t, n_threads=THREADS),
                customers,
            )

        def scaler(customers: Callable[[], Any] = customers) -> tuple[Any, Any]:
            found = customers()
            return custcore.Scaler(FEATURES).fit(found, n_threads=THREADS), found

        yield Case(
            f"Scaler.fit_transform, {kind}",
            ("Scaler.fit_transform",),
            lambda t: custcore.Scaler(FEATURES).fit_transform(t, n_threads=THREADS),
            customers,
        )
        yield Case(
            f"Scaler.transform, {kind}",
            ("Scaler.transform",),
            lambda s: s[0].transform(s[1], n_threads=THREADS),
            scaler,
        )
        covers, call = stored(custcore.Scaler, "__reduce__", "__eq__")
        words = ("center_", "feature_names_in_", "inverse_transform", "is_fitted", "scale_")
        yield Case(
            f"Scaler, stored, {kind}",
            (*covers, *(f"Scaler.{word}" for word in words)),
            lambda s, call=call: (call(s[0]), touch(s[0]), s[0].inverse_transform([[0.0, 0.0, 0.0]])),
            scaler,
            given=False,
        )
        for k in ("auto", 4):
            yield Case(
                f"segment_customers {k}, {kind}",
                ("segment_customers",),
                lambda t, k=k: custcore.segment_customers(t, k, features=FEATURES, ks=range(2, 6), n_threads=THREADS)[
                    0
                ],
                customers,
            )
