"""``custcore pairs``: which items are bought together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import custcore
from custcore._options.affinity import PAIRS
from custcore.cli import _baskets, _command, _options, _render

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@_command.command(
    "pairs",
    short_help="Which items are bought together.",
    examples=(
        ("Products of the same order", "custcore pairs lines.csv --item product --order-id bill --customer-id client"),
        ("Of the same customer and day", "custcore pairs bought.csv --item item"),
        ("All pairs, as a file", "custcore pairs bought.csv --item item --min-pair-baskets 1 -o pairs.parquet"),
    ),
)
@_options.file_options
@_options.output_option("Write all pairs: .parquet, .csv, .xlsx, .arrow. [default: print the first]")
@_options.json_option
@_baskets.basket_options
@_options.api_options(PAIRS, {name: _baskets.Least() for name in ("min_item_baskets", "min_pair_baskets")})
def command(files: tuple[str, ...], target: Path | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401
    """Count all pairs of items in baskets, and how much more often they occur than by chance.

    FILE has one row per order line, as for `custcore rfm`.
    """
    opened, arguments, found, seconds = _baskets.found_in(files, target, given, custcore.pairs)
    grid = _render.Grid(
        [
            _render.Column("item", is_left=True, wraps_to=16),
            _render.Column("with", is_left=True, wraps_to=16),
            _render.Column("baskets", said="baskets with both"),
            _render.Column("of its own", rank=3, said="share of the baskets with the first"),
            _render.Column("of the other's", rank=4, said="share of the baskets with the second"),
            _render.Column("lift", rank=2),
            _render.Column("lift within", said="lift within baskets of like size"),
            _render.Column("p adjusted", rank=1),
        ]
    )
    for row in found.to_pylist()[: _baskets.SHOWN]:
        grid.add_row(
            _baskets.items(row["item_a"]),
            _baskets.items(row["item_b"]),
            f"{row['n_ab']:,}",
            f"{row['confidence_ab']:.1%}",
            f"{row['confidence_ba']:.1%}",
            _baskets.number(row["lift"]),
            _baskets.number(row["lift_within"]),
            f"{row['p_adjusted']:.2g}",
        )
    _baskets.finish(opened, arguments, found, seconds, (target, as_json), grid)
