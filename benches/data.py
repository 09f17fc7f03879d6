"""The one seeded generator of purchase data for benches and large tests.

The same arguments give the same table, on every machine with the same numpy. Nothing is cached. What it does not do:
nulls, refunds, bad values (tests make those), or a market that looks real; customers do differ in how much they buy.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

IdKind = Literal["dense", "sparse", "string", "dictionary"]
Order = Literal["time", "clustered"]

FIRST_DAY = np.datetime64("2022-01-01T00:00:00", "us")
DAYS = 3 * 365
LINES_PER_ORDER = 9
SECOND = 1_000_000
BETWEEN_LINES = 3 * SECOND


def purchases(
    n_rows: int,
    n_customers: int,
    *,
    ids: IdKind = "dense",
    order: Order = "time",
    order_ids: bool = False,
    seed: int = 0,
    chunk_rows: int = 1 << 20,
) -> pa.Table:
    """Make a table of purchases.

    Parameters
    ----------
    n_rows
        Lines of purchase.
    n_customers
        Customers; every one buys at least once if there are as many orders.
    ids
        ``dense``: int64 from 1. ``sparse``: int64 over 63 bits. ``string``: a letter and nine digits or more.
        ``dictionary``: the same strings, dictionary-encoded, one dictionary for all chunks.
    order
        ``time``: ascending by time, as a log is written. ``clustered``: by customer, then by time.
    order_ids
        Add ``order_id`` (int64); an order has about nine lines, a few seconds apart. Else every line is an order.
    seed
        Of the generator.
    chunk_rows
        Rows in a chunk of the table.

    Returns
    -------
    pyarrow.Table
        ``customer_id``, ``timestamp`` (us, three years, no zone), ``amount`` (float64 of whole cents, 0.01 or more),
        and ``order_id`` on request.
    """
    if not 0 < n_customers <= n_rows:
        raise ValueError(f"n_customers must be from 1 to n_rows={n_rows}, not {n_customers}")
    random = np.random.default_rng(seed)

    lines = _lines(random, n_rows) if order_ids else np.ones(n_rows, dtype=np.int64)
    n_orders = len(lines)
    customer = _customers(random, n_orders, n_customers)
    start = random.integers(0, DAYS * 86_400 * SECOND, n_orders)
    if order == "time":
        start.sort()  # customers are drawn in random order, so they need not follow
    elif order == "clustered":
        rank = np.lexsort((start, customer))
        customer, start = customer[rank], start[rank]
    else:
        raise ValueError(f"order must be time or clustered, not {order!r}")

    code, microsecond = customer, start
    if order_ids:
        order_of_line = np.repeat(np.arange(n_orders), lines)
        within = np.arange(n_rows) - np.repeat(np.cumsum(lines) - lines, lines)
        code, microsecond = customer[order_of_line], start[order_of_line] + within * BETWEEN_LINES
        if order == "time":  # the lines of orders that overlap interleave
            rank = np.argsort(microsecond, kind="stable")
            microsecond, code, order_of_line = microsecond[rank], code[rank], order_of_line[rank]

    timestamp = FIRST_DAY + microsecond.astype("timedelta64[us]")
    amount = np.maximum(1, np.rint(np.exp(random.normal(2.5, 1.0, n_rows)) * 100)) / 100
    pieces = [slice(start, start + chunk_rows) for start in range(0, n_rows, chunk_rows)]
    columns = {
        "customer_id": _identify(code, n_customers, ids, pieces),
        "timestamp": pa.chunked_array([pa.array(timestamp[piece]) for piece in pieces]),
        "amount": pa.chunked_array([pa.array(amount[piece]) for piece in pieces]),
    }
    if order_ids:
        columns["order_id"] = pa.chunked_array([pa.array(order_of_line[piece] + 1_000_000) for piece in pieces])
    return pa.table(columns)


def _lines(random: np.random.Generator, n_rows: int) -> np.ndarray:
    """Draw the number of lines of each order until they make up n_rows."""
    drawn = random.geometric(1 / LINES_PER_ORDER, max(1, n_rows // LINES_PER_ORDER))
    while drawn.sum() < n_rows:
        drawn = np.concatenate([drawn, random.geometric(1 / LINES_PER_ORDER, max(1, n_rows // 50))])
    ends = np.cumsum(drawn)
    kept = drawn[: np.searchsorted(ends, n_rows) + 1]
    kept[-1] -= kept.sum() - n_rows
    return kept


def _customers(random: np.random.Generator, n_orders: int, n_customers: int) -> np.ndarray:
    """Draw the customer of each order: each one once while orders last, the others by how keen each customer is."""
    first = random.permutation(n_customers)[:n_orders]
    keenness = np.cumsum(random.gamma(0.8, 1.0, n_customers) + 1e-6)
    repeats = np.searchsorted(keenness, random.random(n_orders - len(first)) * keenness[-1], side="right")
    drawn = np.concatenate([first, np.minimum(repeats, n_customers - 1)])
    return drawn[random.permutation(n_orders)]


def _identify(code: np.ndarray, n_customers: int, ids: IdKind, pieces: list[slice]) -> pa.ChunkedArray:
    """Turn codes from 0 into ids of the kind asked for; ids ascend with the code except for ``sparse``."""
    if ids == "dense":
        return pa.chunked_array([pa.array(code[piece] + 1) for piece in pieces])
    if ids == "sparse":
        return pa.chunked_array([pa.array(_scatter(code[piece])) for piece in pieces])
    names = pa.array([f"C{number:09d}" for number in range(n_customers)])
    if ids == "string":
        return pa.chunked_array([names.take(pa.array(code[piece])) for piece in pieces])
    if ids == "dictionary":
        codes = code.astype(np.int32)
        return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(codes[piece]), names) for piece in pieces])
    raise ValueError(f"ids must be dense, sparse, string or dictionary, not {ids!r}")


def _scatter(code: np.ndarray) -> np.ndarray:
    """Scatter codes over 63 bits, one to one: shifts and odd factors are reversible modulo 2**63."""
    mask = np.uint64((1 << 63) - 1)
    mixed = code.astype(np.uint64) + np.uint64(0x1E37_79B9_7F4A_7C15)
    for factor in (0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB):
        mixed = ((mixed ^ (mixed >> np.uint64(31))) * np.uint64(factor)) & mask
    return (mixed ^ (mixed >> np.uint64(33))).astype(np.int64)
