"""`df.custcore.cohort_retention`: frames of pandas and polars in, the same tables out as for Arrow."""

from __future__ import annotations

import inspect
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.adapters._columns import columns_of
from custcore.errors import ColumnNotFoundError, InvalidTypeError
from tests.cohort_cases import events_table
from tests.reference.cohort_orders import Event

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
import custcore.pandas  # noqa: E402
import custcore.polars  # noqa: E402

EVENTS = [
    Event("a", date(2024, 1, 31), 10.0, 1, True, None, "x", "g"),
    Event("a", date(2024, 3, 1), 7.5, 2, None, True, "y", "g"),
    Event("b", date(2024, 1, 5), -2.0, 3, True, True, None, None),
    Event("b", date(2024, 1, 6), 20.0, 4, True, True, None, None),
    Event(None, date(2024, 1, 7), 1.0, 5, True, True, "x", "g"),
    Event("c", date(2024, 2, 10), 5.0, 6, True, False, "x", "h"),
    Event("c", date(2024, 3, 10), 5.0, 7, True, True, "x", "h"),
]
TABLE = events_table(EVENTS)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"amount": "amount", "order_id": "order_id", "by": "group"},
    {"amount": "amount", "cohort_by": "value", "start": "start", "returning": "returning"},
    {"preset": "posthog", "n_periods": 3},
]
TABLES = ["to_table", "matrix", "average", "movement", "customers"]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.date() if isinstance(value, datetime) else value for name, value in row.items()}


@pytest.mark.parametrize("options", OPTIONS)
def test_pandas(options: dict[str, Any]) -> None:
    frame = TABLE.to_pandas().set_index("order_id", drop=False)
    expected = custcore.cohort_retention(TABLE, **options)
    found = frame.custcore.cohort_retention(**options)
    for name in TABLES:
        table = getattr(found, name)()
        rows = pa.Table.from_pandas(table, preserve_index=False).to_pylist()
        assert [plain(row) for row in rows] == getattr(expected, name)().to_pyarrow().to_pylist(), name
        assert table.custcore.report.entries == expected.report.entries
    assert found.definition == expected.definition
    assert repr(found) == repr(expected)
    assert found._repr_html_() == expected._repr_html_()


def test_pandas_floats_that_a_null_made() -> None:
    frame = pd.DataFrame({"customer_id": [1.0, None, 1.0], "timestamp": pd.to_datetime(["2024-01-01"] * 3)})
    found = frame.custcore.cohort_retention()
    assert found.to_table()["orders"].tolist() == [2, 0]
    assert any("float ids" in remark for remark in found.report.remarks)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("lazy", [False, True])
def test_polars(options: dict[str, Any], lazy: bool) -> None:
    frame = pl.from_arrow(TABLE)
    expected = custcore.cohort_retention(TABLE, **options)
    found = (frame.lazy() if lazy else frame).custcore.cohort_retention(**options)
    for name in TABLES:
        table = getattr(found, name)()
        assert isinstance(table, pl.DataFrame)
        assert table.rows(named=True) == getattr(expected, name)().to_pyarrow().to_pylist(), name
    assert found.report == expected.report


def test_only_the_columns_that_a_call_names_leave_the_frame() -> None:
    function = custcore.cohort_retention
    assert columns_of(function, {}) == {"customer_id": "customer_id", "timestamp": "timestamp"}
    assert set(columns_of(function, {"cohort_by": "first_in_window"})) == {"customer_id", "timestamp"}
    asked = {"cohort_by": "value", "by": "group", "start": "s", "returning": "r", "amount": "amount", "order_id": "o"}
    assert set(columns_of(function, asked)) == {"customer_id", "timestamp", *asked.values()}


def test_errors_and_signatures() -> None:
    for frame in (TABLE.to_pandas(), pl.from_arrow(TABLE), pl.from_arrow(TABLE).lazy()):
        with pytest.raises(ColumnNotFoundError):
            frame.custcore.cohort_retention(by="absent")
        with pytest.raises(InvalidTypeError):
            frame.custcore.cohort_retention(start="group")
    for way in (custcore.pandas.CustcoreAccessor, custcore.polars.CustcoreNamespace):
        theirs = list(inspect.signature(custcore.cohort_retention).parameters)[1:]
        assert list(inspect.signature(way.cohort_retention).parameters)[1:] == theirs
        assert "return_criteria" in (way.cohort_retention.__doc__ or "")


@pytest.mark.parametrize("library", ["duckdb", "datafusion"])
def test_results_go_into_other_libraries(library: str) -> None:
    module = pytest.importorskip(library)
    cohorts = custcore.cohort_retention(TABLE)
    if library == "duckdb":
        connection = module.connect()
        connection.register("cohorts", pa.table(cohorts))
        assert connection.sql("select sum(orders) from cohorts").fetchall() == [(6,)]
    else:
        frame = module.SessionContext().from_arrow(cohorts)
        assert frame.count() == cohorts.to_table().num_rows
