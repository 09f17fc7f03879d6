"""A fitted model as a vectorized function of DuckDB: the columns that it appends to a table, as a struct."""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore._input.proposals import proposing
from custcore._persistable import Persistable
from custcore._rfm import QuantileScorer, RFMScorer
from custcore._rfm.segment_profile import FREQUENCY, MONETARY
from custcore.cluster import KMeans
from custcore.errors import CustcoreError, InvalidArgumentError, InvalidTypeError, NotFittedError

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import pyarrow as pa

    from custcore.result import Table

__all__ = ["register"]


@proposing
def register(
    connection: duckdb.DuckDBPyConnection,
    model: RFMScorer | QuantileScorer | KMeans,
    name: str | None = None,
    *,
    replace: bool = False,
) -> str:
    """Register a fitted model as a function of SQL.

    The function takes one argument for each column that the model reads, in this order, and
    any type that the model takes:

    ==============  ============================================  ==================
    model           arguments                                     name by default
    ==============  ============================================  ==================
    RFMScorer       recency, frequency, money (if fitted with     ``rfm_score``
                    it), the group (with ``by``), the customer
                    id (with ``ties="split"``; one for each of
                    its columns)
    QuantileScorer  its columns, the customer id (with            ``quantile_score``
                    ``ties="split"``)
    KMeans          its features                                  ``kmeans_cluster``
    ==============  ============================================  ==================

    It returns a STRUCT of the columns that ``transform`` or, of a KMeans, ``assign`` appends,
    with the same values: ``rfm_score(...).segment`` is one of them, ``unnest(rfm_score(...))``
    all. The model is copied, so a later fit does not change the function. Needs duckdb and
    pyarrow.

    NULLs: a scorer gives a NULL the score NULL, as ``transform`` does, and what is made of
    the scores is NULL too. A KMeans gives a row with a NULL feature the cluster NULL, where
    ``assign`` raises. A NULL group or id is what it is to the model.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The connection, e.g. ``duckdb.connect()``; its cursors know the function too.
    model : RFMScorer, QuantileScorer or KMeans
        The fitted model.
    name : str, optional
        Name of the function. Default: as above.
    replace : bool, default False
        Whether a function of this name that was registered before is replaced.

    Returns
    -------
    str
        The function with its arguments, e.g. ``"rfm_score(recency_days, n_orders)"``.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidTypeError
        If it is another model, or if ``connection`` is no connection.
    InvalidArgumentError
        If ``name`` is no name, or that of a function that exists.

    Errors of the model while a query runs are ``duckdb.InvalidInputException``, whose text
    begins with the function's name; rows in it are counted within a vector of DuckDB.

    Examples
    --------
    >>> import custcore, custcore.duckdb, duckdb, numpy as np
    >>> table = {
    ...     "recency_days": np.arange(10),
    ...     "n_orders": np.arange(1, 11),
    ...     "monetary_total": np.arange(10.0),
    ... }
    >>> connection = duckdb.connect()
    >>> custcore.duckdb.register(connection, custcore.RFMScorer().fit(table))
    'rfm_score(recency_days, n_orders, monetary_total)'
    >>> connection.execute("SELECT rfm_score(0, 9, 9.0).segment").fetchone()
    ('champions',)
    """
    import duckdb

    given: Any = connection
    if not isinstance(given, duckdb.DuckDBPyConnection):
        raise InvalidTypeError(
            f"connection is {type(given).__name__}; expected a connection of DuckDB, e.g. duckdb.connect()"
        )
    function = _function(model)
    name = function.name if name is None else arguments.name("name", name)
    replace = arguments.flag("replace", replace)
    if replace:
        # There may be none; functions of DuckDB itself are not removed.
        with contextlib.suppress(duckdb.InvalidInputException):
            connection.remove_function(name)
    # DuckDB would let its own functions be hidden. A cursor, as a query ends the result that the connection is reading.
    if connection.cursor().execute(_FUNCTION, [name]).fetchone() is not None:
        raise InvalidArgumentError(
            f"name={name!r} is a function already; choose another name, or replace=True for one that was registered"
        )
    # Typed for functions with annotations only.
    create: Any = connection.create_function
    create(
        name,
        _call(name, function),
        None,
        duckdb.struct_type(function.fields),
        type="arrow",
        null_handling="special",
    )
    return f"{name}({', '.join(function.arguments)})"


_FUNCTION = "SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = lower(?)"


@dataclass(frozen=True)
class _Function:
    """A model as a function of columns."""

    name: str
    arguments: list[str]
    fields: dict[str, str]
    apply: Callable[[pa.Table], Table]
    skips_nulls: bool = False


def _function(model: object) -> _Function:
    if isinstance(model, Persistable) and not model._can_be_saved():
        raise NotFittedError(f"this {type(model).__name__} is not fitted yet; call fit before it is registered")
    if isinstance(model, RFMScorer):
        return _of_rfm(RFMScorer.from_bytes(model.to_bytes()))
    if isinstance(model, QuantileScorer):
        return _of_quantiles(QuantileScorer.from_bytes(model.to_bytes()))
    if isinstance(model, KMeans):
        return _of_clusters(KMeans.from_bytes(model.to_bytes()))
    raise InvalidTypeError(f"model is {type(model).__name__}; expected an RFMScorer, a QuantileScorer or a KMeans")


