"""All cases of the sweep by group, and all public calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import custcore
from tests.api.fork.affinity import affinity
from tests.api.fork.bases import bases
from tests.api.fork.case import Case, public_names
from tests.api.fork.churn import churn
from tests.api.fork.clusters import clusters
from tests.api.fork.clv import values
from tests.api.fork.cohorts import cohorts
from tests.api.fork.experiments import experiments
from tests.api.fork.frames import frames
from tests.api.fork.growth import growth
from tests.api.fork.lifecycles import lifecycles
from tests.api.fork.measures import measures
from tests.api.fork.portraits import portraits
from tests.api.fork.preferences import preferences
from tests.api.fork.tables import tables
from tests.api.fork.value import value

CASES: dict[str, Callable[[], Iterable[Case]]] = {
    "tables": tables,
    "cohorts": cohorts,
    "bases": bases,
    "clusters": clusters,
    "value": value,
    "measures": measures,
    "lifecycles": lifecycles,
    "churn": churn,
    "portraits": portraits,
    "preferences": preferences,
    "growth": growth,
    "experiments": experiments,
    "affinity": affinity,
    "clv": values,
}
GROUPS = (*CASES, "pandas", "polars")


def group(name: str) -> list[Case]:
    """The cases of a group; those of a library import it."""
    if name == "pandas":
        from custcore.pandas import CustcoreAccessor

        return list(frames(name, CustcoreAccessor))
    if name == "polars":
        from custcore.polars import CustcoreNamespace

        return list(frames(name, CustcoreNamespace))
    return list(CASES[name]())


# Files are read and written by pyarrow, on threads of its own, which the sweep refuses: tests/read/test_fork.py.
OTHERS = {"read", *(f"CohortRetention.to_{kind}" for kind in ("arrow_ipc", "csv", "parquet", "xlsx"))} | {
    f"CohortRetention.to_{library}" for library in ("pandas", "polars", "pyarrow")
}
# custcore.duckdb.register is left out, too: a DuckDB that has run a query does not survive a fork.
# Threads of a library of dataframes, which need not survive a fork.
FOREIGN = {"polars": ("polars", "tokio-rt-worker")}


def public_calls(accessors: list[type]) -> set[str]:
    """All that a user can call: functions, and attributes of classes."""
    found: set[str] = set()
    for name in custcore.__all__:
        thing = getattr(custcore, name)
        if thing is custcore.Source:
            continue
        if inspect.isclass(thing):
            found.update(f"{name}.{attribute}" for attribute in public_names(thing))
        elif callable(thing):
            found.add(name)
    for accessor in accessors:
        found.update(f"{accessor.__name__}.{name}" for name in dir(accessor) if not name.startswith("_"))
    return found - OTHERS
