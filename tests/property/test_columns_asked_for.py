"""``columns=`` gives the same columns as the whole table, in the order asked for, whatever else is set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import custcore
from tests.samples import transactions

AMOUNTS = ("float", "integer", "decimal", "wide", "none")
SEGMENTS = st.sampled_from(["auto", None, "octants", "r_vignette"])


def purchases(rows: int, seed: int, amounts: str, key: str) -> tuple[pa.Table, dict[str, Any]]:
    """Transactions with refunds and a place, and the options to read them."""
    data = transactions(max(1, rows), customers=max(1, rows // 4), seed=seed, nulls=False).slice(0, rows)
    data = data.append_column("place", pa.array([["x", "y", None][i % 3] for i in range(rows)], pa.string()))
    options: dict[str, Any] = {"attributes": {"place": "last"}}
    cents = [round(amount * 100) for amount in data["amount"].to_pylist()]
    if amounts == "none":
        options["amount"] = None
    elif amounts != "float":
        column = {
            "integer": pa.array(cents, pa.int64()),
            "decimal": pa.array([Decimal(c) / 100 for c in cents], pa.decimal128(12, 2)),
            # Sums beyond 64 bits.
            "wide": pa.array([Decimal(c) * 10**20 for c in cents], pa.decimal128(38, 0)),
        }[amounts]
        data = data.set_column(data.column_names.index("amount"), "amount", column)
    if key == "composite":
        data = data.append_column("shop", pa.array([i % 2 for i in range(rows)], pa.int32()))
        options["customer_id"] = ["shop", "customer_id"]
    return data, options


def picked(draw: Any, names: list[str]) -> list[str]:
    """Some of the names, in any order."""
    return list(draw(st.permutations(names))[: draw(st.integers(0, len(names)))])


def check(part: pa.Table, whole: pa.Table, ids: list[str], columns: list[str]) -> None:
    """The ids, then the columns asked for, with the values and types of the whole table."""
    expected = [*ids, *(name for name in columns if name not in ids)]
    assert part.column_names == expected
    assert part.equals(whole.select(expected))
    assert part.schema.metadata == whole.schema.metadata


@given(
    st.data(), st.integers(0, 80), st.integers(0, 9), st.sampled_from(AMOUNTS), st.sampled_from(["single", "composite"])
)
def test_of_rfm(data: Any, rows: int, seed: int, amounts: str, key: str) -> None:
    table, options = purchases(rows, seed, amounts, key)
    options |= {"n_days": data.draw(st.booleans()), "sort": True}
    whole = custcore.rfm(table, **options)
    ids = ["customer_id"] if key == "single" else ["shop", "customer_id"]
    columns = picked(data.draw, whole.column_names)
    part = custcore.rfm(table, columns=columns, **options)
    check(part.to_pyarrow(), whole.to_pyarrow(), ids, columns)
    assert part.report == whole.report
    base = custcore.CustomerBase(**{name: value for name, value in options.items() if name != "sort"})
    base.update(table)
    check(base.rfm(columns=columns).to_pyarrow(), whole.to_pyarrow(), ids, columns)


@given(
    st.data(),
    st.integers(0, 80),
    st.integers(0, 9),
    st.sampled_from(AMOUNTS),
    st.sampled_from(["single", "composite"]),
    SEGMENTS,
)
def test_of_scores(data: Any, rows: int, seed: int, amounts: str, key: str, segments: str | None) -> None:
    table, options = purchases(rows, seed, amounts, key)
    needs_money = segments in ("octants", "r_vignette")
    options |= {
        "segments": None if needs_money and amounts == "none" else segments,
        "ties": data.draw(st.sampled_from(["same", "split"])),
        "binning": data.draw(st.sampled_from(["independent", "nested"])),
        "by": data.draw(st.sampled_from([None, "place"])),
        "monetary": data.draw(st.sampled_from(["total", "mean"])),
        "frequency": data.draw(st.sampled_from(["orders", "days", "rows"])),
        "bins": 5 if segments is not None else data.draw(st.sampled_from([3, 5, (20, 30, 2), (40, 40, 40)])),
    }
    if options["by"]:
        del options["attributes"]
    whole = custcore.rfm_scores(table, **options)
    ids = ["customer_id"] if key == "single" else ["shop", "customer_id"]
    columns = picked(data.draw, whole.column_names)
    part = custcore.rfm_scores(table, columns=columns, **options)
    check(part.to_pyarrow(), whole.to_pyarrow(), ids, columns)
    assert part.report.entries == whole.report.entries
    assert set(part.report.remarks) <= set(whole.report.remarks)


@given(st.data(), st.integers(4, 60), st.integers(0, 9), SEGMENTS, st.booleans())
def test_of_transform(data: Any, rows: int, seed: int, segments: str | None, nulls: bool) -> None:
    """Of tables with nulls, too, and of several batches."""
    table, options = purchases(rows, seed, "float", "single")
    customers = custcore.rfm(table, **options).to_pyarrow()
    if nulls:
        place = customers.column_names.index("n_orders")
        values = [None if i % 3 == 0 else n for i, n in enumerate(customers["n_orders"].to_pylist())]
        customers = customers.set_column(place, "n_orders", pa.array(values, pa.int64()))
    if not customers.num_rows or customers["n_orders"].null_count == customers.num_rows:
        return
    scorer = custcore.RFMScorer(segments=segments).fit(customers)
    pieces = pa.Table.from_batches(customers.to_batches(max_chunksize=data.draw(st.integers(1, 30))))
    whole = scorer.transform(pieces)
    columns = picked(data.draw, whole.column_names)
    check(scorer.transform(pieces, columns=columns).to_pyarrow(), whole.to_pyarrow(), ["customer_id"], columns)
    again = custcore.RFMScorer(segments=segments)
    check(again.fit_transform(pieces, columns=columns).to_pyarrow(), whole.to_pyarrow(), ["customer_id"], columns)
    assert again == scorer
