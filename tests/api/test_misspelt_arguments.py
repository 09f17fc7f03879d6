"""A misspelt argument: the error names the function and the argument that was meant, wherever it is misspelt."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import custcore
from tests.api.public_api import callables

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

# A wrapper around what changes a base would leave a moment in which a signal handler runs between the change and the
# return; methods for single customers take less than a microsecond. Python's own error names the function, at least.
AS_PYTHON_HAS_IT = re.compile(
    r"(CustomerBase|Baskets)\.(merge|update|remove|relabel|seal|save|load|to_bytes|from_bytes)$|scan$|\w+_one$|"
    r"\w+\.(save|load|from_bytes|get_params|set_params)$|"
    r"sklearn\.KMeans\.fit_transform$"  # scikit-learn wraps it
)
# Objects that calls return: they are not made by hand.
RETURNED = {
    *("Backtest", "Breaks", "Column", "Report", "ReportEntry", "Schema", "Source", "Table", "CohortRetention"),
    *("BeforeAfter", "Review", "UpliftCurve", "UpliftPoint", "experiments.EffectResult"),
    *("ExplainedScore", "ScoreChange", "ScoreComparison", "ScoreExplanation", "Portrait", "Allocation", "Curve"),
    *("clv.Evaluation", "clv.Fit", "clv.Prediction", "clv.SpendFit"),
}
# Methods of frames of purchases.
OF_PURCHASES = (
    *("rfm", "rfm_scores", "cohort_retention", "segment_customers"),
    *("pairs", "rules", "abc", "clv_summary", "lifecycle", "preferences", "measures", "decomposition"),
)


def misspellings() -> list[tuple[str, str, str]]:
    """Each public function and method, its last argument of some length, and a misspelling of it."""
    found = []
    for name, function in sorted(callables().items()):
        parameters = inspect.signature(function).parameters.values()
        names = [p.name for p in parameters if p.kind in {p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD} and p.name != "self"]
        long = [argument for argument in names if len(argument) > 3]
        if long and not AS_PYTHON_HAS_IT.search(name) and name not in RETURNED:
            found.append((name, long[-1], long[-1].replace("_", "") + "x"))
    return found


@pytest.mark.parametrize(("name", "argument", "wrong"), misspellings())
def test_the_argument_that_was_meant_is_proposed(name: str, argument: str, wrong: str):
    with pytest.raises(TypeError) as error:
        callables()[name](**{wrong: None})
    what = re.escape(name.rpartition(".")[2])
    assert re.match(rf"{what}(\(\))? has no argument '{wrong}'; (did you mean|its arguments are)", str(error.value))
    assert repr(argument) in str(error.value)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pl.LazyFrame])
@pytest.mark.parametrize("method", OF_PURCHASES)
def test_accessors(frame: Any, method: str):
    import custcore.pandas
    import custcore.polars

    assert custcore.pandas
    assert custcore.polars
    with pytest.raises(TypeError, match=rf"^{method}\(\) has no argument 'orderid'; did you mean 'order_id'"):
        getattr(frame({"a": [1]}).custcore, method)(orderid="basket")


@pytest.mark.parametrize("name", OF_PURCHASES)
def test_functions_of_frames(name: str):
    import custcore.pandas
    import custcore.polars

    for module, frame in ((custcore.pandas, pd.DataFrame), (custcore.polars, pl.LazyFrame)):
        with pytest.raises(TypeError, match=rf"^{name}\(\) has no argument 'orderid'; did you mean 'order_id'"):
            getattr(module, name)(frame({"a": [1]}), orderid="basket")


def test_methods_of_objects():
    with pytest.raises(TypeError, match=r"^transform\(\) has no argument 'n_thread'; did you mean 'n_threads'"):
        custcore.RFMScorer().transform(None, n_thread=1)
    with pytest.raises(TypeError, match=r"^fit\(\) has no argument 'sample_weights'; did you mean 'sample_weight'"):
        custcore.KMeans(2).fit([[1.0], [2.0]], sample_weights=[1, 2])
