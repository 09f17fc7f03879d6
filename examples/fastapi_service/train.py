"""Make the model file of the service from a file of purchases, and note beside it what it was made from.

python train.py purchases.csv scorer.json --customer-id CustomerID --amount "Quantity * UnitPrice"
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import tempfile
from pathlib import Path

import custcore
from rfm_service.model import description_path


def main() -> None:
    """Compute the RFM table, fit the scorer, save both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("purchases", help="a file that custcore.read reads")
    parser.add_argument("model", type=Path, help="the model file, which is replaced whole")
    parser.add_argument("--customer-id", default="customer_id")
    parser.add_argument("--timestamp", default="timestamp")
    parser.add_argument("--amount", default="amount", help="a column, or arithmetic over columns")
    parser.add_argument("--order-id", help="the column of the order, if a row is a line of one")
    parser.add_argument("--as-of", type=datetime.date.fromisoformat, help="default: the last day of the purchases")
    parser.add_argument("--bins", type=int, default=5)
    asked = parser.parse_args()

    customers = custcore.rfm(
        custcore.read(asked.purchases),
        customer_id=asked.customer_id,
        timestamp=asked.timestamp,
        amount=asked.amount,
        order_id=asked.order_id,
        as_of=asked.as_of,
    )
    # Also what was left out, and why, before anybody is scored by it.
    print(customers.report)
    scorer = custcore.RFMScorer(asked.bins).fit(customers)
    scorer.save(asked.model)
    about = {
        "sha256": hashlib.sha256(asked.model.read_bytes()).hexdigest(),
        "fitted_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        # The day that was asked for, or the last one of the purchases.
        "as_of": str(customers.report.as_of),
        "trained_on": {"file": Path(asked.purchases).name, "rows": customers.report.n_rows},
    }
    _replace(description_path(asked.model), json.dumps(about, indent=1))
    print(f"{asked.model}: {len(customers):,} customers as of {about['as_of']}, {customers.report.n_rows:,} rows")


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        draft.write(text)
    os.chmod(draft.name, 0o644)  # noqa: PTH101
    os.replace(draft.name, path)  # noqa: PTH105


if __name__ == "__main__":
    main()
