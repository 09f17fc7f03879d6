"""Results: :class:`Table` with :class:`Column` objects, and a :class:`Report` of what was excluded."""

from custcore.result._column import Column
from custcore.result._report import Report, ReportEntry
from custcore.result._schema import Schema
from custcore.result._table import Table

__all__ = ["Column", "Report", "ReportEntry", "Schema", "Table"]
