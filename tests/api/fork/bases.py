"""Customer bases."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import custcore
from tests.api.fork.case import DATES, THREADS, Case, base, kinds, scratch, touch

BASE_WORDS = [
    "batch_ids",
    "last_date",
    "n_rows",
    "nbytes",
    "nbytes_on_disk",
    "report",
    "sealed_before",
    "settings",
    "track",
    "__len__",
    "__bool__",
    "__repr__",
    "__copy__",
    "__deepcopy__",
]


def bases() -> Iterator[Case]:
    def changed(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A change of a copy, so that the case can run again."""

        def call(known: Any) -> Any:
            mine = copy.copy(known)
            change(mine)
            return len(mine), mine.n_rows

        return call

    for track in ("totals", "days", "orders"):
        for kind, data in kinds("few", "many"):
            place = f"{track}, {kind}"

            def known(data: Callable[[], Any] = data, track: str = track) -> Any:
                return base(data(), track)

            update = changed(lambda b, data=data: b.update(data(), n_threads=THREADS))
            yield Case(f"CustomerBase.update, {place}", ("CustomerBase.update",), update, known)
            yield Case(
                f"CustomerBase.update by batch, {place}",
                ("CustomerBase.__init__", "CustomerBase.update"),
                changed(lambda b, data=data: b.update(data(), commit_every="batch", n_threads=THREADS)),
                known,
            )
            yield Case(
                f"CustomerBase.merge, {place}",
                ("CustomerBase.merge",),
                lambda pair: changed(lambda b: b.merge(pair[1]))(pair[0]),
                lambda known=known, track=track, data=data: (known(), nameless(data(), track)),
                given=False,
            )
            yield Case(f"CustomerBase.rfm, {place}", ("CustomerBase.rfm",), lambda b: b.rfm(n_threads=THREADS), known)
            yield Case(
                f"CustomerBase.relabel, {place}",
                ("CustomerBase.relabel", "CustomerBase.remove"),
                changed(lambda b: (b.relabel({0: 1}), b.remove([0]))),
                known,
                given=False,
            )
            yield Case(
                f"CustomerBase.from_bytes, {place}",
                ("CustomerBase.to_bytes", "CustomerBase.from_bytes", "CustomerBase.__reduce__"),
                lambda b: (len(custcore.CustomerBase.from_bytes(b.to_bytes())), len(pickle.loads(pickle.dumps(b)))),
                known,
                given=False,
            )
            yield Case(
                f"CustomerBase.load, {place}", ("CustomerBase.save", "CustomerBase.load"), saved, known, given=False
            )
            yield Case(
                f"CustomerBase, {place}",
                tuple(f"CustomerBase.{word}" for word in BASE_WORDS),
                lambda b: (touch(b), len(copy.deepcopy(b)), bool(b)),
                known,
                given=False,
            )
            if track == "totals":
                continue
            yield Case(
                f"CustomerBase.rfm of a past day, {place}",
                ("CustomerBase.rfm",),
                lambda b: b.rfm(as_of="2024-12-31", n_threads=THREADS),
                known,
            )
            for method in ("to_table", "movement", "customers", "revenue_retention"):
                yield Case(
                    f"CustomerBase.cohort_retention.{method}, {place}",
                    ("CustomerBase.cohort_retention", f"CohortRetention.{method}"),
                    lambda b, method=method: getattr(b.cohort_retention(n_threads=THREADS), method)(),
                    known,
                )
            for method in ("transitions", "stays"):
                yield Case(
                    f"CustomerBase.{method}, {place}",
                    (f"CustomerBase.{method}",),
                    lambda b, method=method: getattr(b, method)(
                        DATES, custcore.RFMScorer(), edges="refit", n_threads=THREADS
                    ),
                    known,
                )
    for kind, data in kinds("few", "many"):
        yield Case(
            f"CustomerBase.seal, {kind}",
            ("CustomerBase.seal",),
            changed(lambda b: b.seal("2025-01-01")),
            lambda data=data: base(data(), "orders"),
            given=False,
        )
        yield Case(f"CustomerBase on disk, {kind}", ("CustomerBase.__init__",), on_disk, data)
        yield Case(f"scan, {kind}", ("scan",), scanned, data)


def nameless(data: dict[str, Any], track: str) -> custcore.CustomerBase:
    made = custcore.CustomerBase(track=track, order_id="order_id" if track == "orders" else None)
    made.update(data, n_threads=THREADS)
    return made


def saved(known: custcore.CustomerBase) -> int:
    with scratch() as path:
        known.save(path)
        return len(custcore.CustomerBase.load(path))


def on_disk(data: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        known = custcore.CustomerBase(track="days", max_memory=1 << 20, spill_dir=folder)
        known.update(data, n_threads=THREADS)
        return known.rfm(n_threads=THREADS).num_rows, known.nbytes_on_disk


def scanned(data: dict[str, Any]) -> Any:
    found = {"a": custcore.CustomerBase(), "b": custcore.CustomerBase(customer_id="country")}
    custcore.scan(data, found, n_threads=THREADS)
    return [known.rfm(n_threads=THREADS).num_rows for known in found.values()]
