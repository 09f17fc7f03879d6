"""The model of a base, on cases small enough to check by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.reference.base import AgainError, BaseReference, LateError

D = [date(2024, 1, day) for day in range(1, 10)]


def orders(base: BaseReference, as_of: date | None = None) -> dict[Any, tuple[int, float]]:
    return {row["customer_id"]: (row["n_orders"], row["monetary_total"]) for row in base.rfm(as_of).rows}


def test_lines_scattered_over_updates_are_one_order() -> None:
    base = BaseReference(has_orders=True)
    base.update([("a", D[0], 5.0, "x"), ("a", D[2], -7.0, "x")])
    assert orders(base) == {}
    assert orders(base, D[1]) == {"a": (1, 5.0)}
    base.update([("a", D[1], 3.0, "x"), ("a", D[1], 1.0, None)])
    assert orders(base) == {"a": (2, 2.0)}


def test_a_sealed_order_takes_no_lines() -> None:
    base = BaseReference(has_orders=True)
    base.update([("a", D[0], 5.0, "x"), ("a", D[3], 2.0, "y"), ("a", D[0], 1.0, "y")])
    base.seal(D[2])
    assert base.open_orders == {("a", "y")}
    with pytest.raises(LateError):
        base.update([("a", D[1], 1.0, "x")])
    base.update([("a", D[1], 1.0, "y"), ("a", D[4], 1.0, "x"), ("a", D[1], 1.0, None)])
    assert orders(base) == {"a": (4, 11.0)}
    base.late = "report"
    base.update([("a", D[1], 1.5, "z")])
    assert orders(base) == {"a": (4, 11.0)}
    assert (base.late_lines.count, base.late_lines.units) == (1, 1_500_000)
    assert base.n_rows == 7


def test_new_ids_join_orders_and_swap() -> None:
    base = BaseReference(has_orders=True)
    base.update([("a", D[0], 5.0, "x"), ("b", D[1], 2.0, "x"), ("c", D[1], 9.0, "z")])
    base.relabel({"b": "a", "a": "b"})
    assert orders(base) == {"a": (1, 2.0), "b": (1, 5.0), "c": (1, 9.0)}
    base.relabel({"b": "a"})
    assert orders(base) == {"a": (1, 7.0), "c": (1, 9.0)}


def test_the_removed_are_numbers_and_batches_come_once() -> None:
    base = BaseReference()
    base.update([("a", D[0], 5.0), ("a", D[5], -7.0), ("b", D[1], 2.0)], "monday")
    assert base.remove(["a", "nobody"]) == 1
    assert (base.removed.count, base.removed.units) == (2, -2_000_000)
    assert base.rfm().as_of == D[5]
    other = BaseReference()
    other.update([("b", D[2], 1.0)], "tuesday")
    base.merge(other)
    assert orders(base) == {"b": (2, 3.0)}
    with pytest.raises(AgainError):
        base.update([], "tuesday")
