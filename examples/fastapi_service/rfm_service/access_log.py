"""One line of JSON for each request. It holds neither bodies nor query strings, so no customer."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLog", "write_to_stdout"]

log = logging.getLogger("rfm_service.access")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class AccessLog:
    """Notes when, what, how long, how large, and the answer; a request without an id gets one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and write its line when it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        # What a client may write to the log is bounded.
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
        start, status, came, went = time.perf_counter(), 0, 0, 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return message

        async def answer(message: Message) -> None:
            nonlocal status, went
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            went += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, counted, answer)
        finally:
            client = scope["client"]
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "request_id": request_id.decode(),
                "client": client[0] if client else None,
                "method": scope["method"],
                "path": scope["path"][:200],
                "status": status,
                "ms": round(1_000 * (time.perf_counter() - start), 2),
                "bytes_in": came,
                "bytes_out": went,
            }
            log.info(json.dumps(line))


def write_to_stdout() -> None:
    """Send the lines to stdout, as containers expect; messages of the server go to stderr."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
