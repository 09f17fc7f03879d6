"""`custcore.duckdb.register`: SQL gives what `transform` and `assign` give."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import custcore
import custcore.duckdb
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotFittedError

duckdb = pytest.importorskip("duckdb")


def customers(n: int, seed: int = 3) -> pa.Table:
    """With nulls, ties, and money as decimals."""
    rng = np.random.default_rng(seed)

    def column(values: Any, kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(n) < 0.05)

    cents = rng.integers(-50, 5_000, n)
    return pa.table(
        {
            "customer_id": pa.array([f"c{number:07}" for number in rng.permutation(n)]),
            "recency_days": column(rng.integers(0, 300, n), pa.int32()),
            "n_orders": column(rng.integers(1, 9, n), pa.int64()),
            "monetary_total": column(cents, pa.int64()).cast(pa.decimal128(20, 0)).cast(pa.decimal128(20, 2)),
            "country": pa.array(["de", "no", "fr"]).take(pa.array(rng.integers(0, 3, n))),
            "visits": column(rng.normal(size=n).round(1), pa.float64()),
        }
    )


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as connection:
        yield connection


def answers(connection: Any, call: str, table: pa.Table) -> pa.Table:
    connection.register("customers", table)
    # The rows of a table of Arrow keep their order.
    return pa.table(connection.sql(f"SELECT unnest({call}) FROM customers"))


def same(found: pa.Table, result: custcore.Table, appended: int) -> None:
    expected = result.to_pyarrow()
    names = expected.column_names[-appended:]
    assert found.column_names == names
    for name in names:
        assert found[name].to_pylist() == expected[name].to_pylist(), name


SCORERS = [
    ({}, "rfm_score(recency_days, n_orders, monetary_total)", 7),
    ({"segments": None}, "rfm_score(recency_days, n_orders, monetary_total)", 6),
    ({"bins": 4}, "rfm_score(recency_days, n_orders, monetary_total)", 6),
    ({"bins": (5, 5, 3)}, "rfm_score(recency_days, n_orders, monetary_total)", 7),
    ({"bins": 4, "segments": "octants"}, "rfm_score(recency_days, n_orders, monetary_total)", 7),
    ({"by": "country"}, "rfm_score(recency_days, n_orders, monetary_total, country)", 7),
    ({"ties": "split"}, "rfm_score(recency_days, n_orders, monetary_total, customer_id)", 7),
    (
        {"ties": "split", "by": "country", "customer_id": ["country", "customer_id"]},
        "rfm_score(recency_days, n_orders, monetary_total, country, customer_id)",
        7,
    ),
    ({"binning": "nested", "unseen": "global"}, "rfm_score(recency_days, n_orders, monetary_total)", 7),
    ({"cuts": {"recency": [10, 100]}, "closed": "left"}, "rfm_score(recency_days, n_orders, monetary_total)", 6),
]


@pytest.mark.parametrize(("settings", "call", "appended"), SCORERS, ids=lambda value: str(value)[:40])
def test_scores_are_those_of_transform(connection: Any, settings: dict[str, Any], call: str, appended: int) -> None:
    scorer = custcore.RFMScorer(**settings).fit(customers(2_000))
    assert custcore.duckdb.register(connection, scorer) == call
    others = customers(5_000, seed=4)
    same(answers(connection, call, others), scorer.transform(others), appended)


def test_a_scorer_without_money(connection: Any) -> None:
    table = customers(2_000).drop_columns(["monetary_total"])
    scorer = custcore.RFMScorer().fit(table)
    call = custcore.duckdb.register(connection, scorer)
    assert call == "rfm_score(recency_days, n_orders)"
    same(answers(connection, call, table), scorer.transform(table), 6)


@pytest.mark.parametrize("settings", [{}, {"weights": [1, 2]}, {"ties": "split", "customer_id": "customer_id"}])
def test_quantile_scorer(connection: Any, settings: dict[str, Any]) -> None:
    table = customers(3_000)
    scorer = custcore.QuantileScorer(["visits", "n_orders"], directions={"visits": "low"}, **settings).fit(table)
    call = custcore.duckdb.register(connection, scorer)
    assert call == "quantile_score(visits, n_orders" + (", customer_id)" if "ties" in settings else ")")
    same(answers(connection, call, table), scorer.transform(table), 4 if "weights" in settings else 3)


def test_clusters(connection: Any) -> None:
    table = customers(3_000).select(["recency_days", "n_orders"])
    whole = table.drop_null()
    model = custcore.KMeans(4, random_state=1).fit(whole)
    call = custcore.duckdb.register(connection, model)
    assert call == "kmeans_cluster(recency_days, n_orders)"
    same(answers(connection, call, whole), model.assign(whole), 1)
    # A row with a null has no cluster; the others are what they are without it.
    found = answers(connection, call, table)["cluster"]
    missing = [None in row.values() for row in table.to_pylist()]
    assert [cluster is None for cluster in found.to_pylist()] == missing
    assert found.drop_null().to_pylist() == model.assign(whole)["cluster"].to_pylist()
    assert connection.execute("SELECT kmeans_cluster(NULL, NULL).cluster").fetchone() == (None,)


def test_clusters_with_names(connection: Any) -> None:
    table = customers(500).select(["customer_id", "recency_days", "n_orders", "monetary_total"]).drop_null()
    _, model = custcore.segment_customers(table)
    call = custcore.duckdb.register(connection, model)
    same(answers(connection, call, table), model.assign(table), 2)


def test_clusters_of_an_array(connection: Any) -> None:
    array = np.array([[0.0, 1.0], [9.0, 8.0]] * 20)
    model = custcore.KMeans(2, random_state=1).fit(array)
    assert custcore.duckdb.register(connection, model) == "kmeans_cluster(feature_0, feature_1)"
    found = connection.execute("SELECT kmeans_cluster(0, 1).cluster, kmeans_cluster(9, 8).cluster").fetchone()
    assert list(found) == model.predict(array[:2]).tolist()


def test_types_of_sql(connection: Any) -> None:
    """Sums are HUGEINT, groups may be ENUM, constants DECIMAL; a bare NULL has no type."""
    scorer = custcore.RFMScorer(by="country").fit(customers(2_000))
    custcore.duckdb.register(connection, scorer)
    connection.execute("CREATE TYPE country AS ENUM ('de', 'no', 'fr')")
    found = connection.execute("SELECT rfm_score(sum(3), count(*), sum(2.5), 'no'::country) FROM range(4)").fetchone()
    r, f, m, segment = scorer.score_one(12, 4, 10, group="no")
    assert [found[0][name] for name in ("r_score", "f_score", "m_score", "segment")] == [r, f, m, segment]
    [found] = connection.execute("SELECT rfm_score(3, NULL, 2.5, 'no')").fetchone()
    assert found["f_score"] is found["rfm_cell"] is found["segment"] is None
    assert found["r_score"] == scorer.score_one(3, 1, 2.5, group="no")[0]
    assert connection.execute("SELECT rfm_score(1, 1, 1, 'de') FROM range(0)").fetchall() == []


def test_a_million_rows_on_many_threads(connection: Any) -> None:
    scorer = custcore.RFMScorer().fit(customers(10_000))
    custcore.duckdb.register(connection, scorer)
    connection.execute("SET threads = 4")
    table = customers(100_000, seed=5)
    table = pa.concat_tables([table] * 10)
    connection.register("big", table)
    found = connection.execute(
        "SELECT s.segment, s.rfm_score, count(*)"
        " FROM (SELECT rfm_score(recency_days, n_orders, monetary_total) AS s FROM big) GROUP BY ALL"
    ).fetchall()
    result = scorer.transform(table).to_pyarrow().select(["segment", "rfm_score"])
    result = result.set_column(0, "segment", result["segment"].cast(pa.string()))
    expected = result.group_by(["segment", "rfm_score"], use_threads=False).aggregate([([], "count_all")])
    assert sorted(map(str, found)) == sorted(str(tuple(row.values())) for row in expected.to_pylist())

    with duckdb.connect() as other, ThreadPoolExecutor(4) as pool:
        # A connection of its own for each thread, as DuckDB asks for.
        custcore.duckdb.register(other, scorer)
        other.register("source", table)
        other.execute("CREATE TABLE big AS SELECT * FROM source")
        cursors = [other.cursor() for _ in range(4)]
        query = "SELECT sum(rfm_score(recency_days, n_orders, monetary_total).rfm_score) FROM big"
        sums = set(pool.map(lambda cursor: cursor.execute(query).fetchone(), cursors))
    assert sums == {(sum(row["rfm_score"] or 0 for row in result.to_pylist()),)}


def test_errors_name_the_function(connection: Any) -> None:
    scorer = custcore.RFMScorer(by="country").fit(customers(2_000))
    custcore.duckdb.register(connection, scorer, "wertung")
    for call, words in (
        ("wertung('x', 1, 1, 'de')", "recency_days"),
        ("wertung(1, 1, TRUE, 'de')", "monetary_total"),
        ("wertung(1, 1, 1, 'se')", "se"),
        ("wertung(1, 1, 1, 5)", "country"),
    ):
        with pytest.raises(duckdb.InvalidInputException, match=rf"wertung: .*{words}"):
            connection.execute(f"SELECT {call}").fetchall()
    with pytest.raises(duckdb.BinderException, match="wertung"):
        connection.execute("SELECT wertung(1, 1, 1)")
    # A query that failed leaves nothing behind.
    assert connection.execute("SELECT wertung(1, 1, 1, 'de').r_score").fetchone() is not None


def test_what_cannot_be_registered(connection: Any) -> None:
    scorer = custcore.RFMScorer().fit(customers(500))
    with pytest.raises(NotFittedError, match="register"):
        custcore.duckdb.register(connection, custcore.RFMScorer())
    with pytest.raises(NotFittedError, match="register"):
        custcore.duckdb.register(connection, custcore.KMeans(3))
    with pytest.raises(InvalidTypeError, match="model is SegmentMap"):
        custcore.duckdb.register(connection, custcore.SegmentMap.named("rf10"))  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="connection is RFMScorer"):
        custcore.duckdb.register(scorer, scorer)  # type: ignore[arg-type]
    for name in ("upper", "SUM"):
        for replace in (False, True):
            with pytest.raises(InvalidArgumentError, match=f"name='{name}' is a function already"):
                custcore.duckdb.register(connection, scorer, name, replace=replace)


def test_the_model_is_copied_and_replaced_on_request(connection: Any) -> None:
    first = customers(500)
    scorer = custcore.RFMScorer().fit(first)
    call = custcore.duckdb.register(connection, scorer)
    kept = custcore.RFMScorer.from_bytes(scorer.to_bytes())
    later = first.set_column(1, "recency_days", pa.array(np.arange(500) + 1_000))
    scorer.fit(later)
    same(answers(connection, call, first), kept.transform(first), 7)
    with pytest.raises(InvalidArgumentError, match="replace=True"):
        custcore.duckdb.register(connection, scorer)
    assert custcore.duckdb.register(connection, scorer, replace=True) == call
    same(answers(connection, call, first), scorer.transform(first), 7)
    # Nothing to replace is no error.
    custcore.duckdb.register(connection, scorer, "another", replace=True)


def test_in_a_query_of_orders(connection: Any) -> None:
    """From orders to segments in SQL alone, as `custcore.rfm` and `transform` give them."""
    rng = np.random.default_rng(7)
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(days=int(day)) for day in rng.integers(0, 300, 4_000)]
    orders = pa.table(
        {"customer_id": rng.integers(0, 700, 4_000), "timestamp": days, "amount": rng.integers(1, 99, 4_000)}
    )
    table = custcore.rfm(orders)
    scorer = custcore.RFMScorer().fit(table)
    custcore.duckdb.register(connection, scorer)
    connection.register("orders", orders)
    found = connection.execute(
        """SELECT
            customer_id,
            rfm_score((SELECT max(timestamp) FROM orders) - max(timestamp), count(*), sum(amount)).segment
        FROM orders GROUP BY customer_id ORDER BY customer_id"""
    ).fetchall()
    expected = scorer.transform(table).to_pylist()
    assert found == [(row["customer_id"], row["segment"]) for row in expected]
