"""Baskets, and what is bought together."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import custcore
from tests.api.fork.case import THREADS, Case, kinds, scratch, touch

# No analyses and changes, which have cases of their own.
WORDS = (
    *("batch_ids", "n_rows", "nbytes", "report", "sealed_before", "settings"),
    *("__len__", "__bool__", "__repr__", "__copy__", "__deepcopy__"),
)


def baskets(data: dict[str, Any], **options: Any) -> custcore.Baskets:
    made = custcore.Baskets("country", order_id="order_id", amount="amount", **options)
    made.update(data, batch_id="one", n_threads=THREADS)
    return made


def changed(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change of a copy, so that the case can run again."""

    def call(base: Any) -> Any:
        mine = copy.copy(base)
        change(mine)
        return mine.n_rows, mine.batch_ids

    return call


def affinity() -> Iterator[Case]:
    for kind, data in kinds("few", "strings"):

        def known(data: Callable[[], Any] = data) -> Any:
            return baskets(data())

        analyses: dict[str, Callable[[Any], Any]] = {
            "pairs": lambda b: b.pairs(n_threads=THREADS),
            "itemsets": lambda b: b.itemsets(1, n_threads=THREADS),
            "rules": lambda b: b.rules(1, 0.1, n_threads=THREADS),
            "update": changed(lambda b, data=data: b.update(data(), n_threads=THREADS)),
        }
        for name, call in analyses.items():
            yield Case(f"Baskets.{name}, {kind}", (f"Baskets.{name}", "Baskets.__init__"), call, known)
        changes: dict[str, Callable[[Any], Any]] = {
            "seal": lambda b: b.seal("2025-01-01"),
            "relabel": lambda b: b.relabel({}),
            "remove": lambda b: b.remove([]),
            "merge": lambda b: b.merge(nameless(b)),
        }
        for name, call in changes.items():
            yield Case(f"Baskets.{name}, {kind}", (f"Baskets.{name}",), changed(call), known, given=False)
        yield Case(f"Baskets.load, {kind}", ("Baskets.save", "Baskets.load"), saved, known, given=False)
        yield Case(
            f"Baskets.from_bytes, {kind}",
            ("Baskets.to_bytes", "Baskets.from_bytes", "Baskets.__reduce__"),
            lambda b: (len(custcore.Baskets.from_bytes(b.to_bytes())), len(pickle.loads(pickle.dumps(b)))),
            known,
            given=False,
        )
        yield Case(
            f"Baskets, {kind}",
            tuple(f"Baskets.{word}" for word in WORDS),
            lambda b: (touch(b), len(copy.deepcopy(b)), bool(b)),
            known,
            given=False,
        )
        options: dict[str, Any] = {"order_id": "order_id", "n_threads": THREADS}
        yield Case(f"pairs, {kind}", ("pairs",), lambda d, o=options: custcore.pairs(d, "country", **o), data)
        yield Case(f"rules, {kind}", ("rules",), lambda d, o=options: custcore.rules(d, "country", **o), data)


def nameless(base: Any) -> Any:
    """Baskets of the same settings, without a batch that both have."""
    return custcore.Baskets(**base.settings)


def saved(base: Any) -> int:
    with scratch() as path:
        base.save(path)
        return len(custcore.Baskets.load(path))
