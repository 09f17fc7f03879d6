"""New ids of any width: the base of data that have them, with the types that an update with them makes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import custcore
from tests.property.bases import LEVELS

LONG = settings.default is not None and settings.default.max_examples > 1000
LAWS = settings(settings.default, max_examples=1000 if LONG else 60)

SMALL = st.integers(0, 3)
WIDE = st.sampled_from([-(2**63), -(2**31) - 1, -129, -1, 127, 128, 255, 256, 65_536, 2**31, 2**32, 2**63 - 1])
BYTES = st.sampled_from([b"", b"a", b"aa", b"ab", b"abc", b"\0\0"])
# Types of ids, ids that they hold, ids that there may be anew, and the type that holds all of those.
KINDS: dict[pa.DataType, tuple[Any, Any, pa.DataType]] = {
    **dict.fromkeys(
        [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()],
        (SMALL, SMALL | WIDE, pa.int64()),
    ),
    pa.uint64(): (SMALL, SMALL | st.sampled_from([2**63, 2**64 - 1]), pa.uint64()),
    pa.binary(2): (st.sampled_from([b"aa", b"ab", b"\0\0"]), BYTES, pa.binary()),
    pa.binary(): (BYTES, BYTES, pa.binary()),
    pa.large_string(): (st.sampled_from(["", "a", "aa"]), st.sampled_from(["", "a", "é", "\0"]), pa.large_string()),
}
CASES = st.sampled_from(list(KINDS)).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.lists(KINDS[kind][0], max_size=6),
        st.dictionaries(KINDS[kind][0] | KINDS[kind][1], KINDS[kind][1], max_size=4),
    )
)


def holds(kind: pa.DataType, value: Any) -> bool:
    try:
        return bool(pa.array([value], kind)[0].as_py() == value)
    except (pa.ArrowInvalid, OverflowError):
        return False


def table(ids: list[Any], kind: pa.DataType, places: list[int], *, is_pair: bool) -> pa.Table:
    """Rows whose days and amounts tell their places."""
    columns = {
        "customer_id": pa.array(ids, kind),
        "timestamp": pa.array([date(2026, 1, 1) + timedelta(days=place) for place in places], pa.date32()),
        "amount": pa.array([float(2**place) for place in places], pa.float64()),
        "order": pa.array(places, pa.int64()),
    }
    return pa.table(({"country": pa.array(["DE"] * len(ids), pa.string())} if is_pair else {}) | columns)


@LAWS
@given(CASES, st.sampled_from(sorted(LEVELS)), st.booleans())
def test_new_ids_are_as_if_the_input_had_them(case: Any, level: str, is_pair: bool) -> None:
    kind, ids, mapping = case
    key = ["country", "customer_id"] if is_pair else "customer_id"
    base, expected = (custcore.CustomerBase(customer_id=key, **LEVELS[level]) for _ in range(2))
    base.update(table(ids, kind, list(range(len(ids))), is_pair=is_pair))
    base.relabel({_id(old, is_pair): _id(new, is_pair) for old, new in mapping.items()})
    expected.update(table([], kind, [], is_pair=is_pair))
    for place, old in enumerate(ids):
        new = mapping.get(old, old)
        own = kind if holds(kind, new) else KINDS[kind][2]
        expected.update(table([new], own, [place], is_pair=is_pair))
    assert base.rfm().to_pyarrow().equals(expected.rfm().to_pyarrow())
    assert base.to_bytes() == expected.to_bytes()
    assert base.remove([_id(new, is_pair) for new in mapping.values()]) == len(
        set(mapping.values()) & set(_known(expected))
    )


def _id(value: Any, is_pair: bool) -> Any:
    return ("DE", value) if is_pair else value


def _known(base: custcore.CustomerBase) -> list[Any]:
    return list(base.rfm().to_pyarrow()["customer_id"].to_pylist())
