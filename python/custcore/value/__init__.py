"""Who is worth what: value classes, measures per period, funnels, portraits of segments, what customers say."""

from custcore.value._abc import abc
from custcore.value._funnel import funnel
from custcore.value._measures import decomposition, measures
from custcore.value._nps import nps
from custcore.value._portrait import Portrait, portrait

__all__ = ["Portrait", "abc", "decomposition", "funnel", "measures", "nps", "portrait"]
