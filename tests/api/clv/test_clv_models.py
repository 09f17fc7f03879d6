"""`custcore.clv` on purchases: files and copies of models, and arguments."""

from __future__ import annotations

import copy
import math
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import custcore
from custcore import clv
from custcore.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    ModelFormatError,
    NotFittedError,
    OutOfRangeError,
)

# Files and copies


def test_saved_models(model: clv.PurchaseModel, summary: custcore.Table, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    model.save(path)
    for loaded in (
        type(model).load(path),
        clv.PurchaseModel.load(path),
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
    ):
        assert type(loaded) is type(model)
        assert loaded == model
        assert loaded.settings == model.settings
        assert repr(loaded.fit_) == repr(model.fit_)
        assert loaded.predict(summary, [9, None]).equals(model.predict(summary, [9, None]))
    assert model.to_bytes() == type(model).load(path).to_bytes()


def test_settings_are_saved(summary: custcore.Table) -> None:
    settings: dict[str, Any] = {
        "unit": "month",
        "min_customers": 300,
        "unseen": "error",
        "start": {"r": 1.0, "alpha": 3.0, "s": 0.5, "beta": 2.0},
        "starts": "auto",
        "prior": {"r": (0.0, 10.0), "beta": (0.5, 9.0)},
        "max_iter": 77,
        "on_failure": "warn",
    }
    model = clv.ParetoNBD(**settings)
    assert {name: model.settings[name] for name in settings} == settings
    assert pickle.loads(pickle.dumps(model)) == model == clv.ParetoNBD(**model.settings)
    fitted = model.fit(summary)
    loaded = clv.ParetoNBD.from_bytes(fitted.to_bytes())
    assert loaded == fitted
    assert loaded.settings == fitted.settings
    assert fitted != clv.ParetoNBD(**{**settings, "max_iter": 78}).fit(summary)


def test_models_of_another_kind(default: clv.MBGNBD) -> None:
    with pytest.raises(ModelFormatError, match="the model is a MBGNBD; expected BGNBD"):
        clv.BGNBD.from_bytes(default.to_bytes())
    with pytest.raises(ModelFormatError):
        clv.GammaGamma.from_bytes(default.to_bytes())
    with pytest.raises(InvalidTypeError, match="make one of them"):
        clv.PurchaseModel()
    with pytest.raises(ModelFormatError):
        clv.PurchaseModel.from_bytes(custcore.SegmentMap.named("rf10").to_bytes())
    with pytest.raises(ModelFormatError):
        clv.MBGNBD.from_bytes(default.to_bytes()[:-20])


def test_models_are_equal_or_not(default: clv.MBGNBD, summary: custcore.Table) -> None:
    assert clv.MBGNBD() == clv.MBGNBD(n_threads=2) != clv.BGNBD()
    assert clv.MBGNBD() != default
    assert default == clv.MBGNBD().fit(summary)
    assert default != clv.MBGNBD(unit="day").fit(summary)
    assert default != 1


# Arguments


def test_horizons() -> None:
    model = clv.NBD.of_parameters({"r": 1.0, "alpha": 1.0})

    def expected(horizon: Any) -> float | None:
        return model.predict_one(3, 5, 9, horizon=horizon).expected_purchases

    assert expected("12w") == expected(84) == expected(84.0) == expected(timedelta(weeks=12)) == expected(" 12 w ")
    assert expected("6mo") == expected(182.625)
    assert expected("1y") == expected(365.25) == expected(np.float64(365.25))
    assert expected(np.timedelta64(84, "D")) == expected(np.int64(84)) == expected("84d")
    assert expected("0.5w") == expected(timedelta(hours=84))
    assert expected(None) is None


@pytest.mark.parametrize(
    ("horizon", "error", "says"),
    [
        (-1, InvalidArgumentError, "horizon=-1 is negative; expected days, a timedelta"),
        (timedelta(days=-1), InvalidArgumentError, "is negative"),
        (math.nan, InvalidArgumentError, "horizon=nan is invalid"),
        (math.inf, InvalidArgumentError, "or None for no end"),
        ("3m", InvalidArgumentError, "units d, w, mo, y"),
        ("w", InvalidArgumentError, "is not a length of time"),
        (True, InvalidTypeError, "horizon=True is bool"),
        (b"12w", InvalidTypeError, "is bytes"),
        (1e9, OutOfRangeError, "more than 1,000,000 days"),
        (np.timedelta64(3, "M"), InvalidArgumentError, "has no length in days"),
    ],
)
def test_horizons_that_are_none(horizon: Any, error: type[Exception], says: str) -> None:
    model = clv.NBD.of_parameters({"r": 1.0, "alpha": 1.0})
    with pytest.raises(error, match=says) as raised:
        model.predict_one(3, 5, 9, horizon=horizon)
    assert isinstance(raised.value, ValueError | TypeError)


def test_lists_of_horizons(default: clv.MBGNBD, summary: custcore.Table) -> None:
    assert default.predict(summary[:2], [30])["horizon_days"].to_pylist() == [30.0, 30.0]
    with pytest.raises(InvalidArgumentError, match="horizon is empty"):
        default.predict(summary, [])
    with pytest.raises(InvalidArgumentError, match=r"horizon\[1\]=-2 is negative"):
        default.predict(summary, [1, -2])
    with pytest.raises(InvalidArgumentError, match="names a horizon twice"):
        default.predict(summary, [7, "1w"])


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (
            {"unit": "weeks"},
            InvalidArgumentError,
            "unit='weeks' is invalid; expected one of 'day', 'week', 'month', 'year'",
        ),
        ({"by": 3}, InvalidTypeError, "by=3 is int; expected a string"),
        ({"min_customers": 0}, InvalidArgumentError, "min_customers=0 is invalid"),
        ({"unseen": "x"}, InvalidArgumentError, "expected one of 'global', 'error'"),
        ({"starts": 3}, InvalidTypeError, "starts=3 is int"),
        ({"start": {"r": 1.0}}, InvalidArgumentError, "expected all of r, alpha, a, b"),
        ({"start": [1, 2, 3, 4]}, InvalidTypeError, "expected a dict of r, alpha, a, b"),
        ({"start": {"r": 0, "alpha": 1, "a": 1, "b": 1}}, InvalidArgumentError, r"start\['r'\]=0.0 is invalid"),
        ({"prior": {"s": (0, 1)}}, InvalidArgumentError, "prior has 's'; the parameters are r, alpha, a, b"),
        ({"prior": {"r": 1}}, InvalidTypeError, r"prior\['r'\]=1; expected \(mean, standard deviation\)"),
        ({"prior": {"r": (0, 0)}}, InvalidArgumentError, r"prior\['r'\]\[1\]=0.0 is invalid"),
        ({"max_iter": 0}, InvalidArgumentError, "max_iter=0 is invalid"),
        ({"on_failure": "ignore"}, InvalidArgumentError, "expected one of 'error', 'warn'"),
        ({"n_threads": "two"}, InvalidTypeError, "n_threads='two' is str"),
    ],
)
def test_settings_that_are_none(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        clv.MBGNBD(**options)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"spend": 20.0}, InvalidTypeError, "spend=20.0 is float; expected a GammaGamma, 'own_mean' or None"),
        ({"spend": "mean"}, InvalidArgumentError, "expected one of 'own_mean'"),
        ({"spend": clv.GammaGamma()}, NotFittedError, "this GammaGamma is not fitted yet"),
        ({"margin": math.nan}, InvalidArgumentError, "margin=nan is invalid"),
        ({"annual_rate": -0.1}, InvalidArgumentError, "annual_rate=-0.1 is negative"),
        ({"discount": "yearly"}, InvalidArgumentError, "expected one of 'continuous', 'monthly'"),
        ({"period_days": 7}, InvalidArgumentError, "period_days is given without period_rate"),
        ({"period_rate": 0.01}, InvalidArgumentError, "period_rate is given without period_days"),
        ({"period_rate": 0.01, "period_days": 0}, InvalidArgumentError, "period_days=0.0 is invalid"),
        ({"level": 1}, InvalidArgumentError, "level=1.0 is invalid; expected a probability"),
        ({"cells": 1}, InvalidTypeError, "cells=1 is int; expected True or False"),
        ({"unit": "hour"}, InvalidArgumentError, "unit='hour' is invalid"),
    ],
)
def test_options_of_predictions_that_are_none(
    default: clv.MBGNBD, summary: custcore.Table, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        default.predict(summary, 30, **options)


def test_a_base_is_no_summary(base: custcore.CustomerBase) -> None:
    with pytest.raises(InvalidTypeError, match=r"summary is a CustomerBase; pass base.clv_summary\(\)"):
        clv.MBGNBD().fit(base)  # type: ignore[arg-type]


def test_before_the_fit(summary: custcore.Table) -> None:
    model = clv.BGNBD()
    says = r"this BGNBD is not fitted yet; call fit\(summary\) first, or BGNBD.of_parameters"
    for call in (
        lambda: model.params_,
        lambda: model.fit_,
        lambda: model.predict(summary, 30),
        lambda: model.predict_one(1, 2, 3, horizon=4),
        lambda: model.evaluate(summary),
    ):
        with pytest.raises(NotFittedError, match=says):
            call()
    with pytest.raises(NotFittedError, match="nothing to save"):
        model.to_bytes()
    assert repr(model) == "BGNBD(unit='week'), not fitted"


def test_parameters_that_are_none() -> None:
    with pytest.raises(InvalidArgumentError, match=r"params has \['alpha'\]; expected all of r, alpha"):
        clv.NBD.of_parameters({"alpha": 1.0})
    with pytest.raises(InvalidArgumentError, match="expected more than 0"):
        clv.NBD.of_parameters({"alpha": 1.0, "r": -1.0})
    with pytest.raises(InvalidTypeError, match=r"params\['r'\]='1' is str"):
        clv.NBD.of_parameters({"alpha": 1.0, "r": "1"})  # type: ignore[dict-item]
