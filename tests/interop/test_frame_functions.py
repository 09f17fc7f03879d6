"""The functions of custcore.pandas and custcore.polars give what the accessors give, and are typed."""

from __future__ import annotations

import datetime
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import custcore

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")

import custcore.pandas  # noqa: E402
import custcore.polars  # noqa: E402

DAY = datetime.datetime(2026, 1, 1)  # noqa: DTZ001
ORDERS = {
    "who": [f"c{i * i % 23:02}" for i in range(200)],
    "timestamp": [DAY + datetime.timedelta(days=i * 7 % 90) for i in range(200)],
    "amount": [(i * 31 % 100) / 4 for i in range(200)],
}
NAMES: dict[str, Any] = {"customer_id": "who"}
METHODS = [
    "abc",
    "before_after",
    "clusters",
    "clv_predict",
    "clv_summary",
    "cohort_retention",
    "decomposition",
    "effect",
    "effect_of",
    "funnel",
    "kmeans",
    "lifecycle",
    "preferences",
    "measures",
    "nps",
    "portrait",
    "rfm",
    "rfm_scores",
    "score",
    "segment_customers",
    "uplift_curve",
]


def frames() -> list[tuple[Any, Any]]:
    return [
        (custcore.pandas, pd.DataFrame(ORDERS)),
        (custcore.polars, pl.DataFrame(ORDERS)),
        (custcore.polars, pl.DataFrame(ORDERS).lazy()),
    ]


@pytest.mark.parametrize(("module", "frame"), frames())
def test_functions_give_what_the_accessor_gives(module: Any, frame: Any) -> None:
    accessor = frame.custcore
    assert module.rfm(frame, **NAMES).equals(accessor.rfm(**NAMES))
    customers = module.rfm_scores(frame, **NAMES, bins=3, segments=None)
    assert customers.equals(accessor.rfm_scores(**NAMES, bins=3, segments=None))
    for options in ({}, {"preset": "posthog"}, {"preset": "posthog", "period": "week"}):
        found = module.cohort_retention(frame, **NAMES, **options).to_table()
        assert found.equals(accessor.cohort_retention(**NAMES, **options).to_table())
    for name in ("measures", "decomposition"):
        found = getattr(module, name)(frame, **NAMES, period="week")
        assert found.equals(getattr(accessor, name)(**NAMES, period="week"))
        assert len(found) == getattr(custcore, name)(pd.DataFrame(ORDERS), **NAMES, period="week").num_rows
    by = {"who": ["c03"], "segment": ["few"]}
    found = module.measures(frame, **NAMES, by=type(customers)(by), returns="exclude")
    assert {segment for segment in found["segment"] if isinstance(segment, str)} == {"few"}
    segments, *others = module.segment_customers(frame, 2, **NAMES)
    assert segments.equals(accessor.segment_customers(2, **NAMES)[0])
    assert isinstance(others[0], custcore.KMeans)
    windows = custcore.LifecycleModel(5, 30)
    stages = module.lifecycle(frame, windows, ["nobody"], **NAMES)
    assert stages.equals(accessor.lifecycle(windows, ["nobody"], **NAMES))
    expected = custcore.CustomerBase(**NAMES, track="days")
    expected.update(pd.DataFrame(ORDERS))
    of_base = expected.lifecycle(model=windows, prospects=["nobody"])
    assert list(stages["stage"]) == of_base["stage"].to_pylist()
    assert list(stages["n_orders"]) == of_base["n_orders"].to_pylist()
    likes = module.preferences(frame, "amount", **NAMES)
    assert likes.equals(accessor.preferences("amount", **NAMES))
    summary = module.clv_summary(frame, **NAMES, calibration_end="2026-03-01")
    assert summary.equals(accessor.clv_summary(**NAMES, calibration_end="2026-03-01"))
    known = custcore.clv.BGNBD.of_parameters({"r": 0.5, "alpha": 4.0, "a": 1.0, "b": 3.0})
    found = module.clv_predict(summary, known, ["4w", "1y"], customer_id="who", spend="own_mean")
    assert found.equals(summary.custcore.clv_predict(known, ["4w", "1y"], customer_id="who", spend="own_mean"))
    expected_clv = known.predict(summary, ["4w", "1y"], customer_id="who", spend="own_mean")
    assert list(found["discounted_purchases"]) == expected_clv["discounted_purchases"].to_pylist()
    rfm = module.rfm(frame, **NAMES)
    scorer = custcore.RFMScorer(3, segments=None).fit(rfm)
    assert module.score(rfm, scorer).equals(rfm.custcore.score(scorer))
    model = module.kmeans(rfm, 2, columns=["n_orders"])
    assert model.inertia_ == rfm.custcore.kmeans(2, columns=["n_orders"]).inertia_
    assert module.clusters(rfm, model).equals(rfm.custcore.clusters(model))


@pytest.mark.parametrize(("module", "frame"), frames()[:2])
@pytest.mark.parametrize("name", METHODS)
def test_arguments_are_those_of_the_method(module: Any, frame: Any, name: str) -> None:
    function, method = inspect.signature(getattr(module, name)), inspect.signature(getattr(frame.custcore, name))
    parameters = list(function.parameters.values())
    assert parameters[0].name == "frame"
    assert parameters[1:] == list(method.parameters.values())


def test_options_of_one_library() -> None:
    assert custcore.pandas.rfm(pd.DataFrame(ORDERS), **NAMES, set_index=True).index.name == "who"
    _, report = custcore.polars.rfm(pl.DataFrame(ORDERS), **NAMES, return_report=True)
    assert report.n_rows == 200


def test_a_type_checker_knows_the_results(tmp_path: Path) -> None:
    pytest.importorskip("basedpyright")
    program = tmp_path / "program.py"
    program.write_text(
        "import pandas as pd\nimport polars as pl\nimport custcore.pandas\nimport custcore.polars\n"
        "def scored(a: pd.DataFrame, b: pl.LazyFrame) -> None:\n"
        "    reveal_type(custcore.pandas.rfm_scores(a, bins=3))\n"
        "    reveal_type(custcore.polars.rfm_scores(b))\n"
        "    reveal_type(custcore.polars.rfm(b, return_report=True))\n"
        "    custcore.polars.rfm(b, bin=3)\n"
    )
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard", "reportMissingTypeStubs": false}')
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    package = str(Path(custcore.__file__).parents[1])
    done = subprocess.run(
        [*command, "-p", str(tmp_path)],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": package},
    )
    said = [(line["severity"], line["message"]) for line in json.loads(done.stdout)["generalDiagnostics"]]
    types = [message.rpartition(" is ")[2].strip('"') for severity, message in said if severity == "information"]
    assert types == ["DataFrame", "DataFrame", "tuple[DataFrame, Report]"]
    (error,) = [message for severity, message in said if severity == "error"]
    assert 'No overloads for "rfm"' in error
