"""Seeded generator of purchase data for benches and large tests.

The same arguments give the same rows, on every machine with the same numpy. Nothing is cached. It does not generate
nulls, refunds or invalid values (tests do that), or realistic markets; customers do differ in how much they buy.

Rows are generated in batches; apart from the current batch only the customers and times of orders are in memory, so
that 100 million rows need 2 to 4 GiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

IdKind = Literal[
    "dense",
    "gap2",
    "gap7",
    "gap30",
    "gaps",
    "sparse",
    "string",
    "uuid",
    "dictionary",
    "dictionaries",
    "long",
    "ends",
    "strided",
    "collide",
]
Order = Literal["time", "clustered"]
Skew = Literal["none", "half"]

ID_KINDS: tuple[IdKind, ...] = get_args(IdKind)
ORDERS: tuple[Order, ...] = get_args(Order)
SKEWS: tuple[Skew, ...] = get_args(Skew)

FIRST_DAY = np.datetime64("2022-01-01T00:00:00", "us")
DAYS = 3 * 365
LINES_PER_ORDER = 9
SECOND = 1_000_000
HUNDREDTH = SECOND // 100
DAY = 86_400 * SECOND
BETWEEN_LINES = 3 * SECOND
FIRST_ORDER = 1_000_000

# Of auto-increment ids only some bought: every n-th, or one in seven at random.
GAPS: dict[str, int] = {"dense": 1, "gap2": 2, "gap7": 7, "gap30": 30}
MEAN_GAP = 7

# Fibonacci hashing multiplies by 2**64 / golden ratio; products with its inverse come out as 0, 1, 2, ...
GOLDEN = 0x9E37_79B9_7F4A_7C15
GOLDEN_INVERSE = pow(GOLDEN, -1, 1 << 64)

# Strings of 200 bytes that differ in the middle, after the prefix that is compared first.
LONG_BEGINNING = b"customer/" + b"0123456789" * 9 + b"/"
LONG_END = b"/" + b"abcdefghijklmnopqrstuvwxyz" * 4
LONG_BYTES = 200


def purchases(
    n_rows: int,
    n_customers: int,
    *,
    ids: IdKind = "dense",
    order: Order = "time",
    order_ids: bool = False,
    skew: Skew = "none",
    seed: int = 0,
    chunk_rows: int = 1 << 20,
) -> pa.Table:
    """Generate a table of purchases: :func:`purchase_batches`, one chunk for each batch."""
    batches = purchase_batches(
        n_rows,
        n_customers,
        ids=ids,
        order=order,
        order_ids=order_ids,
        skew=skew,
        seed=seed,
        chunk_rows=chunk_rows,
    )
    return pa.Table.from_batches(list(batches))


def purchase_batches(
    n_rows: int,
    n_customers: int,
    *,
    ids: IdKind = "dense",
    order: Order = "time",
    order_ids: bool = False,
    skew: Skew = "none",
    seed: int = 0,
    chunk_rows: int = 1 << 20,
) -> Iterator[pa.RecordBatch]:
    """Generate purchases, batch by batch.

    Parameters
    ----------
    n_rows
        Lines of purchase.
    n_customers
        Customers; every one buys at least once if there are as many orders. 1: all ids are equal. As many as rows: all
        are distinct.
    ids
        ``dense``: int64 from 1. ``gap2``, ``gap7``, ``gap30``: every second, seventh, thirtieth of them. ``gaps``: one
        in seven of them, at random. ``sparse``: int64 over 63 bits. ``string``: a letter and nine digits or more.
        ``uuid``: random UUIDs as lower-case texts of 36 bytes. ``dictionary``: the same strings as ``string``,
        dictionary-encoded, one dictionary for all chunks. ``dictionaries``: each chunk has its own, of the ids in it,
        by first occurrence. ``long``: strings of 200
        bytes that begin and end alike. ``ends``: int64, half of them up from the least, half down from the greatest.
        ``strided``: multiples of 2**32. ``collide``: int64 that a table indexed by the leading bits of a product with
        2**64 / golden ratio puts all in one place, unless it is seeded.
    order
        ``time``: ascending by time, as a log is written. ``clustered``: by customer, then by time.
    order_ids
        Add ``order_id`` (int64); an order has about nine lines, a few seconds apart. Else every line is an order.
    skew
        ``half``: half of the orders are one customer's.
    seed
        Of the generator.
    chunk_rows
        Rows in a batch.

    Yields
    ------
    pyarrow.RecordBatch
        ``customer_id``, ``timestamp`` (us, three years, no zone), ``amount`` (float64 of whole cents, 0.01 or more),
        and ``order_id`` on request.
    """
    if not 0 < n_customers <= n_rows:
        raise ValueError(f"n_customers must be from 1 to n_rows={n_rows}, not {n_customers}")
    random = np.random.default_rng(seed)
    lines = _lines(random, n_rows) if order_ids else None
    n_orders = n_rows if lines is None else len(lines)
    customer = _customers(random, n_orders, n_customers, skew)
    # The last order ends before midnight, so that the day of its start is the last day.
    start = random.integers(0, DAYS * DAY - 3600 * SECOND, n_orders)
    if order == "time":
        start.sort()  # customers are drawn in random order, so they need not follow
    elif order == "clustered":
        # One sort of customer and time as one number is many times as fast as a sort by two columns.
        both = customer * np.int64(DAYS * DAY // HUNDREDTH) + start // HUNDREDTH
        both.sort()
        customer, start = np.divmod(both, DAYS * DAY // HUNDREDTH)
        customer, start = customer.astype(np.int32), start * HUNDREDTH
        del both
    else:
        raise ValueError(f"order must be time or clustered, not {order!r}")

    order_of_line = None
    if lines is not None:
        order_of_line = np.repeat(np.arange(n_orders, dtype=np.int32), lines)
        within = np.arange(n_rows) - np.repeat(np.cumsum(lines) - lines, lines)
        start = start[order_of_line] + within * BETWEEN_LINES
        del within
        if order == "time":  # the lines of orders that overlap interleave
            rank = np.argsort(start, kind="stable")
            start, order_of_line = start[rank], order_of_line[rank]
            del rank
        customer = customer[order_of_line]

    identify = Ids(ids, n_customers)
    for first in range(0, n_rows, chunk_rows):
        piece = slice(first, min(first + chunk_rows, n_rows))
        cents = np.maximum(1, np.rint(np.exp(random.normal(2.5, 1.0, piece.stop - first)) * 100))
        columns = {
            "customer_id": identify(customer[piece]),
            "timestamp": pa.array(FIRST_DAY + start[piece].astype("timedelta64[us]")),
            "amount": pa.array(cents / 100),
        }
        if order_of_line is not None:
            columns["order_id"] = pa.array(order_of_line[piece].astype(np.int64) + FIRST_ORDER)
        yield pa.record_batch(columns)


def _lines(random: np.random.Generator, n_rows: int) -> np.ndarray:
    """Draw the number of lines of each order until there are n_rows."""
    drawn = random.geometric(1 / LINES_PER_ORDER, max(1, n_rows // LINES_PER_ORDER))
    while drawn.sum() < n_rows:
        drawn = np.concatenate([drawn, random.geometric(1 / LINES_PER_ORDER, max(1, n_rows // 50))])
    ends = np.cumsum(drawn)
    kept = drawn[: np.searchsorted(ends, n_rows) + 1]
    kept[-1] -= kept.sum() - n_rows
    return kept


def _customers(random: np.random.Generator, n_orders: int, n_customers: int, skew: Skew) -> np.ndarray:
    """Draw the customer of each order: first each customer once, then by random purchase rates."""
    if skew not in SKEWS:
        raise ValueError(f"skew must be one of {', '.join(SKEWS)}, not {skew!r}")
    first = random.permutation(n_customers)[:n_orders]
    left = n_orders - len(first)
    one_customers = min(left, n_orders // 2) if skew == "half" else 0
    keenness = random.gamma(0.8, 1.0, n_customers) + 1e-6
    repeats = random.multinomial(left - one_customers, keenness / keenness.sum())
    repeats[n_customers // 2] += one_customers
    drawn = np.concatenate([first.astype(np.int32), np.repeat(np.arange(n_customers, dtype=np.int32), repeats)])
    return random.permuted(drawn, out=drawn)


class Ids:
    """Converts codes from 0 to ids of one kind; integers with or without gaps, and texts but UUIDs, ascend with it."""

    def __init__(self, kind: IdKind, n_customers: int) -> None:
        if kind not in ID_KINDS:
            raise ValueError(f"ids must be one of {', '.join(ID_KINDS)}, not {kind!r}")
        self.kind = kind
        self.digits = max(9, len(str(n_customers - 1)))
        self.names = self._texts(np.arange(n_customers)) if kind == "dictionary" else None
        self.places: np.ndarray | None = None
        if kind == "gaps":
            self.places = np.random.default_rng(MEAN_GAP).geometric(1 / MEAN_GAP, n_customers).cumsum()

    def __call__(self, code: np.ndarray) -> pa.Array:
        """The ids of codes."""
        if self.kind == "dictionary":
            return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), self.names)
        if self.kind in ("string", "long"):
            return self._texts(code)
        if self.kind == "dictionaries":
            return self._texts(code).dictionary_encode()
        if self.kind == "uuid":
            return _strings(_uuids(code))
        if self.places is not None:
            return pa.array(self.places[code])
        return pa.array(_integers(self.kind, code.astype(np.int64)))

    def _texts(self, code: np.ndarray) -> pa.Array:
        """Format codes as strings of one width, digit by digit for all of them."""
        before, after = b"C", b""
        if self.kind == "long":
            before, after = LONG_BEGINNING, LONG_END[: LONG_BYTES - len(LONG_BEGINNING) - self.digits]
            after += b"." * (LONG_BYTES - len(before) - self.digits - len(after))
        width = len(before) + self.digits + len(after)
        text = np.empty((len(code), width), dtype=np.uint8)
        text[:, : len(before)] = np.frombuffer(before, dtype=np.uint8)
        text[:, width - len(after) :] = np.frombuffer(after, dtype=np.uint8)
        left = code.astype(np.int64)
        for place in range(len(before) + self.digits - 1, len(before) - 1, -1):
            left, digit = np.divmod(left, 10)
            text[:, place] = digit + ord("0")
        return _strings(text)


def _strings(text: np.ndarray) -> pa.Array:
    """Strings of one width, of the bytes of each."""
    count, width = text.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    if offsets[-1] > np.iinfo(np.int32).max:
        raise ValueError(f"{count:,} strings of {width} bytes are too many for one batch")
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _uuids(code: np.ndarray) -> np.ndarray:
    """Texts of random UUIDs (version 4), 36 bytes each."""
    halves = [_scatter(code.astype(np.int64) + offset).astype(np.uint64) << np.uint64(1) for offset in (0, 1 << 40)]
    halves = [half ^ half >> np.uint64(33) for half in halves]  # fills the bit that the shift left empty
    raw = np.column_stack([half.byteswap().view(np.uint8).reshape(-1, 8) for half in halves])
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    text = np.full((len(code), 36), ord("-"), dtype=np.uint8)
    at = 0
    for byte in range(16):
        at += byte in (4, 6, 8, 10)
        text[:, at], text[:, at + 1] = digits[raw[:, byte] >> 4], digits[raw[:, byte] & 15]
        at += 2
    return text


def _integers(kind: IdKind, code: np.ndarray) -> np.ndarray:
    if kind in GAPS:
        return code * GAPS[kind] + 1
    if kind == "sparse":
        return _scatter(code)
    if kind == "strided":
        return code << 32
    if kind == "ends":
        limits = np.iinfo(np.int64)
        return np.where(code % 2 == 0, limits.min + code // 2, limits.max - code // 2)
    return (code.astype(np.uint64) * np.uint64(GOLDEN_INVERSE)).view(np.int64)


def _scatter(code: np.ndarray) -> np.ndarray:
    """Scatter codes over 63 bits, bijectively: shifts and odd factors are invertible modulo 2**63."""
    mask = np.uint64((1 << 63) - 1)
    mixed = code.astype(np.uint64) + np.uint64(0x1E37_79B9_7F4A_7C15)
    for factor in (0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB):
        mixed = ((mixed ^ (mixed >> np.uint64(31))) * np.uint64(factor)) & mask
    return (mixed ^ (mixed >> np.uint64(33))).astype(np.int64)
