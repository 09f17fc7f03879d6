"""Money as counts of a smallest unit: how an amount is read, and how a sum is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Money:
    """One kind of amount column. `places`: decimals kept, 10**-places is one unit."""

    kind: str
    places: int

    def is_null(self, amount: Any) -> bool:
        return amount is None or (isinstance(amount, float) and math.isnan(amount))

    def is_infinite(self, amount: Any) -> bool:
        return isinstance(amount, float) and math.isinf(amount)

    def units(self, amount: Any) -> int:
        """The amount as a whole number of units; null and infinite ones add nothing."""
        if self.is_null(amount) or self.is_infinite(amount):
            return 0
        if self.kind == "float":
            return round(float(amount) * 10.0**self.places)  # one product, then ties to even
        exact = Fraction(amount) * 10**self.places
        assert exact.denominator == 1, f"{amount} has more than {self.places} places"
        return int(exact)

    def total(self, units: int) -> float | int | Decimal:
        """The sum in the type of the result column."""
        if self.kind == "float":
            return units / 10**self.places  # int / int is rounded correctly
        if self.kind == "int":
            return units
        with localcontext() as context:
            context.prec = 60
            return Decimal(units).scaleb(-self.places)

    def mean(self, units: int, n: int) -> float:
        return (units / 10**self.places) / n


FLOAT = Money("float", 6)
INT = Money("int", 0)
DECIMAL = Money("decimal", 2)
