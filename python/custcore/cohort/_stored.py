"""The tables of a cohort result, computed once: what a result holds after it was pickled.

A result of the core counts its tables from the orders of every customer on demand. A pickle holds the tables instead,
and needs no order log.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from custcore import _core
from custcore.errors import InvalidArgumentError, OutOfRangeError, SumOverflowError

if TYPE_CHECKING:
    from collections.abc import Callable

    from custcore.errors import CustcoreError

__all__ = ["MATRIX_VALUES", "StoredCohorts"]

MATRIX_VALUES = (
    *("rate", "rate_low", "rate_high", "customers", "customers_open", "eligible", "orders"),
    *("revenue", "revenue_cumulative", "revenue_cumulative_per_customer", "is_observed", "is_complete"),
)
_FACTS = ("n_cohorts", "n_columns", "starts_truncated", "n_customers", "observed", "timezone")


class StoredCohorts:
    """The methods of ``_core.CohortRetention``, answered from tables.

    Parameters
    ----------
    facts
        The properties, by name.
    tables
        The tables by name and argument, or the error that the call raised.
    """

    __slots__ = ("_facts", "_tables")

    def __init__(self, facts: dict[str, Any], tables: dict[tuple[str, object], bytes | CustcoreError]) -> None:
        self._facts = facts
        self._tables = {
            call: _core.Table.from_bytes(table) if isinstance(table, bytes) else table for call, table in tables.items()
        }

    def __reduce__(self) -> tuple[object, ...]:
        tables = {
            call: table.to_bytes() if isinstance(table, _core.Table) else table for call, table in self._tables.items()
        }
        return StoredCohorts, (self._facts, tables)

    @classmethod
    def of(cls, core: _core.CohortRetention) -> StoredCohorts:
        """Compute every table of a result; not those that its settings forbid, whose errors are kept."""
        calls: dict[tuple[str, object], Callable[[], _core.Table]] = {
            ("cells", None): core.cells,
            ("empty_cells", None): core.empty_cells,
            ("movement", None): core.movement,
            ("customers", None): core.customers,
            ("rfm", None): core.rfm,
            **{("matrix", value): partial(core.matrix, value) for value in (*MATRIX_VALUES, "")},
            **{("average", kind): partial(core.average, kind) for kind in ("pooled", "simple", "")},
            **{("revenue_retention", flag): partial(core.revenue_retention, flag) for flag in (False, True)},
        }
        stored = cls({name: getattr(core, name) for name in _FACTS}, {})
        for call, compute in calls.items():
            try:
                stored._tables[call] = compute()
            except (InvalidArgumentError, OutOfRangeError, SumOverflowError) as error:
                stored._tables[call] = error
        return stored

    def cells(self) -> _core.Table:
        return self._table("cells")

    def empty_cells(self) -> _core.Table:
        return self._table("empty_cells")

    def matrix(self, value: str, part: tuple[int, int, int] | None = None) -> _core.Table:
        table = self._table("matrix", value)
        if part is None:
            return table
        first, end, columns = part
        names = table.column_names
        return table.part(first, end, names[: names.index("cohort_size") + 1 + columns])

    def average(self, kind: str, columns: int | None = None) -> _core.Table:
        table = self._table("average", kind)
        # Only the triangle of a result without groups asks for the first columns.
        return table if columns is None else table.part(0, columns, table.column_names)

    def movement(self) -> _core.Table:
        return self._table("movement")

    def revenue_retention(self, reactivation: bool) -> _core.Table:
        return self._table("revenue_retention", reactivation)

    def customers(self) -> _core.Table:
        return self._table("customers")

    def rfm(self) -> _core.Table:
        return self._table("rfm")

    @property
    def n_cohorts(self) -> int:
        return int(self._facts["n_cohorts"])

    @property
    def n_columns(self) -> int:
        return int(self._facts["n_columns"])

    @property
    def starts_truncated(self) -> bool:
        return bool(self._facts["starts_truncated"])

    @property
    def n_customers(self) -> int:
        return int(self._facts["n_customers"])

    @property
    def observed(self) -> tuple[str, str] | None:
        found: tuple[str, str] | None = self._facts["observed"]
        return found

    @property
    def timezone(self) -> str | None:
        found: str | None = self._facts["timezone"]
        return found

    def _table(self, name: str, argument: object = None) -> _core.Table:
        """A table, or its error; an unknown argument gets the error of an empty one, which lists the choices."""
        found = self._tables.get((name, argument))
        if found is None:
            found = self._tables[name, ""]
            if not isinstance(found, _core.Table):
                raise type(found)(str(found).replace("''", repr(argument), 1))
        if isinstance(found, _core.Table):
            return found
        raise type(found)(str(found), column=found.column, row=found.row)
