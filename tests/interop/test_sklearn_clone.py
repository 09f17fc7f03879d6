"""Scorers as scikit-learn copies them: ``clone``, ``get_params``, ``set_params``."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import custcore
from custcore.errors import InvalidArgumentError

SCORERS = [
    custcore.RFMScorer(),
    custcore.RFMScorer((3, 4, 5), ties="split", by="country", customer_id=["country", "id"], segments=None),
    custcore.RFMScorer({"monetary": 3}, cuts={"monetary": [1.5, 9]}, segments=custcore.SegmentMap.named("rf10")),
    custcore.QuantileScorer(["visits", "away"], directions={"away": "low"}, bins=[3, 4], weights=(1, 2)),
]
CUSTOMERS = {"recency_days": [1, 2, 3, 4], "n_orders": [4, 3, 2, 1], "monetary_total": [1.0, 2.0, 3.0, 5.0]}


@pytest.mark.parametrize("scorer", SCORERS)
def test_clone(scorer: Any) -> None:
    clone = pytest.importorskip("sklearn.base").clone
    cloned = clone(scorer)
    assert type(cloned) is type(scorer)
    assert cloned is not scorer
    assert cloned == scorer
    assert repr(cloned) == repr(scorer)


def test_a_clone_is_not_fitted() -> None:
    np = pytest.importorskip("numpy")
    clone = pytest.importorskip("sklearn.base").clone
    fitted = custcore.RFMScorer(2).fit({name: np.array(values) for name, values in CUSTOMERS.items()})
    with pytest.raises(custcore.errors.NotFittedError):
        clone(fitted).score_one(1, 2, 3.0)
    assert fitted.score_one(1, 4, 5.0)[:3] == (2, 2, 2)


@pytest.mark.parametrize("scorer", SCORERS)
def test_parameters_make_an_equal_scorer(scorer: Any) -> None:
    loaded = pickle.loads(pickle.dumps(scorer))
    for one in (scorer, loaded, copy.deepcopy(scorer)):
        assert type(scorer)(**one.get_params(deep=False)) == scorer


def test_set_params() -> None:
    scorer = custcore.RFMScorer(3, weights=(1, 1, 1))
    assert scorer.set_params(bins=4, ties="split") is scorer
    assert scorer == custcore.RFMScorer(4, ties="split", weights=(1, 1, 1))
    assert scorer.get_params()["bins"] == 4
    with pytest.raises(InvalidArgumentError, match=r"RFMScorer has no argument 'bin'; its arguments are bins, ties"):
        scorer.set_params(bin=4)
    with pytest.raises(InvalidArgumentError):
        scorer.set_params(bins=1)
    assert scorer == custcore.RFMScorer(4, ties="split", weights=(1, 1, 1))
    assert scorer.get_params()["bins"] == 4
