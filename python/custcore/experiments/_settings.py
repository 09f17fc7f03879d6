"""What a saved effect keeps besides its moments, as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from custcore.errors import ModelFormatError

__all__ = ["EffectSettings"]

# What the text of an effect reads.
NEEDED = ("metrics", "adjust", "by", "level", "first_day", "last_day")


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """The settings of an effect, the defaults of its return on the cost, and remarks."""

    definition: dict[str, Any]
    margin: float | None
    cost: tuple[float, float, float] | None
    remarks: tuple[str, ...]

    def text(self) -> str:
        """JSON, equal for equal settings."""
        return json.dumps(
            {"definition": self.definition, "margin": self.margin, "cost": self.cost, "remarks": self.remarks},
            ensure_ascii=False,
        )

    @classmethod
    def of_text(cls, text: str) -> EffectSettings:
        """The settings of such a text; one that is not is an error."""
        try:
            found = json.loads(text)
            definition, margin, cost, remarks = (found[name] for name in ("definition", "margin", "cost", "remarks"))
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ModelFormatError("the model is invalid: its settings are not those of an effect") from None
        is_valid = (
            isinstance(definition, dict)
            and all(name in definition for name in NEEDED)
            and _is_number(definition["level"])
            and (margin is None or _is_number(margin))
            and (cost is None or (isinstance(cost, list) and len(cost) == 3 and all(map(_is_number, cost))))
            and isinstance(remarks, list)
            and all(isinstance(remark, str) for remark in remarks)
        )
        if not is_valid:
            raise ModelFormatError("the model is invalid: its settings are not those of an effect")
        return cls(definition, margin, None if cost is None else (cost[0], cost[1], cost[2]), tuple(remarks))


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
