"""``custcore rules``: of the baskets with some items, how many also have another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import custcore
from custcore._options.affinity import RULES
from custcore.cli import _baskets, _command, _options, _render

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@_command.command(
    "rules",
    short_help="Who buys these items also buys that one.",
    examples=(
        ("Products of the same order", "custcore rules lines.csv --item product --order-id bill --customer-id client"),
        ("Of all that a customer ever bought", "custcore rules bought.csv --item item --basket customer"),
        ("Of pairs only, as a file", "custcore rules bought.csv --item item --max-len 2 -o rules.csv"),
    ),
)
@_options.file_options
@_options.output_option("Write all rules: .parquet, .csv, .xlsx, .arrow. [default: print the first]")
@_options.json_option
@_baskets.basket_options
@_options.api_options(RULES, {"min_baskets": _baskets.Least()})
def command(files: tuple[str, ...], target: Path | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401
    """Find the rules of baskets: who buys the items on the left also buys the one on the right.

    FILE has one row per order line, as for `custcore rfm`.
    """
    opened, arguments, found, seconds = _baskets.found_in(files, target, given, custcore.rules)
    grid = _render.Grid(
        [
            _render.Column("who buys", is_left=True, wraps_to=20),
            _render.Column("also buys", is_left=True, wraps_to=16),
            _render.Column("baskets", said="baskets with all of them"),
            _render.Column("confidence"),
            _render.Column("improvement", rank=2, said="confidence less that of a shorter rule"),
            _render.Column("lift", rank=3),
            _render.Column("lift within", rank=1, said="lift within baskets of like size"),
        ]
    )
    for row in found.to_pylist()[: _baskets.SHOWN]:
        grid.add_row(
            _baskets.items(row["antecedent"]),
            _baskets.items(row["consequent"]),
            f"{row['n_both']:,}",
            f"{row['confidence']:.1%}",
            f"{row['improvement']:+.1%}",
            _baskets.number(row["lift"]),
            _baskets.number(row["lift_within"]),
        )
    _baskets.finish(opened, arguments, found, seconds, (target, as_json), grid)
