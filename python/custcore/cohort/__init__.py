"""Cohort retention: :func:`custcore.cohort_retention` and its result, :class:`CohortRetention`."""

from custcore.cohort._result import CohortRetention
from custcore.cohort._retention import cohort_retention
from custcore.cohort._triangle import LEGEND, Cell, Line, Triangle

__all__ = ["LEGEND", "Cell", "CohortRetention", "Line", "Triangle", "cohort_retention"]
