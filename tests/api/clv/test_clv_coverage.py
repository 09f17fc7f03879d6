"""A sample of `tests.stress.coverage`, which `make stress` runs on 500 sets: simulated parameters are found again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clv_simulation import TRUE, histories, spenders
from tests.stress.coverage import MODELS, coverage, distance


@pytest.mark.parametrize("name", MODELS)
def test_intervals_hold_the_truth(name: str) -> None:
    """Of 10 sets at least 7: at 95 % one fewer happens in 1 of 1,000 samples, and these are always the same."""
    assert min(coverage(name, 10).values()) >= 0.7


@pytest.mark.parametrize("name", MODELS)
def test_large_sets_are_close(name: str) -> None:
    assert np.abs(list(distance(name, 50_000).values())).max() < 4


@pytest.mark.parametrize("family", ["NBD", "BGNBD", "MBGNBD", "ParetoNBD"])
def test_the_simulation_is_that_of_the_model(family: str) -> None:
    """The mean number of repeat purchases is the expected one, by the model and by the slow reference."""
    from tests.reference.clv import Purchases

    rows = histories(family, TRUE[family], 200_000, 3, weeks=(60, 60))
    x, t_x = rows["x"].to_numpy(), rows["t_x"].to_numpy()
    wanted = Purchases.of(family, TRUE[family]).unconditional(60)
    assert x.mean() == pytest.approx(wanted, abs=5 * x.std() / np.sqrt(len(x)))
    assert ((x == 0) == (t_x == 0)).all()
    model = MODELS[family].of_parameters(TRUE[family])
    assert model.new_customers("60w").to_pylist()[0]["expected_purchases"] == pytest.approx(wanted, rel=1e-9)


def test_the_spend_of_the_simulation() -> None:
    rows = spenders(TRUE["GammaGamma"], 200_000, 3)
    p, q, gamma = TRUE["GammaGamma"].values()
    means = rows["m_x"].drop_null().to_numpy()
    assert means.mean() == pytest.approx(p * gamma / (q - 1), rel=0.02)
