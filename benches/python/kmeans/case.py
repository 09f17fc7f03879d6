"""Cases of the k-means bench, their input, and the comparison of results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from benches.harness import Input, UnequalError

if TYPE_CHECKING:
    from pathlib import Path

Task = Literal["iterations", "fit", "select", "predict", "predict_one"]
DType = Literal["float32", "float64"]
Shape = Literal["normal", "mixed", "money"]
TASKS: tuple[Task, ...] = get_args(Task)
DTYPES: tuple[DType, ...] = get_args(DType)
SHAPES: tuple[Shape, ...] = get_args(Shape)
# How a case of a shape is called; normal features are named by their groups.
TAILS = {"mixed": "heavy tails (normal, gamma, cubed normal)", "money": "heavy tails (log-normal, Pareto)"}

KS = range(2, 13)
STARTS = 10
# Number of rows predicted by single calls of ``predict_one``.
ONE_BY_ONE = 10_000
BLOCK = 1 << 20
LABEL_BYTES = 4


@dataclass(frozen=True)
class KMeansCase:
    """The input and the settings.

    Parameters
    ----------
    task
        ``iterations``: so many iterations from the same starting centres, tol=0. ``fit``: the default fit, seeding
        included; each draws starts of its own. ``select``: k = 2 to 12, ten starts each. ``predict``: the nearest
        centre of every row. ``predict_one``: the same for 10,000 rows in one call each.
    groups
        Groups that the rows are drawn around, which overlap; 0: one cloud, which is the hardest for whoever counts on
        clusters.
    shape
        The distribution of one cloud's features, in turns: ``normal``; ``mixed``: a normal, a gamma, a cubed normal;
        ``money``: log-normal and Pareto, as amounts are. A few rows then lie far from all others, and their centres
        move far in an iteration.
    """

    rows: int
    features: int = 3
    clusters: int = 8
    dtype: DType = "float64"
    task: Task = "iterations"
    iterations: int = 20
    groups: int = 0
    shape: Shape = "normal"
    threads: int = 2
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            self.task if self.task != "iterations" else f"{self.iterations} iterations",
            f"{self.rows} rows",
            f"d={self.features}",
            f"k={self.clusters}" if self.task != "select" else "k=2..12",
            self.dtype,
            TAILS.get(self.shape) or (f"{self.groups} groups" if self.groups else "one cloud"),
            f"{self.threads} threads",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


class KMeansInput:
    """Writes the input of a case, and compares results."""

    name = "kmeans"
    case = KMeansCase

    def write(self, case: KMeansCase, folder: Path) -> Input:
        """Write the rows as an array in C order, as scikit-learn and faiss expect."""
        path = folder / "input.npy"
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(case.dtype), shape=(case.rows, case.features))
        random = np.random.default_rng(case.seed)
        centers = random.normal(0, 1.2, (max(case.groups, 1), case.features)).astype(np.float32)
        spread = random.uniform(0.4, 1.0, centers.shape).astype(np.float32)
        sizes = random.dirichlet(np.full(len(centers), 2.0))
        for start in range(0, case.rows, BLOCK):
            part = array[start : start + BLOCK]
            noise = _features(random, case.shape, part.shape)
            if case.groups:
                group = random.choice(case.groups, len(part), p=sizes)
                noise = centers[group] + spread[group] * noise
            part[...] = noise
        array.flush()
        size = array.nbytes
        return Input(path, in_memory=size, grouped=case.rows * LABEL_BYTES, to_read=size * passes(case))

    def compare(self, case: KMeansCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Compare two results.

        float64: centres within 1e-6, and at most one label in 10,000 may differ, for rows on a border. float32: other
        libraries sum in float32, so their deviation is recorded, and only the inertia, which is recomputed for all
        of them, must be within one percent. With random starts, optima may differ; the inertia is recorded.
        """
        ours, theirs = _told(expected), _told(found)
        notes = {}
        if "labels" in expected.column_names and case.task != "fit":
            differ = int((expected["labels"].to_numpy() != found["labels"].to_numpy()).sum())
            if differ * 10_000 > case.rows and (case.dtype == "float64" or case.task == "predict"):
                raise UnequalError(f"{differ} of {case.rows} labels")
            notes["labels"] = differ
        if case.task == "iterations":
            off = float(np.abs(np.array(ours["centers"]) - np.array(theirs["centers"])).max())
            if case.dtype == "float64" and off > 1e-6:
                raise UnequalError(f"a centre by {off}")
            if theirs["n_iter"] != ours["n_iter"]:
                raise UnequalError(f"{theirs['n_iter']} iterations instead of {ours['n_iter']}")
        if case.task == "fit":
            notes["iterations"] = theirs["n_iter"]
        if "inertia" in ours and case.task != "select":
            above = theirs["inertia"] / ours["inertia"] - 1
            # Of a default fit the others may find another optimum, but none that is much better.
            if above < -0.1 or above > (0.01 if case.task == "iterations" else 0.5):
                raise UnequalError(f"the inertia is {theirs['inertia']} instead of {ours['inertia']}")
            notes["inertia, millionths above"] = round(above * 1e6)
        if case.task == "select":
            ratio = np.array(theirs["inertia"]) / np.array(ours["inertia"])
            if abs(ratio - 1).max() > 0.05:
                raise UnequalError(f"an inertia by a factor of {ratio[abs(ratio - 1).argmax()]}")
            notes["inertia, largest, millionths above"] = round((ratio.max() - 1) * 1e6)
        return notes


