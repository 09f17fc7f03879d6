"""The contenders of the bench of pairs.

All count the baskets of every pair of items that are in enough baskets. custcore also gives measures, strata of sizes
and p-values. DuckDB and polars join distinct lines with themselves; scipy multiplies a sparse matrix with itself;
pyfim and mlxtend find itemsets of two items and get lists of transactions, or a matrix, as they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benches.harness import Contender, Work
from benches.python.affinity.case import RESULT, PairCase, PairInput
from benches.python.rfm.case import load

if TYPE_CHECKING:
    from pathlib import Path


def prepare_custcore(case: PairCase, path: Path) -> Work:
    import custcore

    pa.set_cpu_count(case.threads)
    table = load(path)

    def run() -> Any:
        return custcore.pairs(
            table,
            "item",
            order_id="basket",
            min_item_baskets=case.minimum,
            min_pair_baskets=case.minimum,
            n_threads=case.threads,
        )

    return Work(run, lambda found: pa.table(found).select(RESULT))


def prepare_duckdb(case: PairCase, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect(config={"threads": case.threads})
    connection.register("lines", load(path))
    query = f"""
        WITH lists AS (SELECT DISTINCT basket, item FROM lines),
        frequent AS (SELECT item FROM lists GROUP BY item HAVING count(*) >= {case.minimum}),
        kept AS (SELECT basket, item FROM lists SEMI JOIN frequent USING (item))
        SELECT a.item AS item_a, b.item AS item_b, count(*) AS n_ab
        FROM kept a JOIN kept b ON a.basket = b.basket AND a.item < b.item
        GROUP BY ALL HAVING count(*) >= {case.minimum}
    """  # noqa: S608 (a number)
    return Work(lambda: connection.sql(query).to_arrow_table(), lambda found: found)


def prepare_polars(case: PairCase, path: Path) -> Work:
    import polars as pl

    lines = pl.from_arrow(load(path)).lazy()  # type: ignore[union-attr]
    lists = lines.select("basket", "item").unique()
    frequent = lists.group_by("item").len().filter(pl.col("len") >= case.minimum).select("item")
    kept = lists.join(frequent, on="item", how="semi")
    query = (
        kept.join(kept, on="basket", suffix="_b")
        .filter(pl.col("item") < pl.col("item_b"))
        .group_by("item", "item_b")
        .len()
        .filter(pl.col("len") >= case.minimum)
        .select(pl.col("item").alias("item_a"), "item_b", pl.col("len").alias("n_ab"))
    )
    return Work(lambda: query.collect(engine="streaming"), lambda found: found.to_arrow())


def _codes(table: pa.Table) -> tuple[np.ndarray, np.ndarray, Any]:
    """Codes of baskets and items, and the items."""
    basket, item = (table[name].combine_chunks().dictionary_encode() for name in ("basket", "item"))
    return basket.indices.to_numpy(), item.indices.to_numpy(), item.dictionary


def prepare_scipy(case: PairCase, path: Path) -> Work:
    import scipy.sparse as sparse

    table = load(path)

    def run() -> tuple[Any, Any]:
        baskets, items, names = _codes(table)
        matrix = sparse.csr_matrix((np.ones(len(items), np.int32), (baskets, items)))
        matrix.data[:] = 1
        kept = np.flatnonzero(np.asarray(matrix.sum(axis=0)).ravel() >= case.minimum)
        own = matrix[:, kept]
        both = sparse.triu(own.T @ own, k=1).tocoo()
        wanted = both.data >= case.minimum
        return (kept[both.row[wanted]], kept[both.col[wanted]], both.data[wanted]), names

    def read(found: tuple[Any, Any]) -> pa.Table:
        (a, b, count), names = found
        return pa.table([names.take(pa.array(a)), names.take(pa.array(b)), pa.array(count)], names=RESULT)

    return Work(run, read)


def _transactions(path: Path) -> list[list[Any]]:
    """The items of each basket."""
    table = load(path).select(["basket", "item"]).group_by("basket").aggregate([("item", "distinct")])
    found: list[list[Any]] = table["item_distinct"].to_pylist()
    return found


def _of_sets(found: list[tuple[Any, int]]) -> pa.Table:
    columns = [[own[0] for own, _ in found], [own[1] for own, _ in found], [count for _, count in found]]
    return pa.table(columns, names=RESULT)


def prepare_pyfim(case: PairCase, path: Path) -> Work:
    import fim

    transactions = _transactions(path)

    def run() -> Any:
        return fim.eclat(transactions, target="s", supp=-case.minimum, zmin=2, zmax=2, report="a")

    return Work(run, lambda found: _of_sets([(tuple(items), count) for items, count in found]))


def prepare_mlxtend(case: PairCase, path: Path) -> Work:
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    transactions = _transactions(path)
    encoder = TransactionEncoder()
    matrix = encoder.fit(transactions).transform(transactions, sparse=True)
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=list(map(str, encoder.columns_)))

    def run() -> Any:
        return fpgrowth(frame, min_support=(case.minimum - 0.5) / len(frame), max_len=2, use_colnames=True)

    def read(found: Any) -> pa.Table:
        both = found[found["itemsets"].map(len) == 2]
        counts = (both["support"] * len(frame)).round().astype(int)
        return _of_sets([(tuple(items), count) for items, count in zip(both["itemsets"], counts, strict=True)])

    return Work(run, read)


def _is_small(case: PairCase) -> str | None:
    return "its lists of Python objects do not fit" if case.source == "made" and case.lines > 2_000_000 else None


CONTENDERS = {
    "custcore": Contender(prepare_custcore, "custcore", "pairs in one call, with measures and tests", needed=4),
    "duckdb": Contender(prepare_duckdb, "duckdb", "self-join of distinct lines", needed=16),
    "polars-streaming": Contender(prepare_polars, "polars", "self-join of distinct lines, streaming", needed=40),
    "scipy": Contender(prepare_scipy, "scipy", "X'X of a sparse matrix", needed=40),
    "pyfim": Contender(prepare_pyfim, "pyfim", "eclat of two items, from lists", needed=40, refuses=_is_small),
    "mlxtend": Contender(
        prepare_mlxtend, "mlxtend", "fpgrowth of two items, from a sparse frame", needed=60, refuses=_is_small
    ),
}


class PairBench(PairInput):
    """The bench of pairs."""

    contenders = CONTENDERS


BENCH = PairBench()
