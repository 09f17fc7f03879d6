"""Corners of `KMeans`: what no feature can be, scores as features, and where labels and prediction part."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import custcore
from custcore.errors import ConvergenceWarning, InvalidTypeError


@pytest.mark.parametrize("values", [[1.0, 2.0, 1.0, 5.0], ["x", "y", "x", "z"]], ids=["of numbers", "of words"])
def test_a_dictionary_is_no_feature(values: list[float] | list[str]) -> None:
    table = pa.table({"a": pa.array(values).dictionary_encode(), "b": [1, 2, 3, 4]})
    with pytest.raises(InvalidTypeError, match=r"column 'a' \(a feature\) is dictionary<.*expected a number. Cast it"):
        custcore.KMeans(2).fit(table)


def test_scores_are_clustered_as_they_come() -> None:
    """Scores are bytes; repeated, they become points of a weight each, with the result of the rows one by one."""
    random = np.random.default_rng(0)
    scores = random.integers(1, 6, (20_000, 3)).astype(np.uint8)
    table = pa.table(list(scores.T), ["r_score", "f_score", "m_score"])
    start = scores[:5].astype(float)
    ours = custcore.KMeans(5, init=start).fit(table)
    # Half a unit off, values are no whole numbers, and rows stay rows; half a unit is exact in binary.
    rows = custcore.KMeans(5, init=start + 0.5).fit(scores + 0.5)
    assert (ours.labels_ == rows.labels_).all()
    assert ours.n_iter_ == rows.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_ + 0.5, rows.cluster_centers_, rtol=1e-15)


def test_a_strict_stop_while_a_cluster_is_relocated() -> None:
    """As in scikit-learn, labels that did not change end the run, though an emptied cluster has just got a centre."""
    cluster = pytest.importorskip("sklearn.cluster")
    x = np.array([[15.0], [15.0], [8.0], [15.0], [4.0], [8.0]])
    start = np.array([[-1.0], [29.0], [-7.0]])
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        ours = custcore.KMeans(3, init=start).fit(x)
    assert ours.labels_.tolist() == [1, 1, 0, 1, 0, 0]
    assert ours.cluster_centers_.ravel().tolist() == [8.0, 15.0, 4.0]
    assert ours.predict(x).tolist() == [1, 1, 0, 1, 2, 0]
    theirs = cluster.KMeans(3, init=start, n_init=1)
    with pytest.warns(UserWarning, match="distinct clusters"):
        theirs.fit(x)
    assert theirs.labels_.tolist() == ours.labels_.tolist()
    assert theirs.cluster_centers_.tolist() == ours.cluster_centers_.tolist()
    assert (theirs.n_iter_, theirs.inertia_) == (ours.n_iter_, ours.inertia_)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_features_whose_squares_are_not_representable(scale: float) -> None:
    """Rows would have no nearest centre: an error with the way out, which is one."""
    x = np.array([[0.0], [1.0], [10.0], [11.0]]) * scale
    word = "overflow" if scale > 1 else "underflow"
    for call in (
        lambda: custcore.KMeans(2, init=x[[0, 2]]).fit(x),
        lambda: custcore.KMeans(2).fit(x),
        lambda: custcore.select_k(x, [1, 2]),
        lambda: custcore.natural_breaks(x, 2),
    ):
        with pytest.raises(custcore.errors.OutOfRangeError, match=rf"squared distances {word}. Scale the features"):
            call()
    with pytest.raises(custcore.errors.OutOfRangeError, match="span"):
        custcore.KMeans(2, init=[[0.0], [1e200]]).fit(x / scale)
    model = custcore.KMeans(2, init=[[-1.0], [1.0]], scaler=custcore.Scaler()).fit(x)
    assert model.labels_.tolist() == [0, 0, 1, 1]
    assert model.predict(x).tolist() == [0, 0, 1, 1]
    assert np.isfinite(model.inertia_)
