"""``columns=``: what is refused, and what the result says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore.errors import InvalidArgumentError, InvalidTypeError

DAY = dt.date(2026, 1, 5)
SALES = pa.table(
    {
        "customer_id": [3, 1, 2, 1, 4, 5],
        "timestamp": [DAY + dt.timedelta(days=n) for n in range(6)],
        "amount": [5.0, 1.0, 2.0, 3.0, 8.0, 9.5],
        "place": list("xyxyxy"),
    }
)


def names(table: custcore.Table) -> list[str]:
    return table.column_names


def test_ids_come_first_then_the_order_asked_for() -> None:
    assert names(custcore.rfm(SALES, columns=["monetary_total", "recency_days"])) == [
        "customer_id",
        "monetary_total",
        "recency_days",
    ]
    assert names(custcore.rfm_scores(SALES, columns=("segment", "n_orders"))) == ["customer_id", "segment", "n_orders"]
    assert names(custcore.rfm_scores(SALES, columns=["segment", "customer_id"])) == ["customer_id", "segment"]
    assert names(custcore.rfm(SALES, columns=[])) == ["customer_id"]
    assert names(custcore.rfm_scores(SALES, columns=["place", "segment"], by="place", bins=5)) == [
        "customer_id",
        "place",
        "segment",
    ]


@pytest.mark.parametrize("call", [custcore.rfm, custcore.rfm_scores])
def test_names_that_are_refused(call: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"columns has 'recency_dys', .*did you mean 'recency_days'"):
        call(SALES, columns=["recency_dys"])
    with pytest.raises(InvalidArgumentError, match="columns has 'n_orders' twice"):
        call(SALES, columns=["n_orders", "recency_days", "n_orders"])
    with pytest.raises(InvalidTypeError, match="columns='segment' is str; expected a list of strings"):
        call(SALES, columns="segment")
    with pytest.raises(InvalidTypeError, match="columns=3 is int"):
        call(SALES, columns=[3])
    with pytest.raises(InvalidArgumentError, match="amount="):
        call(SALES, amount=None, columns=["monetary_mean"])
    with pytest.raises(InvalidArgumentError, match="n_days=True"):
        call(SALES, columns=["n_days"])


def test_columns_of_scores_that_are_not_there() -> None:
    with pytest.raises(InvalidArgumentError, match=r"'segment'.*segments=None"):
        custcore.rfm_scores(SALES, columns=["segment"], segments=None)
    with pytest.raises(InvalidArgumentError, match=r"'segment'.*rf10 is for 5 bins"):
        custcore.rfm_scores(SALES, columns=["segment"], bins=4)
    with pytest.raises(InvalidArgumentError, match=r"'m_score'.*monetary_total"):
        custcore.rfm_scores(SALES, columns=["m_score"], amount=None)
    with pytest.raises(InvalidArgumentError, match=r"'rfm_cell'.*rfm_scores"):
        custcore.rfm(SALES, columns=["rfm_cell"])


def test_of_a_table() -> None:
    customers = custcore.rfm(SALES, attributes={"place": "first"})
    scorer = custcore.RFMScorer().fit(customers)
    assert names(scorer.transform(customers, columns=["segment", "place"])) == ["customer_id", "segment", "place"]
    with pytest.raises(InvalidArgumentError, match="did you mean 'segment'"):
        scorer.transform(customers, columns=["sgment"])
    # A frame names no ids; its first column is one unless it is scored.
    plain = {"recency_days": [3, 1], "n_orders": [1, 2], "monetary_total": [1.0, 2.0], "who": ["a", "b"]}
    assert names(scorer.transform(pa.table(plain), columns=["segment"])) == ["segment"]
    first = pa.table({"who": plain["who"], **plain})
    assert names(scorer.transform(first, columns=["segment"])) == ["who", "segment"]
    by_name = custcore.RFMScorer(customer_id="who").fit(first)
    last = pa.table(plain)
    assert names(by_name.transform(last, columns=["r_score"])) == ["who", "r_score"]
    without = custcore.RFMScorer().fit(pa.table(plain).drop(["monetary_total"]))
    with pytest.raises(InvalidArgumentError, match="'m_score'"):
        without.transform(last, columns=["m_score"])


def test_columns_that_cannot_be_passed_on_matter_only_if_asked_for() -> None:
    scorer = custcore.RFMScorer().fit(custcore.rfm(SALES))
    table = custcore.rfm(SALES).to_pyarrow().append_column("baskets", pa.array([[1]] * 5, pa.list_view(pa.int64())))
    assert any("baskets" in remark for remark in scorer.transform(table).report.remarks)
    assert not any("baskets" in remark for remark in scorer.transform(table, columns=["segment"]).report.remarks)
    with pytest.raises(InvalidTypeError, match="baskets"):
        scorer.transform(table, columns=["baskets"])


def test_the_report_is_that_of_the_data() -> None:
    data = pa.concat_tables([SALES, SALES.slice(0, 1).set_column(0, "customer_id", pa.array([None], pa.int64()))])
    assert custcore.rfm(data, columns=["n_orders"]).report == custcore.rfm(data).report
    assert custcore.rfm_scores(data, columns=["segment"]).report.entries == custcore.rfm(data).report.entries


def test_of_bases(tmp_path: Any) -> None:
    base = custcore.CustomerBase()
    base.update(SALES)
    assert names(base.rfm(columns=["n_orders"])) == ["customer_id", "n_orders"]
    with pytest.raises(InvalidArgumentError, match="'segment'"):
        base.rfm(columns=["segment"])
    on_disk = custcore.CustomerBase(max_memory=1 << 20, spill_dir=tmp_path)
    on_disk.update(SALES)
    on_disk._core.spill()
    assert on_disk.rfm(columns=["tenure_days"]).to_pyarrow().equals(base.rfm(columns=["tenure_days"]).to_pyarrow())


def test_sums_beyond_their_type_matter_only_if_asked_for() -> None:
    data = SALES.set_column(2, "amount", pa.array([2**61] * 6, pa.int64()))
    data = pa.concat_tables([data] * 2)
    with pytest.raises(custcore.errors.SumOverflowError):
        custcore.rfm(data, columns=["monetary_mean"])
    assert custcore.rfm(data, columns=["n_orders"]).to_pyarrow()["n_orders"].to_pylist() == [4, 2, 2, 2, 2]


def test_cells_are_a_dictionary_of_all_cells() -> None:
    cells = custcore.rfm_scores(SALES).to_pyarrow()["rfm_cell"].chunk(0)
    assert cells.type == pa.dictionary(pa.int16(), pa.string())
    assert cells.dictionary.to_pylist() == [
        f"{r}-{f}-{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)
    ]
    # Of very many only those that occur, ascending by score.
    many = custcore.rfm_scores(SALES, bins=100).to_pyarrow()
    cells = many["rfm_cell"].chunk(0)
    assert cells.type == pa.dictionary(pa.int32(), pa.string())
    found = sorted(set(zip(*(many[name].to_pylist() for name in ("r_score", "f_score", "m_score")), strict=True)))
    assert cells.dictionary.to_pylist() == ["-".join(map(str, scores)) for scores in found]
    assert cells.to_pylist() == [
        "-".join(map(str, scores))
        for scores in zip(*(many[name].to_pylist() for name in ("r_score", "f_score", "m_score")), strict=True)
    ]


def test_frames() -> None:
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    import custcore.pandas
    import custcore.polars

    frame = SALES.to_pandas()
    assert list(frame.custcore.rfm_scores(columns=["segment"]).columns) == ["customer_id", "segment"]
    indexed = custcore.pandas.rfm(frame, columns=["n_orders"], set_index=True)
    assert (indexed.index.name, list(indexed.columns)) == ("customer_id", ["n_orders"])
    assert isinstance(frame.custcore.rfm_scores()["rfm_cell"].dtype, pd.CategoricalDtype)
    lazy = pl.from_arrow(SALES).lazy()
    assert custcore.polars.rfm_scores(lazy, columns=["rfm_cell"]).schema["rfm_cell"] == pl.Categorical
    assert lazy.custcore.rfm(columns=["n_rows", "n_orders"]).columns == ["customer_id", "n_rows", "n_orders"]
