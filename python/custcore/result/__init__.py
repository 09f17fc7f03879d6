"""Results: :class:`Table`, an Arrow table, and its :class:`Report` of what was excluded and why."""

from custcore.result._report import Report, ReportEntry
from custcore.result._table import Schema, Table

__all__ = ["Report", "ReportEntry", "Schema", "Table"]
