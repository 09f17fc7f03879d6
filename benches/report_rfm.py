"""The part of BENCHMARKS.md about RFM scores, of ``results/rfm.json``: one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.python.rfm import BENCH
from benches.suite import ELSEWHERE
from benches.tables import READING, compact, left_out
from benches.targets import ADDED, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
M = 1_000_000

HEAD = f"""## RFM scores

One row per customer (days since the last purchase, orders, money), type-7 quantile edges of the three, and scores from
1 to 5. The whole table of custcore has first and last day, tenure, mean, cells and segments besides; cases of older
commits were measured with it only.

{READING}"""

# How a kind of ids is called, in the order of the tables.
KINDS = {
    "gap2": "every 2nd id used",
    "gap7": "every 7th id used",
    "gap30": "every 30th id used",
    "gaps": "one id in 7 used, at random",
    "dense": "ids without a gap",
    "sparse": "random ids of 63 bits",
    "string": "strings of 10 bytes",
    "uuid": "UUID texts of 36 bytes",
    "dictionary": "a dictionary of strings",
    "dictionaries": "dictionaries, one each row group",
    "ends": "ids at both ends of int64",
    "strided": "multiples of 2^32",
    "collide": "ids that collide if unseeded",
    "long": "strings of 200 bytes",
}
USUAL = ("gap2", "gap7", "gap30", "gaps", "dense", "sparse", "string", "uuid", "dictionary", "dictionaries")


def same(case: Record, **wanted: Any) -> bool:
    """Whether a case differs from the default case only in the given fields."""
    return all((ADDED | case)[name] == value for name, value in (PLAIN | wanted).items())


def is_line(case: Record, **wanted: Any) -> bool:
    """Whether a case is one of the usual lines: any ids and order, with or without order_id."""
    free = {name: case[name] for name in ("ids", "order", "order_id")}
    return case["ids"] in USUAL and case["customers"] * 10 == case["rows"] and same(case, **(free | wanted))


def is_chunked(case: Record) -> bool:
    """Whether a case differs in the batches of its table."""
    chunk = (ADDED | case)["chunk_rows"]
    return chunk != PLAIN["chunk_rows"] and is_line(case, chunk_rows=chunk)


def is_hard(case: Record) -> bool:
    """Whether a case is hard on some way of grouping."""
    free = {name: case[name] for name in ("ids", "skew")}
    return same(case, **free) and not is_line(case) and case["customers"] in (1, M, case["rows"])


GROUPS: list[tuple[str, Callable[[Record], bool]]] = [
    ("10 M rows, 1 M customers, sorted by id", is_line),
    ("from a Parquet file", lambda case: is_line(case, source="parquet", threads=case["threads"])),
    ("100 M rows, 10 M customers", lambda case: is_line(case, rows=100 * M)),
    ("10 M rows, in other batches than of 1,048,576 rows", is_chunked),
    ("10 M rows, in any order", lambda case: is_line(case, sort=False)),
    ("10 M rows, one thread", lambda case: is_line(case, threads=1)),
    ("10 M rows that are hard on some way of grouping", is_hard),
]


def label(record: Record) -> str:
    """Name a case by its differences from the others of its group."""
    case = ADDED | record["case"]
    words = [KINDS[case["ids"]]]
    words += ["clustered by customer"] if case["order"] == "clustered" else []
    words += ["lines of orders"] if case["order_id"] else []
    words += ["one customer has half of the rows"] if case["skew"] == "half" else []
    words += ["all ids equal"] if case["customers"] == 1 else []
    words += ["all ids distinct"] if case["customers"] == case["rows"] else []
    if case["chunk_rows"] != PLAIN["chunk_rows"]:
        words.append(f"batches of {case['chunk_rows']:,} rows" if case["chunk_rows"] else "one batch")
    if case["source"] == "parquet" and case["threads"] != PLAIN["threads"]:
        words.append(f"{case['threads']} thread")
    return ", ".join(words)


def rank(record: Record) -> tuple[Any, ...]:
    """Order the cases of a group."""
    case = ADDED | record["case"]
    first = case["order_id"], case["order"] != "time", list(KINDS).index(case["ids"])
    return *first, case["skew"], case["customers"], case["chunk_rows"], -case["threads"]


def section(records: list[Record]) -> list[str]:
    """Format all results of RFM scores; empty without results."""
    if not records:
        return []
    groups = [
        (title, sorted((record for record in records if belongs(record["case"])), key=rank))
        for title, belongs in GROUPS
    ]
    lines = [HEAD, *compact("RFM scores", groups, label, list(BENCH.contenders))]
    return [*lines, *left_out(records, usual=ELSEWHERE), ""]
