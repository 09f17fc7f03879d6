"""Who is worth what: value classes of customers."""

from custcore.value._abc import abc

__all__ = ["abc"]
