"""The table of options: the code is what it says, the core takes its choices, and every docstring is complete."""

import datetime
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore._options import bases, churn, clusters, cohorts, scores, transactions
from custcore._options.option import REQUIRED, Option, names
from custcore.cohort._arguments import COHORT_WORDS
from custcore.errors import CustcoreError, InvalidArgumentError
from tests.api.public_api import CLASSES, callables

ROOT = Path(__file__).resolve().parents[2]
# `help` shows a method of a class with 8 columns before it, on a screen of 100.
WIDTH = 92

DAYS = [datetime.date(2026, 1, day) for day in (1, 5, 9, 13, 17)]
ORDERS = pa.table({"customer_id": [1, 2, 3, 4, 5], "timestamp": DAYS, "amount": [9.0, 7.0, 5.0, 3.0, 1.0]})


def base(**options: Any) -> custcore.CustomerBase:
    made = custcore.CustomerBase(**options)
    made.update(ORDERS)
    return made


def transitions(**options: Any) -> custcore.Table:
    return base(track="days").transitions(DAYS[-2:], custcore.RFMScorer().fit(custcore.rfm(ORDERS)), **options)


# Where the words of each group are taken.
CALLS: list[tuple[Callable[..., object], tuple[Option, ...]]] = [
    (lambda **given: custcore.rfm(ORDERS, order_id="customer_id", **given), transactions.RFM),
    (lambda **given: custcore.RFMScorer(cuts={"recency": [3]}, **given), scores.SCORING),
    (lambda **given: custcore.QuantileScorer(["n_orders"], **given), scores.QUANTILES),
    (lambda **given: custcore.cohort_retention(ORDERS, period="day", **given), cohorts.COHORT),
    (base, tuple(option for option in bases.BASE if option not in transactions.RFM)),
    (lambda **given: custcore.CustomerBase().update(ORDERS, **given), (bases.COMMIT_EVERY,)),
    (transitions, bases.TRANSITIONS),
    (lambda **given: custcore.backtest(base(track="days"), **given), churn.BACKTEST),
    (lambda **given: custcore.Scaler(["n_orders"], **given), clusters.SCALER),
]
WORDS = [(call, option) for call, options in CALLS for option in options if option.choices]
IDS = [option.name for _, option in WORDS]


def generator() -> Any:
    sys.path.insert(0, str(ROOT))
    import tools.options as module

    return module


def test_code_is_generated_from_the_table():
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "options.py", "--check"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_difference_is_seen():
    tools = generator()
    path = tools.PACKAGE / "_rfm" / "table.py"
    target = next(target for target in tools.TARGETS if target.name == "rfm")
    text = path.read_text()
    for changed in (
        text.replace("    sort: bool = True,", "    sort: bool = False,", 1),
        text.replace("    sort : bool, default True\n", "", 1),
    ):
        assert changed != text
        assert tools.with_target(changed, target) == text


@pytest.mark.parametrize(("call", "option"), WORDS, ids=IDS)
def test_choices_are_those_that_are_taken(call: Callable[..., object], option: Option):
    with pytest.raises(InvalidArgumentError) as error:
        call(**{option.name: "wrong"})
    said = re.fullmatch(rf"{option.name}='wrong' is invalid; expected one of (.*)", str(error.value))
    assert said, error.value
    assert re.findall(r"'([^']*)'", said[1]) == list(option.choices)


@pytest.mark.parametrize(("call", "option"), WORDS, ids=IDS)
def test_every_choice_is_taken(call: Callable[..., object], option: Option):
    # Some go only with other options; none is unknown.
    assert [word for word in option.choices if "is unknown" in refusal(call, **{option.name: word})] == []


def refusal(call: Callable[..., object], **given: Any) -> str:
    """The message of the error, if there is one."""
    try:
        call(**given)
    except CustcoreError as error:
        return str(error)
    return ""


