"""Fitted models as functions of SQL in DuckDB: :func:`register`."""

from custcore.adapters._duckdb import register

__all__ = ["register"]
