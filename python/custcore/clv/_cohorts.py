"""Cohorts of contracts as arguments: counts of those lost and at risk, or a cohort result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore.cohort import CohortRetention
from custcore.errors import InvalidArgumentError, InvalidTypeError, NotEnoughDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cohorts_argument"]

# Those lost at renewal 1, 2, ..., and those still there after the last one.
_Cohort = tuple[list[int], int]


def cohorts_argument(lost: object, at_risk: object) -> list[_Cohort]:
    """The cohorts for the core.

    >>> cohorts_argument([369, 163], 1000)
    [([369, 163], 468)]
    >>> cohorts_argument([369, 163], [1000, 600])
    [([369, 163], 437), ([0], 31)]
    """
    if isinstance(lost, CohortRetention):
        if at_risk is not None:
            raise InvalidArgumentError("at_risk is given beside a cohort result, which has its own; leave it out")
        return list(_of_retention(lost))
    if at_risk is None:
        raise InvalidArgumentError("at_risk is missing; give how many could renew, at the first renewal or at each")
    lists = _listed("lost", lost)
    if not lists:
        raise NotEnoughDataError("lost is empty; give at least one renewal")
    if not any(_is_list(part) for part in lists):
        return list(_cohort("lost", "at_risk", lists, at_risk))
    sizes = _listed("at_risk", at_risk)
    if len(sizes) != len(lists):
        raise InvalidArgumentError(f"lost has {len(lists)} cohorts and at_risk {len(sizes)}; give one for each")
    return [
        cohort
        for i, (part, size) in enumerate(zip(lists, sizes, strict=True))
        for cohort in _cohort(f"lost[{i}]", f"at_risk[{i}]", _listed(f"lost[{i}]", part), size)
    ]


def _cohort(name: str, risk_name: str, lost: Sequence[Any], at_risk: object) -> Iterator[_Cohort]:
    """Yield one cohort; those who have not got to the next renewal yet are cohorts of their own."""
    left = [_count(f"{name}[{i}]", value) for i, value in enumerate(lost)]
    if not _is_list(at_risk):
        size = _count(risk_name, at_risk)
        risks = [size - sum(left[:i]) for i in range(len(left))]
    else:
        risks = [_count(f"{risk_name}[{i}]", value) for i, value in enumerate(_listed(risk_name, at_risk))]
        if len(risks) != len(left):
            raise InvalidArgumentError(
                f"{name} has {len(left)} renewals and {risk_name} {len(risks)}; give one number for each"
            )
    stay = [risk - gone for risk, gone in zip(risks, left, strict=True)]
    for i, (risk, gone) in enumerate(zip(risks, left, strict=True)):
        if gone > risk:
            raise InvalidArgumentError(
                f"{name}[{i}]={gone} is more than the {max(risk, 0)} who were at risk at renewal {i + 1}"
            )
        if i and risk > stay[i - 1]:
            raise InvalidArgumentError(
                f"{risk_name}[{i}]={risk} is more than the {stay[i - 1]} who stayed before; who left a contract does "
                "not come back. For purchases without a contract use MBGNBD"
            )
    waiting = [before - risk for before, risk in zip(stay, risks[1:], strict=False)]
    yield left, stay[-1]
    for i, number in enumerate(waiting):
        if number:
            yield [0] * (i + 1), number


def _of_retention(retention: CohortRetention) -> Iterator[_Cohort]:
    """Yield the cohorts of a result: complete cells, up to the first that is not."""
    options = retention._options
    if options["cohort_by"] == "recurring":
        raise InvalidArgumentError("the cohorts are recurring: a customer is in several; use cohort_by='first'")
    if options["brackets"] is not None or options["return_criteria"] == "on_or_before":
        raise InvalidArgumentError(
            "cells of the cohort result are no renewals one by one; use return_criteria='on', without brackets"
        )
    found = 0
    for name, cells in _cells(retention).items():
        counts = []
        for k, cell in enumerate(cells):
            complete = cell["is_complete"] and cell["eligible"] == cell["cohort_size"] and cell["period_index"] == k
            if not complete or cell["left_truncated"]:
                break
            counts.append(cell["customers"])
        for k, (before, after) in enumerate(pairwise(counts), 1):
            if after > before:
                raise InvalidArgumentError(
                    f"cohort {name}: {after} customers in period {k} after {before} before, so some came back; that is "
                    "no contract. For purchases use MBGNBD; for contracts with pauses return_criteria='on_or_after'"
                )
        if len(counts) > 1 and counts[0] > 0:
            found += 1
            yield [before - after for before, after in pairwise(counts)], counts[-1]
    if not found:
        raise NotEnoughDataError("no cohort has a complete cell after its first; observe at least one renewal")


def _cells(retention: CohortRetention) -> dict[str, list[dict[str, Any]]]:
    """The cells of each cohort, by period; of groups each by itself."""
    cells: dict[str, list[dict[str, Any]]] = {}
    by = retention._options["by"]
    for row in retention.to_table():
        if row["cohort"] is not None and row["period_index"] is not None:
            name = str(row["cohort"]) if by is None else f"{row[by]}, {row['cohort']}"
            cells.setdefault(name, []).append(row)
    return cells


def _is_list(value: object) -> bool:
    is_array = hasattr(value, "tolist") and getattr(value, "ndim", 1) > 0
    return is_array or (isinstance(value, Sequence) and not isinstance(value, str | bytes))


def _listed(argument: str, value: object) -> Sequence[Any]:
    if not _is_list(value):
        raise InvalidTypeError(f"{argument}={value!r} is {type(value).__name__}; expected a list of counts")
    found: Any = value
    listed: Sequence[Any] = found.tolist() if hasattr(found, "tolist") else found
    return listed


def _count(argument: str, value: object) -> int:
    found = arguments.whole(argument, value)
    if found < 0:
        raise InvalidArgumentError(f"{argument}={found} is negative; expected a count")
    return found
