"""What customers are worth, who they are, and what they say: analyses of value."""

from custcore.value._nps import nps
from custcore.value._portrait import Portrait, portrait

__all__ = ["Portrait", "nps", "portrait"]
