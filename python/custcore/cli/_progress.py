"""A progress bar while rows are read; not shown without a terminal, or if the work is short."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import ProgressColumn

__all__ = ["rows_read"]

# Seconds before a bar is shown.
PATIENCE = 0.5


@contextlib.contextmanager
def rows_read(what: str, total: int | None) -> Iterator[Callable[[int, int | None], object]]:
    """Return a callback for ``progress=`` of custcore; it draws a bar on stderr that is removed at the end.

    Parameters
    ----------
    what
        What is read.
    total
        Rows in all, where that is known.
    """
    from rich.console import Console
    from rich.progress import Progress

    from custcore.cli._failure import printable

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return

    start = time.perf_counter()
    bar = Progress(*_columns(total is not None), console=console, transient=True)
    task = bar.add_task(printable(what), total=total, rate=0.0)

    def report_rows(done: int, _total: int | None) -> None:
        seconds = time.perf_counter() - start
        if seconds >= PATIENCE:
            bar.start()  # no effect the second time
            bar.update(task, completed=done, rate=done / seconds)
            if done == total:  # orders and scores remain
                bar.update(task, description="scoring customers")

    try:
        yield report_rows
    finally:
        bar.stop()


def _columns(has_total: bool) -> list[ProgressColumn]:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.table import Column

    name = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=30))
    rows = TextColumn("{task.completed:,.0f} rows", table_column=Column(no_wrap=True))
    rate = TextColumn("{task.fields[rate]:,.0f} rows/s", table_column=Column(no_wrap=True))
    if has_total:
        return [name, BarColumn(bar_width=20), TaskProgressColumn(), rows, rate, TimeRemainingColumn(compact=True)]
    return [name, BarColumn(bar_width=20), rows, rate, TimeElapsedColumn()]
