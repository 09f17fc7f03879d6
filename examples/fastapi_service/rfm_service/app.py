"""The application: one customer or a list as JSON, a table as an Arrow stream, and what is known of the model."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, TypeAdapter, ValidationError

from custcore.errors import CustcoreError
from rfm_service.access_log import AccessLog
from rfm_service.arrow_stream import ARROW, scored, written
from rfm_service.bodies import BodyLimits
from rfm_service.errors import bad_value, busy, too_large
from rfm_service.model import Model
from rfm_service.questions import Customer, Score, ScoredCustomer, problems
from rfm_service.settings import Settings

__all__ = ["create_app"]

log = logging.getLogger("uvicorn.error")


class Service:
    """What the requests share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # A file that cannot be read ends the start, with its error.
        self.model = Model.load(settings.model)
        self.reload_error: str | None = None
        self.places = asyncio.Semaphore(settings.max_batches)

    def reload(self) -> None:
        """Read the model file again; one that cannot be read leaves the old model in use."""
        try:
            self.model = Model.load(self.settings.model)
            self.reload_error = None
            log.info("model %s loaded again", self.model.about["sha256"])
        except (OSError, CustcoreError) as error:
            self.reload_error = str(error)
            log.error("the model was not loaded again: %s", error)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait, but not long, for one of the places for batches: each takes memory and processors."""
        try:
            async with asyncio.timeout(self.settings.batch_timeout):
                await self.places.acquire()
        except TimeoutError:
            raise busy("too many batches at once; try again") from None
        try:
            yield
        finally:
            self.places.release()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model once, and again on SIGHUP."""
    service = app.state.service = await run_in_threadpool(Service, app.state.settings)
    loop = asyncio.get_running_loop()
    # Windows has no such signal.
    with suppress(NotImplementedError, AttributeError):
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, service.reload))
    yield


def service_of(request: Request) -> Service:
    """What the requests share."""
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(service_of)]


async def arrow_body(request: Request, service: Shared) -> AsyncIterator[bytearray]:
    """The body, and a place for the batch until it is answered."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
    # A stalled upload takes no place.
    async with service.place():
        yield body


routes = APIRouter()
ASKED = TypeAdapter(Annotated[list[Customer], Field(min_length=1)])
ANSWERED = TypeAdapter(list[ScoredCustomer])
# What /docs shows of a body that is read below.
LIST_OF_CUSTOMERS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Customer"}}}
        },
    }
}


@routes.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@routes.get("/health")
async def health(service: Shared) -> dict[str, Any]:
    """By what model questions are answered. Nobody is answered before there is one, nor after SIGTERM."""
    return {"status": "ready", "model": service.model.about, "reload_error": service.reload_error}


@routes.post("/score")
async def score_one(customer: Customer, service: Shared) -> Score:
    """Score one customer; it takes less than a microsecond, so it needs no thread of its own."""
    return Score.model_construct(**_score(service.model, customer))


@routes.post("/score_batch/json", response_model=list[ScoredCustomer], openapi_extra=LIST_OF_CUSTOMERS)
async def score_list(request: Request, service: Shared) -> Response:
    """Score a list of customers."""
    body = await request.body()
    async with service.place():
        # Others are answered meanwhile: reading thousands of customers takes longer than scoring them.
        found = await run_in_threadpool(_score_all, body, service.model, service.settings.max_json_customers)
    return Response(found, media_type="application/json")


@routes.post("/score_batch/arrow", response_class=Response, responses={200: {"content": {ARROW: {}}}})
async def score_table(body: Annotated[bytearray, Depends(arrow_body)], service: Shared) -> StreamingResponse:
    """Score an RFM table (the columns of `custcore.rfm`), an Arrow IPC stream, and send it back with its scores."""
    # Many customers take a while, in which others are answered.
    table = await run_in_threadpool(scored, body, service.model, service.settings)

    async def answer() -> AsyncIterator[bytes]:
        for chunk in written(table):
            yield chunk

    return StreamingResponse(answer(), media_type=ARROW)


def create_app(settings: Settings) -> FastAPI:
    """Make the application; the model is loaded when it starts."""
    app = FastAPI(title="RFM scores", lifespan=lifespan)
    app.state.settings = settings
    limits = {"/score_batch/json": settings.max_json_bytes, "/score_batch/arrow": settings.max_arrow_bytes}
    app.add_middleware(BodyLimits, settings=settings, limit_of=lambda path: limits.get(path, settings.max_score_bytes))
    # Added last, so it is the outermost.
    app.add_middleware(AccessLog)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    app.include_router(routes)
    return app


def _score(model: Model, customer: Customer, place: str = "") -> dict[str, Any]:
    """Score a customer; what only this model can tell is checked here."""
    wrong = partial(_wrong, place)
    if model.money and customer.monetary is None:
        raise wrong("monetary", "this model needs it, a finite number")
    if model.group is not None and customer.group is None:
        raise wrong("group", f"this model scores within groups and needs it, the customer's {model.group!r}")
    if model.splits_ties and customer.customer_id is None:
        raise wrong("customer_id", "this model decides between equals by it")
    try:
        r, f, m, segment = model.scorer.score_one(
            customer.recency_days,
            customer.frequency,
            customer.monetary,
            customer_id=customer.customer_id if model.splits_ties else None,
            group=customer.group if model.group is not None else None,
        )
    except CustcoreError as error:
        raise wrong("customer", str(error)) from error
    return {"r": r, "f": f, "m": m, "segment": segment}


def _wrong(place: str, field: str, why: str) -> HTTPException:
    return bad_value(f"{place}.{field}" if place else field, why)


def _score_all(body: bytes, model: Model, most: int) -> bytes:
    """Read, score and write a list."""
    try:
        customers = ASKED.validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None
    if len(customers) > most:
        raise too_large(f"{len(customers):,} customers; at most {most:,} are scored at once, more as an Arrow stream")
    return ANSWERED.dump_json(
        [
            ScoredCustomer.model_construct(customer_id=customer.customer_id, **_score(model, customer, str(number)))
            for number, customer in enumerate(customers)
        ]
    )


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Say which field, which value, what is expected."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(part["type"] == "json_invalid" for part in found):
        return JSONResponse({"detail": f"the body is no JSON: {found[0]['ctx']['error']}"}, 400)
    return JSONResponse({"detail": problems(found)}, 422)


async def _failed(_: Request, __: Exception) -> JSONResponse:
    """A bug; the server logs it with its traceback, under the request's id."""
    return JSONResponse({"detail": "internal error"}, 500)