def test_words_that_text_names():
    assert all(f'``"{word}"``' in cohorts.COHORT_BY.text for word in COHORT_WORDS)
    assert list(custcore.presets.PRESETS) == list(cohorts.PRESET.choices)
    for name in clusters.INIT.type.split("}")[0].strip("{").replace('"', "").split(", "):
        assert custcore.KMeans(init=name).init == name
    with pytest.raises(InvalidArgumentError) as error:
        custcore.RFMScorer(segments="wrong")
    assert all(name in scores.SEGMENTS.help for name in re.findall(r"'([^']*)'", str(error.value))[1:])


def test_dicts_of_the_core():
    options, _, _ = custcore.CustomerBase()._core.settings()
    assert set(options) - {"as_of"} == set(names((*transactions.READ, *bases.CATEGORIES))) - {"as_of"}


@pytest.mark.parametrize("name", sorted(callables()))
def test_docstrings_are_complete(name: str):
    function = callables()[name]
    documented = parameters(function)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self" or name in MADE_BY_CUSTCORE:
            continue
        name_shown = f"*{parameter.name}" if parameter.kind is parameter.VAR_POSITIONAL else parameter.name
        assert name_shown in documented, f"{name} does not document {parameter.name}"
        heading, text = documented.pop(name_shown)
        assert not re.match(r"As (in|there)\b", text), f"{name} refers elsewhere for {parameter.name}"
        default = re.search(r"(?:, |; )default (.*)$", heading)
        if default and parameter.default is not parameter.empty and not default[1].startswith("2 to"):
            assert literal(default[1]) == parameter.default, heading
        optional = heading.endswith(", optional")
        assert optional <= (parameter.default is None or parameter.default == ()), heading
    assert not documented, f"{name} documents {list(documented)}, which it does not take"


# Objects that calls return: they are not made by hand.
MADE_BY_CUSTCORE = {
    *("Backtest", "Breaks", "CohortRetention", "Column", "Report", "ReportEntry", "Schema", "Source", "Table"),
    *("BeforeAfter", "Review", "UpliftCurve", "UpliftPoint", "experiments.EffectResult"),
    *("ExplainedScore", "ScoreChange", "ScoreComparison", "ScoreExplanation", "Portrait", "Allocation", "Curve"),
    *("clv.Evaluation", "clv.Fit", "clv.Prediction", "clv.SpendFit"),
    *("pandas.CustcoreAccessor", "polars.CustcoreNamespace"),
}


def literal(text: str) -> object:
    return eval(text, {"range": range})


def parameters(function: Callable[..., object]) -> dict[str, tuple[str, str]]:
    """Heading and text of each entry of the section "Parameters"."""
    found = re.search(
        r"^Parameters\n-+\n(.*?)(?:\n\n\w[\w ]*\n-{3,}\n|\Z)", inspect.getdoc(function) or "", re.M | re.S
    )
    entries: dict[str, tuple[str, str]] = {}
    for entry in re.split(r"\n(?=\S)", found[1].strip()) if found else []:
        heading, _, text = entry.partition("\n")
        for name in heading.partition(" : ")[0].split(", "):
            entries[name] = heading, text.strip()
    return entries


@pytest.mark.parametrize("name", sorted({**callables(), **CLASSES}))
def test_docstrings_fit_the_screen(name: str):
    doc = inspect.getdoc(callables()[name]) or ""
    assert doc
    assert [line for line in doc.splitlines() if len(line) > WIDTH] == []


def test_every_option_says_what_it_is():
    groups = (transactions.RFM, scores.SCORING, cohorts.COHORT, bases.BASE, clusters.KMEANS, clusters.SEGMENTED)
    for option in {option.name: option for group in groups for option in group}.values():
        assert option.text.endswith("."), option.name
        assert option.annotation or option.choices, option.name
        assert (
            option.default is REQUIRED
            or option.default is None
            or not option.choices
            or option.default in option.choices
        )
