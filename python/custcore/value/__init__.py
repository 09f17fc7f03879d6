"""Who is worth what: value classes of customers, measures per period and what their changes consist of."""

from custcore.value._abc import abc
from custcore.value._measures import decomposition, measures

__all__ = ["abc", "decomposition", "measures"]
