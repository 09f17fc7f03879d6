"""Columns that are stored, computed and filtered by, and how a batch of the former becomes one of those asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Selection"]


class Selection:
    """What is asked for of a source.

    Parameters
    ----------
    wanted
        Names of columns, and arithmetic over columns.
    names
        The columns that there are.
    where
        A filter, if any.

    Attributes
    ----------
    stored : tuple of str
        The columns to read.
    operands : set of str
        Those that are computed with.
    """

    def __init__(self, wanted: Sequence[str], names: Sequence[str], where: Any = None) -> None:  # noqa: ANN401
        self.wanted = list(wanted)
        self.where = where
        self.computed: dict[str, Any] = {}
        stored: dict[str, None] = {}
        for name in wanted:
            expression = None
            if name not in names:
                from custcore._read.expression import parse_expression

                expression = parse_expression(name, names)
            if expression is None:
                stored[name] = None
            else:
                self.computed[name] = expression
                stored.update(dict.fromkeys(expression.columns))
        self.operands = {column for expression in self.computed.values() for column in expression.columns}
        if where is not None:
            stored.update(dict.fromkeys(where.columns))
        self.stored = tuple(stored)

    def schema(self, stored: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
        """The columns that come out.

        Parameters
        ----------
        stored : pyarrow.Schema
            The columns that are read.
        """
        import pyarrow as pa

        if not self.computed:
            return pa.schema([stored.field(name) for name in self.wanted])
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in stored], schema=stored)
        fields = [
            pa.field(name, self.computed[name].evaluate(empty).type) if name in self.computed else stored.field(name)
            for name in self.wanted
        ]
        return pa.schema(fields)

    def select(self, batch: Any) -> Any:  # noqa: ANN401
        """The rows and columns asked for.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            The stored columns.
        """
        import pyarrow as pa

        if self.where is not None:
            batch = batch.filter(self.where.evaluate(batch))
        if not self.computed and batch.schema.names == self.wanted:
            return batch
        columns = [
            self.computed[name].evaluate(batch) if name in self.computed else batch.column(name) for name in self.wanted
        ]
        return pa.RecordBatch.from_arrays(columns, names=self.wanted)
