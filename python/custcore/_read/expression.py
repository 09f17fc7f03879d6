"""Arithmetic over columns: + - * / and parentheses.

Sums and products of integers and decimals are exact up to 76 digits; quotients and what has a float in it are float64.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from custcore._read.tokens import check_depth, tokens
from custcore.errors import InvalidArgumentError, InvalidTypeError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Expression", "parse_expression"]

SIGNS = ("+", "-", "*", "/", "(", ")")
# Of a literal.
DIGITS = 30


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

        Raises
        ------
        InvalidTypeError
            If a column is no number.
        OutOfRangeError
            If a result is too large for its type.
        """
        import pyarrow as pa

        try:
            values = _value(self._tree, batch)
        except pa.ArrowInvalid as error:
            raise OutOfRangeError(f"a result of {self.text!r} is out of range: {error}") from None
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
    check_depth(text, found)
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
    import pyarrow.compute as pc

    head = tree[0]
    if head == "column":
        return _number(batch.column(tree[1]), tree[1])
    if head == "number":
        return _literal(tree[1])
    if head == "negative":
        return pc.negate_checked(_value(tree[1], batch))
    # A long sum is a tree as deep as it is long, so its left side is walked in a loop.
    chain = []
    while tree[0] in {"+", "-", "*", "/"}:
        chain.append((tree[0], tree[2]))
        tree = tree[1]
    value = _value(tree, batch)
    for sign, other in reversed(chain):
        value = _computed(sign, value, _value(other, batch))
    return value


def _computed(sign: str, one: Any, other: Any) -> Any:  # noqa: ANN401
    """The result for two sides: integers or decimals of as many digits as it may need, else float64."""
    import pyarrow.compute as pc

    kind = _common_type(sign, one.type, other.type)
    if kind is not None:
        one, other = (_cast(side, kind) for side in (one, other))
    compute = {"+": pc.add_checked, "-": pc.subtract_checked, "*": pc.multiply_checked, "/": pc.divide}[sign]
    return compute(one, other)


def _common_type(sign: str, one: Any, other: Any) -> str | None:  # noqa: ANN401
    """What both sides are cast to first; None if they stay as they are."""
    import pyarrow as pa

    sides = (one, other)
    if sign == "/" or any(pa.types.is_floating(side) for side in sides):
        return "float"
    if all(pa.types.is_integer(side) for side in sides):
        return None
    # An int64 has up to 19 digits.
    sizes = [(19, 0) if pa.types.is_integer(side) else (side.precision, side.scale) for side in sides]
    if sign == "*":
        digits = sizes[0][0] + sizes[1][0] + 1
    else:
        digits = max(scale for _, scale in sizes) + max(precision - scale for precision, scale in sizes) + 1
    if digits <= 38:
        return None
    return "decimal256" if digits <= 76 else "float"


def _cast(side: Any, kind: str) -> Any:  # noqa: ANN401
    import pyarrow as pa

    if kind == "float":
        return side if side.type == pa.float64() else side.cast(pa.float64())
    precision, scale = (19, 0) if pa.types.is_integer(side.type) else (side.type.precision, side.type.scale)
    return side.cast(pa.decimal256(precision, scale))


def _literal(text: str) -> Any:  # noqa: ANN401
    import pyarrow as pa

    if len(text) > DIGITS:
        raise InvalidArgumentError(f"the number {text[:DIGITS]}... has {len(text)} digits; expected at most {DIGITS}")
    number = Decimal(text)
    is_whole = "." not in text and -(1 << 63) <= number < 1 << 63
    return pa.scalar(int(number), pa.int64()) if is_whole else pa.scalar(number)


def _number(column: Any, name: str) -> Any:  # noqa: ANN401
    """A column in the widest type of its kind, so that its products have room."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.decimal128(20, 0) if kind == pa.uint64() else pa.int64())
    if pa.types.is_null(kind) or kind in {pa.float16(), pa.float32()}:
        return column.cast(pa.float64())
    if not (pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InvalidTypeError(
            f"column {name!r} is {kind}, and arithmetic needs numbers; correct its values, or say how numbers are "
            "written (decimal=, thousands=)",
            column=name,
        )
    return column
