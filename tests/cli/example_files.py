"""The files that examples of help texts name: forty customers and their purchases."""

from __future__ import annotations

import csv
import datetime as dt
import random
from typing import TYPE_CHECKING

import custcore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_example_files"]


def write_example_files(folder: Path) -> None:
    """Write them into a folder."""
    rows = purchases()
    columns = ["customer_id", "timestamp", "amount", "order_id", "country"]
    save(folder / "sales.csv", columns, rows)
    (folder / "sales").mkdir()
    save(folder / "sales" / "2026-01.csv", columns, rows[:100])
    save(folder / "sales" / "2026-02.csv", columns, rows[100:])
    lines = [
        (client, day, pieces * 2, bill, 2, pieces, ("tea", "tin", "pot")[client % 3])
        for client, day, pieces, bill, _ in rows
    ]
    save(folder / "lines.csv", ["client", "timestamp", "total", "bill", "price", "pieces", "product"], lines)
    customers = [(number, 1 + number % 7, 10.5 * (1 + number % 5)) for number in range(40)]
    save(folder / "customers.csv", ["customer_id", "visits", "spend"], customers)
    scored = custcore.read(folder / "sales.csv")
    for name, day in (("before", "2026-01-31"), ("after", "2026-02-28")):
        custcore.rfm_scores(scored, as_of=day).to_parquet(folder / f"{name}.parquet")
    bought = [(client, ("tea", "tin", "pot")[bill % 3]) for client, _, _, bill, _ in rows]
    save(folder / "items.csv", ["customer_id", "item"], bought)
    kinds = [("tea", "tin", "pot", "cup", "jar")[(bill * 7 + pieces) % 5] for _, _, pieces, bill, _ in rows]
    lines = [
        (client, day, pieces, bill, kind, country, 2 * (pieces % 3))
        for (client, day, pieces, bill, country), kind in zip(rows, kinds, strict=True)
    ]
    save(folder / "bought.csv", [*columns[:4], "item", "country", "discount"], lines)
    answers = [(client, day, pieces % 11, country) for client, day, pieces, _, country in rows]
    save(folder / "answers.csv", ["customer_id", "day", "score", "segment"], answers)
    mailed = [(client, "2026-02-05") for client in sorted({row[0] for row in rows})[::4]]
    save(folder / "mail.csv", ["customer_id", "exposed_on"], mailed)
    groups = [(1000 + number, ("control", "mail")[number % 2], "2026-02-01") for number in range(40)]
    save(folder / "groups.csv", ["customer_id", "group", "exposed_on"], groups)
    cells = [
        ("loyal", "sms", "exp", 50_000, 0.000125, ""),
        ("loyal", "mail", "exp", 30_000, 0.0003, "25%"),
        ("new", "sms", "exp", 5_000, 0.002, 900),
    ]
    save(folder / "cells.csv", ["segment", "channel", "curve", "a", "b", "high"], cells)
    contacts = [("loyal", "call", 5, 9, 80), ("loyal", "mail", 0.8, 4, 80), ("new", "mail", 0.8, 1.9, 300)]
    save(folder / "contacts.csv", ["segment", "channel", "cost", "value", "customers"], contacts)
    events = [(client, day, ("view", "cart", "order")[bill % 3], country) for client, day, _, bill, country in rows]
    save(folder / "events.csv", ["customer_id", "timestamp", "event", "channel"], events)
    journey = ["household_id", "transaction_timestamp", "sales_value", "basket_id"]
    save(folder / "journey.csv", journey, [row[:4] for row in rows])


def purchases() -> list[tuple[int, str, int, int, str]]:
    """Two hundred purchases of forty customers in two months."""
    drawn = random.Random(7)
    first = dt.date(2026, 1, 1)
    days = sorted(drawn.randrange(59) for _ in range(200))
    return [
        (customer, f"{first + dt.timedelta(day)}", 1 + drawn.randrange(50), order, ("FR", "DE")[customer % 2])
        for order, (day, customer) in enumerate((day, 1000 + drawn.randrange(40)) for day in days)
    ]


def save(path: Path, columns: list[str], rows: list[tuple[object, ...]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.writer(sink)
        writer.writerow(columns)
        writer.writerows(rows)
