"""Plot of scaling: nanoseconds per row, by number of rows and of customers, from the recorded results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

from benches.targets import ADDED, PLAIN

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]

# Colours that are distinguishable with most kinds of colour blindness; custcore stands out.
STYLES = {
    "custcore": ("#c1121f", 2.6),
    "polars-streaming": ("#0072b2", 1.5),
    "duckdb": ("#b58900", 1.5),
    "numpy": ("#009e73", 1.5),
    "pandas": ("#6c5b7b", 1.5),
}
CUSTOMERS_AT = 30_000_000


def series(records: list[Record], by: str) -> dict[str, list[tuple[int, float]]]:
    """The points of each contender: by ``rows`` at ten per customer, or by ``customers`` at one number of rows."""
    plain = {name: value for name, value in PLAIN.items() if name not in ("rows", "threads")}
    threads = max((record["case"]["threads"] for record in records), default=1)
    cases = [
        r
        for r in records
        if all((ADDED | r["case"])[k] == v for k, v in plain.items()) and r["case"]["threads"] == threads
    ]
    if by == "rows":
        cases = [r for r in cases if r["case"]["rows"] == 10 * r["case"]["customers"]]
    else:
        counts = [r["case"]["rows"] for r in cases]
        most = CUSTOMERS_AT if CUSTOMERS_AT in counts else max(counts, key=counts.count, default=0)
        cases = [r for r in cases if r["case"]["rows"] == most]
    points: dict[str, list[tuple[int, float]]] = {name: [] for name in STYLES}
    for record in sorted(cases, key=lambda record: record["case"][by]):
        for row in record["contenders"]:
            if row["name"] in points:
                nanoseconds = row["median_seconds"] / record["case"]["rows"] * 1e9
                points[row["name"]].append((record["case"][by], nanoseconds))
    return {name: found for name, found in points.items() if found}


def draw(records: list[Record], path: Path) -> bool:
    """Draw the plot; return whether there was any data."""
    panels = [series(records, "rows"), series(records, "customers")]
    if any(len(panel.get("custcore", [])) < 2 for panel in panels):
        return False
    mpl.rcParams.update({"svg.hashsalt": "custcore", "svg.fonttype": "path", "font.size": 9.5})
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.0), sharey=True, layout="constrained")
    titles = ("by rows, ten for each customer", f"by customers, {_short(_rows_of(records))} rows")
    for ax, panel, title, name in zip(axes, panels, titles, ("rows", "customers"), strict=True):
        ends = []
        for contender, points in panel.items():
            colour, width = STYLES[contender]
            xs, ys = zip(*points, strict=True)
            ax.plot(xs, ys, color=colour, linewidth=width, marker="o", markersize=3.5, zorder=3 + (width > 2))
            ends.append((ys[-1], contender, xs[-1]))
        ax.set(xscale="log", yscale="log", title=title, xlabel=name)
        ax.set_xticks(sorted({x for points in panel.values() for x, _ in points}))
        ax.xaxis.set_major_formatter(lambda x, _: _short(int(x)))
        ax.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        ax.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
        ax.grid(visible=True, which="major", color="#dddddd", linewidth=0.7)
        ax.spines[["top", "right"]].set_visible(False)
        if name == "customers":
            _label(ax, ends)
    axes[0].set_ylabel("nanoseconds a row (median)")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)
    plt.close(figure)
    return True


def _label(ax: Any, ends: list[tuple[float, str, float]]) -> None:
    """Label the ends of the lines, without overlap."""
    low, high = ax.get_ylim()
    gap = (high / low) ** 0.055
    last = 0.0
    for y, name, x in sorted(ends):
        at = max(y, last * gap)
        last = at
        weight = "bold" if name == "custcore" else "normal"
        ax.annotate(
            name,
            (x, at),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=STYLES[name][0],
            weight=weight,
            annotation_clip=False,
        )


def _rows_of(records: list[Record]) -> int:
    counts = [record["case"]["rows"] for record in records]
    return CUSTOMERS_AT if CUSTOMERS_AT in counts else max(set(counts), key=counts.count)


def _short(n: int) -> str:
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if n >= unit:
            return f"{n / unit:g}{letter}"
    return str(n)
