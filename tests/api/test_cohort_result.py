"""``custcore.CohortRetention``: presets, the definition in words, text and HTML, Arrow, RFM of the same scan."""

from __future__ import annotations

import inspect
from datetime import date

import pyarrow as pa
import pytest

import custcore
from custcore.errors import InvalidArgumentError
from tests.cohort_cases import CRITERIA, WINDOW, events_table, rows
from tests.reference.cohort_orders import Event


def test_presets_are_sets_of_options_and_what_is_given_wins() -> None:
    table = events_table(CRITERIA)
    for preset, options in custcore.presets.PRESETS.items():
        ours = custcore.cohort_retention(table, preset=preset)
        assert rows(ours.to_table()) == rows(custcore.cohort_retention(table, **options).to_table())
        month = custcore.cohort_retention(table, preset=preset, period="month", period_mode="calendar")
        assert rows(month.to_table())[0]["period_end"] == date(2024, 2, 1)
        assert preset in repr(ours)
    with pytest.raises(InvalidArgumentError, match="'posthog', 'mixpanel', 'amplitude', 'pandas'"):
        custcore.cohort_retention(table, preset="excel")


def test_the_signature_is_that_of_the_function() -> None:
    assert list(inspect.signature(custcore.cohort_retention).parameters)[:3] == ["data", "customer_id", "timestamp"]
    assert rows(custcore.cohort_retention(data=events_table(WINDOW), preset=None).to_table())
    with pytest.raises(TypeError, match="positional"):
        custcore.cohort_retention(events_table(WINDOW), "customer_id")


def test_the_recipe_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame([(e.customer, pd.Timestamp(e.when)) for e in WINDOW], columns=["id", "day"])
    month = frame["day"].dt.year * 12 + frame["day"].dt.month
    first = month.groupby(frame["id"]).transform("min")
    recipe = frame.assign(first=first, k=month - first).groupby(["first", "k"])["id"].nunique().unstack()
    found = custcore.cohort_retention(events_table(WINDOW), preset="pandas").matrix("customers").to_pandas()
    assert (
        found.loc[found["cohort_size"] > 0, ["0", "1", "2"]].fillna(0).to_numpy().tolist()
        == recipe.fillna(0).to_numpy().tolist()
    )


def test_the_definition_names_what_was_asked() -> None:
    text = custcore.cohort_retention(
        events_table(WINDOW),
        amount="amount",
        by="group",
        cohort_by="first_in_window",
        observation_start="2024-01-01",
        return_criteria="on_or_after",
        horizon=3,
        min_occurrences=2,
        period="week",
        week_start="sunday",
        returning="returning",
    ).definition
    for part in (
        "week of the first purchase from 2024-01-01 on",
        "weeks begin on Sunday",
        "from k to k + 2",
        "at least 2 orders marked by 'returning'",
        "until before 2024-02-09",
        "'group'",
        "'amount'",
    ):
        assert part in text, text


def test_text_and_html(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    events = [
        Event(f"{k}<b>{m}", date(2022 + m // 12, m % 12 + 1, 3), group="<i>") for m in range(30) for k in range(m % 3)
    ]
    result = custcore.cohort_retention(events_table(events), by="group")
    text = repr(result)
    assert text.splitlines()[0].startswith("custcore.CohortRetention: 29 cohorts by month, 30 customers")
    assert "\n..." in text
    assert "17 more columns" in text
    assert max(map(len, text.splitlines())) < 140
    page = result._repr_html_()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert "repeating-linear-gradient" in page


def test_the_result_is_arrow_itself() -> None:
    result = custcore.cohort_retention(events_table(WINDOW))
    assert pa.table(result).equals(result.to_table().to_pyarrow())
    assert pa.schema(result) == pa.table(result).schema
    assert list(result.schema) == result.to_table().column_names


def test_rfm_comes_from_the_same_scan() -> None:
    table = events_table(WINDOW)
    options = {"amount": "amount", "as_of": "2024-02-07"}
    both = custcore.cohort_retention(table, rfm=True, **options).rfm()
    assert both.to_pyarrow().equals(custcore.rfm(table, **options).to_pyarrow())
    with pytest.raises(InvalidArgumentError, match="rfm=True"):
        custcore.cohort_retention(table).rfm()
