"""A small web service that scores customers by a saved model: one as JSON, many as an Arrow stream.

CUSTCORE_MODEL=scorer.json uvicorn app:app --port 8000
"""

from __future__ import annotations

import io
import os
from typing import Annotated

import pyarrow as pa
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

import custcore
from custcore.errors import CustcoreError

ARROW = "application/vnd.apache.arrow.stream"
# A batch is held in memory while it is scored.
LARGEST_BATCH = 64 << 20

# Loaded once; a fitted scorer never changes, so that any number of threads may ask it.
scorer = custcore.RFMScorer.load(os.environ["CUSTCORE_MODEL"])
app = FastAPI(title="RFM scores")


class Customer(BaseModel):
    """What is known of a customer."""

    recency_days: int
    frequency: int
    monetary: Annotated[float, Field(allow_inf_nan=False)] | None = None


class Score(BaseModel):
    """Scores from 1, the best last, and the segment."""

    r: int
    f: int
    m: int | None
    segment: str | None


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong without repeating the input: JSON cannot hold NaN and infinities."""
    found = [{"type": part["type"], "loc": part["loc"], "msg": part["msg"]} for part in error.errors()]
    return JSONResponse({"detail": found}, 422)


@app.post("/score")
async def score(customer: Customer) -> Score:
    """Score one customer; it takes less than a microsecond, so it needs no thread of its own."""
    try:
        r, f, m, segment = scorer.score_one(customer.recency_days, customer.frequency, customer.monetary)
    except CustcoreError as error:
        raise HTTPException(422, str(error)) from error
    return Score(r=r, f=f, m=m, segment=segment)


@app.post("/score_batch")
async def score_batch(request: Request) -> Response:
    """Score an RFM table (the columns of ``custcore.rfm``), sent as an Arrow IPC stream, and send it back."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BATCH:
            raise HTTPException(413, f"more than {LARGEST_BATCH:,} bytes; send the customers in several batches")
    # Many customers take a while, in which others are answered.
    return Response(await run_in_threadpool(scored, bytes(body)), media_type=ARROW)


def scored(body: bytes) -> bytes:
    """Read a stream, score it, write it."""
    try:
        # What comes from outside is checked before its buffers are believed.
        table = pa.ipc.open_stream(body).read_all()
        table.validate(full=True)
        result = scorer.transform(table).to_pyarrow()
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise HTTPException(400, f"the body is no Arrow IPC stream: {error}") from error
    except CustcoreError as error:
        raise HTTPException(422, str(error)) from error
    out = io.BytesIO()
    with pa.ipc.new_stream(out, result.schema) as writer:
        writer.write_table(result)
    return out.getvalue()
