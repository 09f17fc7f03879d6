"""Ids that are texts of UUIDs, alone and among others: groups are those of pandas, in the order of Python's strings."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custcore

LONG = settings.default is not None and settings.default.max_examples > 1000
CASES = settings(settings.default, max_examples=1000 if LONG else 30)
START = date(2025, 1, 1)


def _nearly(text: str, how: int, at: int) -> str:
    """The text of a UUID, or another that is nearly one."""
    digit = "gG-:/@`\0ä"[at % 9]
    return [
        text,
        text.upper(),
        text[:at] + text[at:].upper(),
        text[:35],
        text + "0",
        text.replace("-", ""),
        "{" + text[:35],
        text[:at] + digit + text[at + 1 :],
        text[: at % 17],
    ][how]


# Few values for each half: ids meet, and their beginnings are often equal.
HALVES = st.sampled_from([0, 1, 0x0188A7C25E0F7BD3, 0x0188A7C25E0F7BD4, 0x8C449FE01122AABB, 2**63, 2**64 - 1])
UUIDS = (
    st.tuples(HALVES, HALVES)
    .map(lambda pair: f"{pair[0] << 64 | pair[1]:032x}")
    .map(lambda digits: "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]]))
)
IDS = st.one_of(
    UUIDS,
    UUIDS,
    UUIDS.map(str.upper),
    st.builds(_nearly, UUIDS, st.integers(0, 8), st.integers(0, 35)),
    st.sampled_from(["a", "0", "f", "F", "\0", "", "00000000-", "00000000-0000-000"]),
)
ROW = st.tuples(IDS, st.integers(0, 20), st.integers(1, 10_000))
ROWS = st.lists(ROW, min_size=1, max_size=60)
KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int16(), pa.string())]
KIND = st.sampled_from(KINDS)


def table(rows: list[Any], kind: pa.DataType, *, is_pair: bool = False) -> pa.Table:
    ids, days, cents = ([row[i] for row in rows] for i in range(3))
    plain = pa.array(ids, kind.value_type if pa.types.is_dictionary(kind) else kind)
    columns = {
        "customer_id": plain.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else plain,
        "timestamp": pa.array([START + timedelta(days=day) for day in days], pa.date32()),
        "amount": pa.array([value / 100 for value in cents], pa.float64()),
    }
    return pa.table(columns | ({"country": pa.array(["DE"] * len(rows))} if is_pair else {}))


def expected(rows: list[Any]) -> list[tuple[Any, ...]]:
    """Per id: first and last day, purchases, money; by pandas, in Python's order of strings."""
    frame = pd.DataFrame(rows, columns=["id", "day", "cents"])
    frame["id"] = frame["id"].astype(object)
    groups = frame.groupby("id", sort=False).agg(
        first=("day", "min"), last=("day", "max"), n=("day", "size"), cents=("cents", "sum")
    )
    found = {row.Index: (row.first, row.last, row.n, row.cents) for row in groups.itertuples()}
    return [(key, *found[key]) for key in sorted(found, key=str.encode)]


def found(result: Any) -> list[tuple[Any, ...]]:
    result = result.to_pyarrow()
    columns = ["customer_id", "first_date", "last_date", "n_orders", "monetary_total"]
    rows = zip(*(result[name].to_pylist() for name in columns), strict=True)
    return [(key, (a - START).days, (b - START).days, n, round(100 * total)) for key, a, b, n, total in rows]


@CASES
@given(ROWS, KIND, st.integers(1, 3))
def test_groups_are_those_of_pandas(rows: list[Any], kind: pa.DataType, n_threads: int) -> None:
    assert found(custcore.rfm(table(rows, kind), n_threads=n_threads)) == expected(rows)


@CASES
@given(ROWS, ROWS, st.tuples(KIND, KIND), st.sampled_from(["totals", "days"]), st.booleans())
def test_bases_keep_texts(
    rows: list[Any], more: list[Any], kinds: tuple[pa.DataType, pa.DataType], track: str, is_pair: bool
) -> None:
    keys = {"customer_id": ["country", "customer_id"]} if is_pair else {}
    bases = [custcore.CustomerBase(track=track, **keys) for _ in range(2)]
    for base, part, kind in zip(bases, (rows, more), kinds, strict=True):
        base.update(table(part, kind, is_pair=is_pair))
    bases[0].merge(bases[1])
    assert found(bases[0].rfm()) == expected(rows + more)
    with tempfile.TemporaryDirectory() as folder:
        bases[0].save(Path(folder) / "base")
        loaded = custcore.CustomerBase.load(Path(folder) / "base")
        limited = custcore.CustomerBase.load(Path(folder) / "base", max_memory="1 MiB", spill_dir=folder)
        limited.update(table(rows, kinds[1], is_pair=is_pair))
        assert found(loaded.rfm()) == expected(rows + more)
        assert found(limited.rfm()) == expected(rows + more + rows)


@CASES
@given(ROWS, KIND, st.dictionaries(IDS, IDS, max_size=5), st.lists(IDS, max_size=3))
def test_ids_are_found(rows: list[Any], kind: pa.DataType, mapping: dict[str, str], removed: list[str]) -> None:
    base = custcore.CustomerBase(track="totals")
    base.update(table(rows, kind))
    base.relabel(mapping)
    rows = [(mapping.get(key, key), *rest) for key, *rest in rows]
    assert found(base.rfm()) == expected(rows)
    base.remove(removed)
    assert found(base.rfm()) == expected([row for row in rows if row[0] not in removed])


@pytest.mark.parametrize("kind", KINDS[:3], ids=str)
def test_many_uuids_among_others(kind: pa.DataType) -> None:
    """Enough customers for partitions and several threads."""
    n = 100_000
    digits = [f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}{i * 0xD6E8FEB86659FD93 % 2**64:016x}" for i in range(n)]
    texts = ["-".join([d[:8], d[8:12], d[12:16], d[16:20], d[20:]]) for d in digits]
    kinds = [str, str, str.upper, lambda text: text[:14] + text[14:].upper(), lambda text: text[:12]]
    ids = [kinds[i % len(kinds)](text) for i, text in enumerate(texts)]
    rows = [(ids[i * 7 % n], i % 20, i % 5_000 + 1) for i in range(2 * n)]
    base = custcore.CustomerBase(track="totals")
    base.update(table(rows, kind), n_threads=2)
    assert found(base.rfm()) == expected(rows)
