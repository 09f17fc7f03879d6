"""The effect of an experiment on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custcore.experiments._result import EffectResult

__all__ = ["effect_text"]


def effect_text(result: EffectResult) -> str:
    """One line for each flagged check, metric and group."""
    definition = result.definition
    lines = [f"Effect against {result._core.control!r}, {_adjusted(definition['adjust'])}"]
    lines += [f"! {_named(row)}{row['message']}" for row in result.checks() if row["flagged"]]
    level = f"{100 * definition['level']:g} %"
    rows = [row for row in result.table() if row["segment"] is None and row["period"] is None]
    width = max((len(row["metric"]) for row in rows), default=0)
    group = max((len(row["group"]) for row in rows), default=0)
    for row in rows:
        lines.append(f"{row['metric']:<{width}}  {row['group']:<{group}}  {_line(row, level)}")
    return "\n".join(lines)


def _adjusted(adjust: str | list[str] | None) -> str:
    match adjust:
        case None:
            return "not adjusted"
        case "history" | "own":
            return f"adjusted by {'history' if adjust == 'history' else 'the window before'}"
        case str():
            return f"adjusted by {adjust}"
        case _:
            return f"adjusted by {', '.join(adjust)}"


def _named(row: dict[str, Any]) -> str:
    names = [row["metric"], row["group"]]
    named = ", ".join(name for name in names if name)
    return f"{named}: " if named else ""


def _line(row: dict[str, Any], level: str) -> str:
    if row["effect"] is None:
        return f"no estimate: {row['n_treatment']} and {row['n_control']} customers"
    text = f"{_number(row['control'])} to {_number(row['treatment'])}: {_signed(row['effect'])}"
    text += f", {level} [{_signed(row['low'])}, {_signed(row['high'])}]"
    if row["relative"] is not None:
        text += f" ({100 * row['relative']:+.1f} %)"
    if row["p_value"] is not None:
        text += f", p {_p(row['p_value'])}"
    return text


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"= {value:.4f}"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + _number(value)
