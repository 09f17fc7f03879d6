from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import custcore
from tests.examples.serving import Server, customers, serving

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="session")
def scorer() -> custcore.RFMScorer:
    return custcore.RFMScorer().fit(customers(1_000))


@pytest.fixture(scope="session")
def model(scorer: custcore.RFMScorer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "scorer.json"
    scorer.save(path)
    return path


@pytest.fixture(scope="session")
def server(model: Path) -> Iterator[Server]:
    with serving(model) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    # Asked directly, whatever proxy the environment names.
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as asking:
        yield asking
