"""Results as objects of other libraries and as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custcore._input.proposals import proposing_methods
from custcore.result import _write
from custcore.result._libraries import needed

if TYPE_CHECKING:
    import os
    from typing import BinaryIO

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from custcore.result._table import Table

__all__ = ["Exports"]


@proposing_methods
class Exports:
    """Conversions and files of a result: :class:`custcore.Table`, :class:`custcore.CohortRetention`."""

    __slots__ = ()

    def _result(self) -> Table:
        """The table that is converted and written."""
        raise NotImplementedError

    def _sheets(self) -> dict[str, Table]:
        """The sheets of a workbook, by name."""
        return {"result": self._result()}

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        """The dataframe interchange protocol, by pyarrow: for plotting libraries.

        Days become timestamps and decimals float64, as the protocol has neither; that is a
        copy even if ``allow_copy`` is false.
        """
        from custcore.result._interchange import interchangeable

        return interchangeable(self.to_pyarrow()).__dataframe__(nan_as_null, allow_copy)

    def to_pyarrow(self) -> pa.Table:
        """The table as a ``pyarrow.Table``, without a copy."""
        return needed("pyarrow", "to_pyarrow").table(self._result())

    def to_pandas(self) -> pd.DataFrame:
        """The table as a ``pandas.DataFrame``; needs pandas and pyarrow.

        The types are those of ``df.custcore`` (:mod:`custcore.pandas`): dates are
        ``datetime64[s]``, dictionaries categorical, integers nullable only if a value is null.
        The report is kept in ``df.attrs["custcore.report"]``; ``df.custcore.report`` reads it.
        """
        from custcore.result._pandas import REPORT, dump_report, pandas_column

        library = needed("pandas", "to_pandas")
        table = self._result()
        rows = table.to_pyarrow()
        frame: pd.DataFrame = library.DataFrame(
            {name: pandas_column(rows[name]) for name in rows.column_names}, index=library.RangeIndex(table.num_rows)
        )
        frame.attrs[REPORT] = dump_report(table.report)
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The table as a ``polars.DataFrame``, without a copy."""
        frame: pl.DataFrame = needed("polars", "to_polars").DataFrame(self._result())
        return frame

    def to_parquet(self, path: str | os.PathLike[str], *, compression: str = "zstd") -> None:
        """Write a Parquet file atomically; needs pyarrow.

        Parameters
        ----------
        path : str or path
            Path of the file. An old file is replaced at the end.
        compression : str, default "zstd"
            Codec, as ``pyarrow.parquet.write_table`` takes it.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        _write.write_parquet(self.to_pyarrow(), path, compression)

    def to_csv(self, path: str | os.PathLike[str] | BinaryIO, *, delimiter: str = ",") -> int:
        """Write a CSV file (UTF-8) atomically; needs pyarrow.

        Text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``,
        ``@``, tab or return) is prefixed with ``'``, in cells and in names; signed numbers and
        telephone numbers are not. Nulls are empty, bytes are hexadecimal.

        Parameters
        ----------
        path : str, path or binary file
            Path of the file. An old file is replaced at the end. An open file, such as
            ``sys.stdout.buffer``, is written as it is.
        delimiter : str, default ","
            Between the cells; one character.

        Returns
        -------
        int
            Number of cells that were prefixed.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        return _write.write_csv(self.to_pyarrow(), path, delimiter)

    def to_arrow_ipc(self, path: str | os.PathLike[str], *, stream: bool = False) -> None:
        """Write an Arrow IPC file (Feather) atomically; needs pyarrow.

        Parameters
        ----------
        path : str or path
            Path of the file. An old file is replaced at the end.
        stream : bool, default False
            Whether to write the format for streams instead of that for files.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        _write.write_arrow(self.to_pyarrow(), path, stream=stream)

    def to_xlsx(self, path: str | os.PathLike[str]) -> None:
        """Write an Excel workbook atomically, the report on its last sheet; needs xlsxwriter.

        Dates are dates, texts are never formulas. Integers and decimals of more than 15 digits,
        times with a zone and days before March 1900, which Excel cannot hold, are texts; floats
        are written with 16 digits.

        Parameters
        ----------
        path : str or path
            Path of the file. An old file is replaced at the end.

        Raises
        ------
        OutOfRangeError
            If the table does not fit a sheet: 1,048,575 rows, 16,384 columns.
        OSError
            If the file cannot be written.
        """
        _write.write_xlsx(self._sheets(), self._result().report, path)
