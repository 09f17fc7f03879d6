"""The model file, and what is known of its fit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import custcore

__all__ = ["Model", "description_path"]


def description_path(model: Path) -> Path:
    """Where ``train.py`` notes what a model file does not hold: the day and the data of its fit."""
    return model.with_name(model.name + ".about")


@dataclass(frozen=True)
class Model:
    """A fitted scorer; it never changes, so that any number of threads may ask it."""

    scorer: custcore.RFMScorer
    about: dict[str, Any]
    money: bool
    group: str | None
    splits_ties: bool
    columns: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the model file once: what is scored by is what was hashed."""
        data = path.read_bytes()
        scorer = custcore.RFMScorer.from_bytes(data)
        settings = scorer.get_params()
        sha256 = hashlib.sha256(data).hexdigest()
        edges = scorer.thresholds.to_pylist()
        frequency = {"orders": "n_orders", "days": "n_days", "rows": "n_rows"}[settings["frequency"]]
        columns = {"recency_days": "recency_days", "frequency": frequency}
        money = any(edge["dimension"] == "monetary" for edge in edges)
        if money:
            columns["monetary"] = "monetary_" + settings["monetary"]
        about = {
            "file": path.name,
            "sha256": sha256,
            "loaded_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "custcore": custcore.__version__,
            "written_by_custcore": json.loads(data).get("library_version"),
            # These are in the model itself.
            "customers": sum(edge["customers"] for edge in edges if edge["dimension"] == "recency"),
            "bins": settings["bins"],
            "ties": settings["ties"],
            "by": settings["by"],
            "columns": list(columns.values()),
            **_described(path, sha256),
        }
        return cls(scorer, about, money, settings["by"], settings["ties"] == "split", columns)


def _described(path: Path, sha256: str) -> dict[str, Any]:
    """The day and data of the fit as ``train.py`` noted them; None where nobody did, or did for another file."""
    unknown: dict[str, Any] = {"fitted_at": None, "as_of": None, "trained_on": None}
    beside = description_path(path)
    try:
        noted = json.loads(beside.read_bytes())
    except FileNotFoundError:
        return unknown | {"unknown": f"there is no {beside.name}, which train.py writes"}
    except (OSError, ValueError) as error:
        return unknown | {"unknown": f"{beside.name} cannot be read: {error}"}
    if not isinstance(noted, dict) or noted.get("sha256") != sha256:
        return unknown | {"unknown": f"{beside.name} describes another model file"}
    return {name: noted.get(name) for name in unknown}
