"""Conditions on rows: comparisons, IN, IS NULL, AND, OR, NOT."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore._read.tokens import check_depth, tokens
from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Filter", "parse_where"]

SIGNS = ("<=", ">=", "<>", "!=", "==", "=", "<", ">", "(", ")", ",", "-")
WORDS = ("and", "or", "not", "in", "is", "null", "true", "false")
COMPARE = {"=": "equal", "==": "equal", "!=": "not_equal", "<>": "not_equal", "<": "less", "<=": "less_equal"}
COMPARE |= {">": "greater", ">=": "greater_equal"}
# Longer conditions are only evaluated on batches: a scanner recurses into an expression.
PUSHED = 500


class Filter:
    """A parsed condition.

    Attributes
    ----------
    columns : tuple of str
        The columns it compares.
    """

    def __init__(self, text: str, tree: Any, columns: Sequence[str], size: int) -> None:  # noqa: ANN401
        self._size = size
        self.text = text
        self.columns = tuple(dict.fromkeys(columns))
        self._tree = tree

    def evaluate(self, batch: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """Which rows of a batch meet it; null where a null is compared.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Has the columns.
        """
        return self._build(batch.column, batch.schema)

    def check(self, schema: Any) -> None:  # noqa: ANN401
        """Raise if columns cannot be compared as the condition says.

        Parameters
        ----------
        schema : pyarrow.Schema
            Has the columns.

        Raises
        ------
        InvalidArgumentError
            If their types do not go together.
        """
        import pyarrow as pa

        try:
            self.evaluate(pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema))
        except pa.ArrowNotImplementedError:
            kinds = ", ".join(f"{name!r} is {schema.field(name).type}" for name in self.columns)
            raise InvalidArgumentError(
                f"where={self.text[:200]!r} compares values of different types: column {kinds}"
            ) from None

    def pushdown(self, stored: Any, read: Any) -> Any:  # noqa: ANN401
        """The condition for a scanner of datasets, which compares values as they are stored.

        Parameters
        ----------
        stored : pyarrow.Schema
            Of the dataset.
        read : pyarrow.Schema
            What its columns become. None is returned if a column is not stored in the type in which it is read.
        """
        import pyarrow.compute as pc

        if self._size > PUSHED or any(
            name not in stored.names or stored.field(name).type != read.field(name).type for name in self.columns
        ):
            return None
        return self._build(pc.field, stored)

    def _build(self, column: Callable[[str], Any], schema: Any) -> Any:  # noqa: ANN401
        import pyarrow.compute as pc

        def build(tree: Any) -> Any:  # noqa: ANN401
            head = tree[0]
            if head == "and":
                return functools.reduce(pc.and_kleene, map(build, tree[1]))
            if head == "or":
                return functools.reduce(pc.or_kleene, map(build, tree[1]))
            if head == "not":
                return pc.invert(build(tree[1]))
            name = tree[1]
            if head == "null":
                return pc.is_null(column(name))
            kind = schema.field(name).type
            if head == "in":
                return functools.reduce(
                    pc.or_kleene, (pc.equal(column(name), self._literal(one, name, kind)) for one in tree[2])
                )
            if tree[2][0] == "column":
                return getattr(pc, head)(column(name), column(tree[2][1]))
            return getattr(pc, head)(column(name), self._literal(tree[2], name, kind))

        return build(self._tree)

    def _literal(self, literal: tuple[str, Any], name: str, kind: Any) -> Any:  # noqa: ANN401
        """A value in the type of its column."""
        import pyarrow as pa

        what, value = literal
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        try:
            if what == "number" and not pa.types.is_string(kind):
                number = Decimal(value)
                wide = kind if kind == pa.uint64() and number >= 0 else pa.int64()
                limits = (0, 1 << 64) if wide == pa.uint64() else (-(1 << 63), 1 << 63)
                is_whole = number == number.to_integral_value() and limits[0] <= number < limits[1]
                if pa.types.is_floating(kind) or not is_whole:
                    return pa.scalar(float(number))
                return pa.scalar(int(number), wide)
            if what == "bool":
                return pa.scalar(value)
            return pa.scalar(value).cast(kind)
        except (pa.ArrowException, ValueError):
            raise InvalidArgumentError(
                f"where: {value!r} cannot be compared with column {name!r}, which is {kind}"
            ) from None


def parse_where(text: str, names: Sequence[str]) -> Filter:
    """Parse a condition.

    Parameters
    ----------
    text
        For instance ``Country = 'France' and Quantity > 0``; texts and days are in single quotes.
    names
        The columns.

    Raises
    ------
    InvalidArgumentError
        If it is no condition over these columns.

    Examples
    --------
    >>> parse_where(
    ...     "Country in ('France', 'Spain') and Quantity > 0", ["Country", "Quantity"]
    ... ).columns
    ('Country', 'Quantity')
    """
    found = tokens(text, names, SIGNS, WORDS)
    listed = ", ".join(map(repr, list(names)[:20]))
    remedy = (
        "expected comparisons of columns such as \"Country = 'France' and Quantity > 0\", texts and days in single "
        f"quotes; the columns are {listed}"
    )
    if not found:
        raise InvalidArgumentError(f"where={text!r} is no condition; {remedy}")
    columns = [value for kind, value in found if kind == "column"]
    check_depth(text, found)
    size = len(found)
    parser = _Parser(found)
    try:
        tree = parser.either()
    except (IndexError, ValueError):
        raise InvalidArgumentError(f"where={text!r} is no condition; {remedy}") from None
    if parser.left:
        raise InvalidArgumentError(f"where={text!r} has a part too many, {parser.left[0][1]!r}; {remedy}")
    return Filter(text, tree, columns, size)


class _Parser:
    def __init__(self, found: list[tuple[str, Any]]) -> None:
        self.left = found

    def _take(self, *wanted: tuple[str, str]) -> bool:
        if self.left and self.left[0] in wanted:
            self.left.pop(0)
            return True
        return False

    def either(self) -> Any:  # noqa: ANN401
        parts = [self.both()]
        while self._take(("word", "or")):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", parts)

    def both(self) -> Any:  # noqa: ANN401
        parts = [self.one()]
        while self._take(("word", "and")):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else ("and", parts)

    def one(self) -> Any:  # noqa: ANN401
        if self._take(("word", "not")):
            return ("not", self.one())
        if self._take(("sign", "(")):
            tree = self.either()
            self._need(("sign", ")"))
            return tree
        kind, name = self.left.pop(0)
        if kind != "column":
            raise ValueError(name)
        if self._take(("word", "is")):
            is_not = self._take(("word", "not"))
            self._need(("word", "null"))
            return ("not", ("null", name)) if is_not else ("null", name)
        is_not = self._take(("word", "not"))
        if self._take(("word", "in")):
            self._need(("sign", "("))
            values = [self._literal()]
            while self._take(("sign", ",")):
                values.append(self._literal())
            self._need(("sign", ")"))
            return ("not", ("in", name, values)) if is_not else ("in", name, values)
        sign = self.left.pop(0)
        if is_not or sign[0] != "sign" or sign[1] not in COMPARE:
            raise ValueError(sign[1])
        if self.left[0][0] == "column":
            return (COMPARE[sign[1]], name, self.left.pop(0))
        return (COMPARE[sign[1]], name, self._literal())

    def _literal(self) -> tuple[str, Any]:
        minus = self._take(("sign", "-"))
        kind, value = self.left.pop(0)
        if kind == "word" and value in {"true", "false"} and not minus:
            return ("bool", value == "true")
        if kind not in {"number", "text"} or (minus and kind != "number"):
            raise ValueError(value)
        return (kind, f"-{value}" if minus else value)

    def _need(self, token: tuple[str, str]) -> None:
        if not self._take(token):
            raise ValueError(token[1])
