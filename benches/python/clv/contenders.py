"""The contenders of the bench of lifetime value.

custcore gets days and returns standard errors with every fit, and all columns of its predictions (p_alive, expected and
discounted purchases, the probability of a purchase and of being there at the end). The others get weeks, as their
manuals do, in a DataFrame; without penalties or priors, so that all look for the same maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benches.harness import Contender, Work
from benches.python.clv.case import HORIZON_DAYS, PARAMETERS, ClvCase, ClvInput, load

if TYPE_CHECKING:
    from pathlib import Path


def fit_result(case: ClvCase, rows: pa.Table, params: dict[str, float]) -> pa.Table:
    """The parameters in weeks, and the log-likelihood that they have."""
    from custcore import clv

    model = getattr(clv, case.model).of_parameters({name: params[name] for name in PARAMETERS[case.model]})
    return pa.table(
        {name: [value] for name, value in params.items()} | {"log_likelihood": [model.log_likelihood(rows)]}
    )


def columns_of(case: ClvCase) -> list[str]:
    """The columns of predictions that are compared."""
    return ["expected_spend"] if case.model == "GammaGamma" else ["p_alive", "expected_purchases"]


def prepare_custcore(case: ClvCase, path: Path) -> Work:
    from custcore import clv

    pa.set_cpu_count(case.threads)
    rows = load(path)
    model: Any = getattr(clv, case.model)
    options = {"n_threads": case.threads}
    given = model.of_parameters(PARAMETERS[case.model], **options) if case.task == "predict" else None

    def run() -> Any:
        fitted = given or model(**options).fit(rows)
        if case.task == "fit":
            return fitted
        return fitted.predict(rows) if case.model == "GammaGamma" else fitted.predict(rows, HORIZON_DAYS)

    def to_arrow(found: Any) -> pa.Table:
        return fit_result(case, rows, found.params_) if case.task == "fit" else pa.table(found).select(columns_of(case))

    return Work(run, to_arrow)


def prepare_lifetimes(case: ClvCase, path: Path) -> Work:
    import lifetimes
    import pandas as pd

    rows = load(path)
    frame = in_weeks(case, rows)
    names = {
        "BGNBD": "BetaGeoFitter",
        "MBGNBD": "ModifiedBetaGeoFitter",
        "ParetoNBD": "ParetoNBDFitter",
        "GammaGamma": "GammaGammaFitter",
    }
    fitter = getattr(lifetimes, names[case.model])
    spend = case.model == "GammaGamma"
    columns = ("frequency", "monetary_value") if spend else ("frequency", "recency", "T")
    history = [frame[name] for name in columns]
    repeats = [frame.loc[frame["monetary_value"] > 0, name] for name in columns] if spend else history

    def fit() -> Any:
        return fitter(penalizer_coef=0.0).fit(*repeats)

    given = fitter()
    params = dict(PARAMETERS[case.model])
    if spend:
        params["v"] = params.pop("gamma")
    given.params_ = pd.Series(params)

    def run() -> Any:
        fitted = given if case.task == "predict" else fit()
        if case.task == "fit":
            return fitted
        if spend:
            return [fitted.conditional_expected_average_profit(*history)]
        expected = fitted.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS / 7, *history)
        return [fitted.conditional_probability_alive(*history), expected]

    def to_arrow(found: Any) -> pa.Table:
        if case.task == "fit":
            values = {"gamma" if name == "v" else name: float(value) for name, value in found.params_.items()}
            return fit_result(case, rows, values)
        return pa.table([pa.array(np.asarray(values, dtype=float)) for values in found], columns_of(case))

    return Work(run, to_arrow)


def prepare_pymc_marketing(case: ClvCase, path: Path) -> Work:
    from pymc_extras.prior import Prior
    from pymc_marketing import clv

    rows = load(path)
    frame = in_weeks(case, rows).assign(customer_id=rows["customer_id"].to_numpy())
    names = {
        "BGNBD": "BetaGeoModel",
        "MBGNBD": "ModifiedBetaGeoModel",
        "ParetoNBD": "ParetoNBDModel",
        "GammaGamma": "GammaGammaModel",
    }
    model = getattr(clv, names[case.model])
    is_spend = case.model == "GammaGamma"
    frame = frame.loc[frame["monetary_value"] > 0] if is_spend else frame.drop(columns="monetary_value")
    written = {"gamma": "v"} if is_spend else {}
    flat = {written.get(name, name): Prior("HalfFlat") for name in PARAMETERS[case.model]}

    def run() -> Any:
        built = model(frame, model_config=flat)
        built.fit(method="map", progressbar=False)
        return built

    def to_arrow(found: Any) -> pa.Table:
        posterior = found.idata.posterior
        values = {
            name: float(posterior[written.get(name, name)].to_numpy().squeeze()) for name in PARAMETERS[case.model]
        }
        return fit_result(case, rows, values)

    return Work(run, to_arrow)


def in_weeks(case: ClvCase, rows: pa.Table) -> Any:
    """The DataFrame of the other libraries."""
    import pandas as pd

    columns = {
        "frequency": rows["x"].to_numpy().astype(float),
        "recency": rows["t_x"].to_numpy() / 7,
        "T": rows["T"].to_numpy() / 7,
        "monetary_value": np.nan_to_num(rows["m_x"].to_numpy(zero_copy_only=False)),
    }
    wanted = ["frequency", "monetary_value"] if case.model == "GammaGamma" else list(columns)
    return pd.DataFrame({name: columns[name] for name in wanted})


def only_known(case: ClvCase) -> str | None:
    """Models that only custcore has as a class."""
    return "has no NBD" if case.model == "NBD" else None


def only_fits(case: ClvCase) -> str | None:
    return only_known(case) or (None if case.task == "fit" else "predicts from posterior samples, which is other work")


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "fit with standard errors; all columns of predictions"),
    "lifetimes": Contender(
        prepare_lifetimes, "lifetimes", "fit, no penalty; two columns", held=4, needed=20, refuses=only_known
    ),
    "pymc-marketing": Contender(
        prepare_pymc_marketing, "pymc-marketing", 'fit(method="map"), flat priors', held=4, needed=30, refuses=only_fits
    ),
}


class ClvBench(ClvInput):
    """The bench of lifetime value."""

    contenders = CONTENDERS


BENCH = ClvBench()
