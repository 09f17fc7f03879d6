"""`examples/fastapi_service`, asked by a real client: what it answers, and which values it refuses."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from tests.examples.serving import ARROW, LIST, Server, customers, ipc, question, serving

httpx = pytest.importorskip("httpx")

JSON = {"content-type": "application/json"}
GOOD = {"recency_days": 1, "frequency": 1, "monetary": 1.0}


def test_one_customer(client: Any, scorer: custcore.RFMScorer) -> None:
    for row in customers(50).to_pylist():
        asked = question(row)
        answer = client.post("/score", json=asked)
        assert answer.status_code == 200
        assert tuple(answer.json().values()) == scorer.score_one(*asked.values())


def test_a_list(client: Any, scorer: custcore.RFMScorer) -> None:
    rows = customers(500).to_pylist()
    answer = client.post(LIST, json=[question(row) | {"customer_id": str(row["customer_id"])} for row in rows])
    assert answer.status_code == 200
    expected = [
        dict(zip("rfm", scorer.score_one(*question(row).values())[:3], strict=True))
        | {"customer_id": str(row["customer_id"])}
        for row in rows
    ]
    assert [{name: score[name] for name in ("r", "f", "m", "customer_id")} for score in answer.json()] == expected


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_a_table(client: Any, scorer: custcore.RFMScorer, compression: str | None) -> None:
    table = customers(50_000)
    table = table.append_column("city", pa.array(["Köln", "Oslo", None, "Rio", "Ube"] * 10_000).dictionary_encode())
    answer = client.post(ARROW, content=ipc(table, 10_000, compression=compression))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    scored = pa.ipc.open_stream(answer.content).read_all()
    scored.validate(full=True)
    assert scored.equals(scorer.transform(table).to_pyarrow())


def test_no_customers(client: Any) -> None:
    answer = client.post(ARROW, content=ipc(customers(0)))
    assert answer.status_code == 200
    assert pa.ipc.open_stream(answer.content).read_all().num_rows == 0
    assert client.post(LIST, json=[]).status_code == 422


@pytest.mark.parametrize("name", ["recency_days", "frequency", "monetary"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"3"', "true", "null", "[1]", "9" * 400])
def test_bad_values(client: Any, name: str, value: str) -> None:
    body = "{" + ", ".join(f'"{key}": {value if key == name else good}' for key, good in GOOD.items()) + "}"
    answer = client.post("/score", content=body, headers=JSON)
    assert answer.status_code == 422, body
    [problem] = answer.json()["detail"]
    assert problem["field"] == name
    assert problem["problem"]
    answer = client.post(LIST, content=f"[{json.dumps(GOOD)}, {body}]", headers=JSON)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["detail"]] == [f"1.{name}"]


@pytest.mark.parametrize(
    ("change", "field", "value", "words"),
    [
        ({"recency_days": -1}, "recency_days", "-1", "greater than or equal to 0"),
        ({"recency_days": 3.5}, "recency_days", "3.5", "integer"),
        ({"frequency": 0}, "frequency", "0", "greater than or equal to 1"),
        ({"monetry": 3}, "monetry", "3", "not permitted"),
        ({"customer_id": 1.5}, "customer_id", "1.5", "string"),
    ],
)
def test_what_is_wrong_is_named(client: Any, change: dict[str, Any], field: str, value: str, words: str) -> None:
    answer = client.post("/score", json=GOOD | change)
    assert answer.status_code == 422
    problem = answer.json()["detail"][0]
    assert (problem["field"], problem["value"]) == (field, value)
    assert words in problem["problem"]


def test_missing_fields(client: Any) -> None:
    answer = client.post("/score", json={})
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["detail"]} == {"recency_days", "frequency"}
    answer = client.post("/score", json={"recency_days": 1, "frequency": 1})
    assert (answer.status_code, answer.json()["detail"][0]["field"]) == (422, "monetary")


def test_what_is_no_json(client: Any) -> None:
    for body in (b"{", b"", b"\xff", b"[" * 4_000, b"1" * 4_000):
        for path in ("/score", LIST):
            assert client.post(path, content=body, headers=JSON).status_code in {400, 422}, body
    for path in ("/score", LIST):
        answer = client.post(path, content=b'{"a": ', headers=JSON)
        assert answer.status_code == 400
        assert "no JSON" in answer.json()["detail"]


def test_the_description_for_programs(client: Any) -> None:
    described = client.get("/openapi.json").json()
    [asked] = described["paths"][LIST]["post"]["requestBody"]["content"].values()
    assert asked["schema"]["items"]["$ref"].rpartition("/")[2] in described["components"]["schemas"]
    assert "application/vnd.apache.arrow.stream" in described["paths"][ARROW]["post"]["responses"]["200"]["content"]


def test_a_value_of_a_table_out_of_bounds(client: Any) -> None:
    table = customers(10)
    for name, values in (
        ("recency_days", [0] * 7 + [-3] + [0] * 2),
        ("n_orders", [1] * 7 + [0] + [1] * 2),
        ("monetary_total", [1.0] * 7 + [float("nan")] + [1.0] * 2),
        ("monetary_total", [1.0] * 7 + [float("-inf")] + [1.0] * 2),
    ):
        changed = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
        answer = client.post(ARROW, content=ipc(changed, 4))
        assert answer.status_code == 422
        [problem] = answer.json()["detail"]
        assert problem["field"] == f"{name}[7]"
        assert problem["value"] == str(values[7])


def test_a_model_with_groups_and_split_ties(tmp_path: Path) -> None:
    table = customers(1_000).append_column("country", pa.array(["de", "no"] * 500))
    scorer = custcore.RFMScorer(by="country", ties="split", customer_id="customer_id").fit(table)
    scorer.save(tmp_path / "scorer.json")
    with serving(tmp_path / "scorer.json") as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        row = table.to_pylist()[5]
        asked = question(row) | {"customer_id": row["customer_id"], "group": row["country"]}
        answer = client.post("/score", json=asked)
        assert answer.status_code == 200
        expected = scorer.score_one(*question(row).values(), customer_id=row["customer_id"], group=row["country"])
        assert tuple(answer.json().values()) == expected
        for name in ("customer_id", "group"):
            answer = client.post("/score", json={key: value for key, value in asked.items() if key != name})
            assert (answer.status_code, answer.json()["detail"][0]["field"]) == (422, name)
        answer = client.post("/score", json=asked | {"group": "fr"})
        assert answer.status_code == 422
        assert "fr" in answer.text
        answer = client.post(ARROW, content=ipc(table.drop_columns(["country"])))
        assert answer.status_code == 400
        assert "country" in answer.text


def test_many_clients_at_once(server: Server, scorer: custcore.RFMScorer) -> None:
    rows = customers(400).to_pylist()
    table = customers(20_000)
    body, expected = ipc(table), scorer.transform(table).to_pyarrow()
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client, ThreadPoolExecutor(16) as pool:
        tables = [pool.submit(client.post, ARROW, content=body) for _ in range(16)]
        scores = list(pool.map(lambda row: tuple(client.post("/score", json=question(row)).json().values()), rows))
        assert scores == [scorer.score_one(*question(row).values()) for row in rows]
        for answer in tables:
            assert pa.ipc.open_stream(answer.result().content).read_all().equals(expected)
