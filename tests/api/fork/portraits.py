"""Portraits of segments and net promoter scores."""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import Iterator
from typing import Any

import custcore
from tests.api.fork.case import MANY, THREADS, Case, public_names, rows, table, touch


def portraits() -> Iterator[Case]:
    large = functools.partial(rows, MANY)
    yield Case(
        "portrait", ("portrait",), lambda t: custcore.portrait(t, t, segment="n_orders", n_threads=THREADS), customers
    )
    yield Case(
        "Portrait",
        tuple(f"Portrait.{name}" for name in public_names(custcore.Portrait)),
        look_at_portrait,
        lambda: custcore.portrait(customers(), customers(), segment="n_orders", n_threads=THREADS),
        given=False,
    )
    yield Case(
        "nps",
        ("nps",),
        lambda d: custcore.nps(
            d, score="score", by="country", customer_id="customer_id", timestamp="timestamp", n_threads=THREADS
        ),
        lambda: answers(large()),
    )


def customers() -> Any:
    return table(rows(MANY))


def answers(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "score": (data["amount"].astype("int64") % 11)}


def look_at_portrait(portrait: Any) -> Any:
    """All ways out of a portrait but those into other libraries, which are theirs."""
    again = pickle.loads(pickle.dumps(portrait))
    marks = portrait.marks(2), portrait.sentences("zh")
    return touch(portrait), touch(copy.copy(again)), touch(copy.deepcopy(again)), [table.to_pylist() for table in marks]
