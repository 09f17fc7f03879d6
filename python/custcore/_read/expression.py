"""Arithmetic over columns: + - * / and parentheses, exact where the columns are integers or decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore._read.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Expression", "parse_expression"]

SIGNS = ("+", "-", "*", "/", "(", ")")


class Expression:
    """A parsed expression.

    Attributes
    ----------
    columns : tuple of str
        The columns it is computed from.
    """

    def __init__(self, text: str, tree: Any, columns: Sequence[str]) -> None:  # noqa: ANN401
        self.text = text
        self.columns = tuple(dict.fromkeys(columns))
        self._tree = tree

    def evaluate(self, batch: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """The values for the rows of a batch; null where a column is.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Has the columns.
        """
        import pyarrow as pa

        values = _value(self._tree, batch)
        return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def parse_expression(text: str, names: Sequence[str]) -> Expression | None:
    """Parse arithmetic over columns; None if it is none, or names what is no column.

    Parameters
    ----------
    text
        The expression; names with other characters than letters may be in double quotes.
    names
        The columns.

    Examples
    --------
    >>> parse_expression("Quantity * Unit Price", ["Quantity", "Unit Price"]).columns
    ('Quantity', 'Unit Price')
    >>> parse_expression("Quantity", ["Price"]) is None
    True
    """
    found = tokens(text, names, SIGNS)
    if not found:
        return None
    columns = [value for kind, value in found if kind == "column"]
    parser = _Parser(found)
    try:
        tree = parser.sum()
    except (IndexError, ValueError):
        return None
    if parser.left or not columns:
        return None
    return Expression(text, tree, columns)


class _Parser:
    def __init__(self, found: list[tuple[str, Any]]) -> None:
        self.left = found

    def sum(self) -> Any:  # noqa: ANN401
        return self._chain(("+", "-"), self.product)

    def product(self) -> Any:  # noqa: ANN401
        return self._chain(("*", "/"), self.factor)

    def _chain(self, signs: tuple[str, ...], part: Any) -> Any:  # noqa: ANN401
        tree = part()
        while self.left and self.left[0][0] == "sign" and self.left[0][1] in signs:
            _, sign = self.left.pop(0)
            tree = (sign, tree, part())
        return tree

    def factor(self) -> Any:  # noqa: ANN401
        kind, value = self.left.pop(0)
        if (kind, value) == ("sign", "-"):
            return ("negative", self.factor())
        if (kind, value) == ("sign", "("):
            tree = self.sum()
            if self.left.pop(0) != ("sign", ")"):
                raise ValueError("no closing bracket")
            return tree
        if kind in {"column", "number"}:
            return (kind, value)
        raise ValueError(f"{value!r} is out of place")


def _value(tree: Any, batch: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa
    import pyarrow.compute as pc

    head = tree[0]
    if head == "column":
        return _number(batch.column(tree[1]))
    if head == "number":
        return pa.scalar(Decimal(tree[1])) if "." in tree[1] else pa.scalar(int(tree[1]), pa.int64())
    if head == "negative":
        return pc.negate(_value(tree[1], batch))
    one, other = _value(tree[1], batch), _value(tree[2], batch)
    floats = [pa.types.is_floating(side.type) for side in (one, other)]
    if any(floats) or head == "/":
        one, other = (side if side.type == pa.float64() else side.cast(pa.float64()) for side in (one, other))
    compute = {"+": pc.add_checked, "-": pc.subtract_checked, "*": pc.multiply_checked, "/": pc.divide}[head]
    return compute(one, other)


def _number(column: Any) -> Any:  # noqa: ANN401
    """A column in the widest type of its kind, so that its products have room."""
    import pyarrow as pa

    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if pa.types.is_null(column.type):
        return column.cast(pa.float64())
    return column