def _features(random: np.random.Generator, shape: Shape, size: tuple[int, ...]) -> np.ndarray:
    """Features of one cloud, of a standard deviation of about 1."""
    noise = random.standard_normal(size, dtype=np.float32)
    for feature in range(0 if shape == "normal" else size[1]):
        if shape == "mixed" and feature % 3 == 1:
            noise[:, feature] = random.standard_gamma(2.0, size[0], dtype=np.float32) / 1.41
        elif shape == "mixed" and feature % 3 == 2:
            noise[:, feature] = noise[:, feature] ** 3 / 3.87
        elif shape == "money" and feature % 2 == 0:
            noise[:, feature] = np.exp(noise[:, feature]) / 2.16
        elif shape == "money":
            noise[:, feature] = random.pareto(2.5, size[0]) / 1.49
    return noise


def load(path: Path) -> np.ndarray:
    """Read the rows into memory."""
    return np.load(path)


def start(case: KMeansCase, x: np.ndarray) -> np.ndarray:
    """The initial centres: random rows, the same for all contenders."""
    rows = np.sort(np.random.default_rng(case.seed).choice(min(len(x), BLOCK), case.clusters, replace=False))
    return x[rows].astype(np.float64)


def result(
    labels: np.ndarray | None = None, x: np.ndarray | None = None, centers: np.ndarray | None = None, **extra: Any
) -> pa.Table:
    """A result for comparison: labels as a column, all else as metadata, with the inertia of the centres."""
    if centers is not None:
        centers = np.asarray(centers, dtype=np.float64)
        extra["centers"] = centers.tolist()
        if x is not None:
            extra["inertia"] = inertia(x, centers)
    columns = {} if labels is None else {"labels": pa.array(np.asarray(labels).astype(np.int32, copy=False))}
    return pa.table(columns).replace_schema_metadata({"extra": json.dumps(extra)})


def inertia(x: np.ndarray, centers: np.ndarray) -> float:
    """Sum of squared distances to the nearest centre in float64, independent of all contenders."""
    total = 0.0
    for begin in range(0, len(x), BLOCK // 8):
        part = x[begin : begin + BLOCK // 8].astype(np.float64)
        nearest = np.full(len(part), np.inf)
        for center in centers:
            np.minimum(nearest, ((part - center) ** 2).sum(axis=1), out=nearest)
        total += float(nearest.sum())
    return total


def passes(case: KMeansCase) -> int:
    """Number of passes of Lloyd's algorithm over the rows, for the share of the bandwidth."""
    return case.iterations if case.task == "iterations" else 1


def _told(table: pa.Table) -> dict[str, Any]:
    extra: dict[str, Any] = json.loads((table.schema.metadata or {})[b"extra"])
    return extra
