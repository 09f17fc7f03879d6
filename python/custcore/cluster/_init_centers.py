"""Initialisation of k-means: number of clusters, given centres, callables; random draws are in the core."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore._input import arguments
from custcore.cluster._features import columns as checked_columns
from custcore.cluster._features import feature_rows, reusable
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from custcore.cluster._features import Features
    from custcore.cluster._scaler import Scaler

__all__ = [
    "at_least_one",
    "called",
    "feature_columns",
    "given_centers",
    "matrix",
    "number_of_starts",
    "numbers_of_clusters",
    "reusable_features",
    "too_few_clusters",
]


def too_few_clusters(found: int, wanted: int) -> str:
    """The text of the warning, as in scikit-learn."""
    return (
        f"Number of distinct clusters ({found}) found smaller than n_clusters ({wanted}). "
        "Possibly due to duplicate points in X."
    )


def feature_columns(columns: object, scaler: Scaler | None) -> list[str] | None:
    """The given feature names, else those of the scaler, else None for all columns."""
    listed = checked_columns("columns", columns)
    return listed if listed is not None or scaler is None else scaler.feature_names_in_


def reusable_features(x: Features, columns: object, scaler: Scaler | None) -> object:
    """``x`` in a form that can be read any number of times: what ``columns`` or the scaler name, else all of it."""
    listed = checked_columns("columns", columns)
    if scaler is None:
        return reusable(x, listed)
    scaled = scaler._core.feature_names
    return reusable(x, None if scaled is None else dict.fromkeys([*(listed or []), *scaled]))


def numbers_of_clusters(ks: object) -> list[int]:
    """Several numbers of clusters, each 1 or more."""
    if isinstance(ks, str | bytes) or not isinstance(ks, Iterable):
        raise InvalidTypeError(f"ks={ks!r} is {type(ks).__name__}; expected numbers of clusters, e.g. range(2, 11)")
    listed = [at_least_one("ks", k) for k in ks]
    if not listed:
        raise InvalidArgumentError("ks is empty; expected numbers of clusters, e.g. range(2, 11)")
    return listed


def at_least_one(argument: str, value: object) -> int:
    """An integer of 1 or more."""
    number = arguments.whole(argument, value)
    if number < 1:
        raise InvalidArgumentError(f"{argument}={number} must be 1 or more")
    return number


def number_of_starts(n_init: object) -> int | None:
    """A number of starts of 1 or more; None for "auto"."""
    return None if isinstance(n_init, str) and n_init == "auto" else at_least_one("n_init", n_init)


def given_centers(init: Any, n_clusters: int, n_features: int | None = None) -> list[list[float]]:  # noqa: ANN401
    """Initial centres, checked; the number of features only if it is known."""
    centers = feature_rows("init", init)
    shape = (len(centers), len(centers[0]))
    if len(centers) != n_clusters:
        raise InvalidArgumentError(
            f"The shape of the initial centers {shape} does not match the number of clusters {n_clusters}."
        )
    if n_features is not None and shape[1] != n_features:
        raise InvalidArgumentError(
            f"The shape of the initial centers {shape} does not match the number of features of the data {n_features}."
        )
    for number, center in enumerate(centers):
        if not all(map(math.isfinite, center)):
            raise InvalidArgumentError(f"init[{number}]={center} contains NaN or infinity; expected finite numbers")
    return centers


def matrix(x: object, columns: list[str] | None, scaler: _core.Scaler | None) -> Any:  # noqa: ANN401
    """The scaled features for a callable: rows by features."""
    import numpy as np

    if scaler is None:
        if isinstance(x, np.ndarray):
            return x
        if isinstance(x, memoryview):
            return np.asarray(x)
        plain = _core.Scaler(columns, how="standard", log1p=[]).fit(x, n_threads=None)
        d = len(plain.centers)
        scaler = _core.Scaler.from_parameters(plain.feature_names, "standard", [0.0] * d, [1.0] * d, [False] * d)
    table = Table(scaler.transform(x, n_threads=None))
    return np.column_stack([table.to_numpy(name) for name in table.column_names])


def called(init: Callable[..., Any], x: Any, n_clusters: int, n_init: int, seed: int) -> list[list[list[float]]]:  # noqa: ANN401
    """The initial centres from a callable, for each start."""
    import numpy as np

    random_state = np.random.RandomState(seed % 2**32)
    starts = (init(x, n_clusters, random_state=random_state) for _ in range(n_init))
    return [given_centers(start, n_clusters, x.shape[1]) for start in starts]
