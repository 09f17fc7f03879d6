"""What is asked and answered in JSON, and the errors."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Customer", "Score", "ScoredCustomer", "problems"]

# The days of the years 1 to 9999, and whole numbers that JSON readers hold exactly.
Days = Annotated[int, Field(ge=0, le=3_652_058)]
Number = Annotated[int, Field(ge=1, le=2**53)]
Money = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=200)]


class Customer(BaseModel):
    """What is known of a customer. A misspelt field is an error, and so is "3" for 3."""

    model_config = ConfigDict(strict=True, extra="forbid")

    recency_days: Days
    frequency: Number
    monetary: Money | None = None
    customer_id: Text | int | None = Field(
        None, description="Is given back; decides between equals if the model splits ties."
    )
    group: Text | int | None = Field(None, description="The customer's group, if the model scores within groups.")


class Score(BaseModel):
    """Scores from 1, the best last, and the segment."""

    r: int
    f: int
    m: int | None
    segment: str | None


class ScoredCustomer(Score):
    """The scores of one of many."""

    customer_id: str | int | None


_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = _shown.maxlong = 80


def problems(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Which field, which value, what is expected. Values are text: JSON cannot hold NaN and infinities."""
    found = []
    for error in errors[:20]:
        # The number of a customer and the field; what follows tells the choices of a type apart.
        place = [str(part) for part in error["loc"] if part != "body"]
        place = place[: 2 if place and place[0].isdigit() else 1]
        problem = {"field": ".".join(place) or "body", "problem": error["msg"]}
        if error["type"] != "missing":
            problem["value"] = _shown.repr(error["input"])
        found.append(problem)
    if len(errors) > 20:
        found.append({"field": "body", "problem": f"and {len(errors) - 20:,} more"})
    return found