def _of_rfm(scorer: RFMScorer) -> _Function:
    settings = scorer._settings
    # What the fit found, and not the arguments: money is optional there.
    has_money = "monetary" in scorer.thresholds["dimension"].to_pylist()
    columns = ["recency_days", FREQUENCY[settings["frequency"]]]
    fields = {"r_score": "UTINYINT", "f_score": "UTINYINT"}
    if has_money:
        columns.append(MONETARY[settings["monetary"]])
        fields["m_score"] = "UTINYINT"
    if settings["by"] is not None:
        columns.append(settings["by"])
    fields |= {"rfm_cell": "VARCHAR", "rfm_score": "INTEGER", "rfm_total": "DOUBLE"}
    if _has_segments(settings):
        fields["segment"] = "VARCHAR"
    return _Function("rfm_score", columns + _ids(settings, columns), fields, _scores(scorer))


def _has_segments(settings: dict[str, Any]) -> bool:
    bins, segments = settings["bins"], settings["segments"]
    if segments != "auto":
        return segments is not None
    r, f = (bins, bins) if isinstance(bins, int) else bins[:2]
    return bool(r == f == 5)


def _of_quantiles(scorer: QuantileScorer) -> _Function:
    settings = scorer._settings
    columns = list(settings["columns"])
    fields = {f"{column}_score": "UTINYINT" for column in columns} | {"score_cell": "VARCHAR"}
    if settings["weights"] is not None:
        fields["score_total"] = "DOUBLE"
    return _Function("quantile_score", columns + _ids(settings, columns), fields, _scores(scorer))


def _of_clusters(model: KMeans) -> _Function:
    # A fit on an array knows no names.
    columns = model.feature_names_in_ or [f"feature_{number}" for number in range(model.n_features_in_)]
    fields = {"cluster": "INTEGER"} | ({} if model.names_ is None else {"segment": "VARCHAR"})
    model.n_threads = 1
    return _Function("kmeans_cluster", columns, fields, model.assign, skips_nulls=True)


def _ids(settings: dict[str, Any], columns: list[str]) -> list[str]:
    """The ids that decide among equal values; a scorer without ``customer_id`` takes the first column of its table."""
    if settings["ties"] != "split":
        return []
    ids = arguments.key_names(settings["customer_id"]) or ["customer_id"]
    return [column for column in ids if column not in columns]


def _scores(scorer: RFMScorer | QuantileScorer) -> Callable[[pa.Table], Table]:
    # A vector has some 2,000 rows: less than is worth a second thread, and DuckDB holds the GIL meanwhile.
    return lambda table: scorer.transform(table, n_threads=1)


def _call(name: str, function: _Function) -> Callable[..., pa.StructArray]:
    """What DuckDB calls with a vector of each argument."""

    def call(*vectors: Any) -> pa.StructArray:  # noqa: ANN401
        import pyarrow as pa

        try:
            return _struct(pa, function, vectors)
        except CustcoreError as error:
            text = f"{name}: {error}"
            if error.row is not None:
                text += " (rows are counted within a vector of DuckDB)"
            raise type(error)(text, column=error.column, row=error.row) from None

    # DuckDB learns from it how many arguments there are; without annotations it takes any type.
    one = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(f"argument_{number}", one) for number in range(len(function.arguments))]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _struct(pa: Any, function: _Function, vectors: tuple[Any, ...]) -> pa.StructArray:  # noqa: ANN401
    """Apply the model to vectors."""
    # The ids come last in SQL, where they are optional, and first in the table, where a scorer looks for them.
    names = [*reversed(function.arguments)]
    columns = [_typed(pa, vector) for vector in reversed(vectors)]
    table = pa.table(columns, names)
    positions = None
    if function.skips_nulls and any(column.null_count for column in columns):
        table, positions = _without_nulls(pa, table)
    result = function.apply(table).to_pyarrow().select(list(function.fields))
    if positions is not None:
        result = result.take(positions)
    arrays = [_plain(pa, column) for column in result.columns]
    return pa.StructArray.from_arrays(arrays, list(function.fields))


def _typed(pa: Any, vector: Any) -> Any:  # noqa: ANN401
    """A NULL without a type, as in ``f(NULL)``, is a missing number."""
    return vector.cast(pa.float64()) if pa.types.is_null(vector.type) else vector


def _without_nulls(pa: Any, table: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """The rows without nulls, and for each row its position among them, null if it is not."""
    import pyarrow.compute as pc

    whole = pc.is_valid(table.column(0))
    for column in table.columns[1:]:
        whole = pc.and_(whole, pc.is_valid(column))
    before = pc.subtract(pc.cumulative_sum(whole.cast(pa.int64())), 1)
    return table.filter(whole), pc.if_else(whole, before, pa.scalar(None, pa.int64()))


def _plain(pa: Any, column: Any) -> Any:  # noqa: ANN401
    """One array of a plain type: segments are dictionaries."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks()
