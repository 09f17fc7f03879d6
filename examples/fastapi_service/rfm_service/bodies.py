"""Limits on the bodies of requests: their size, all of them together, and how long they may take to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rfm_service.errors import bad_body, busy, too_large, too_slow
from rfm_service.settings import Settings

__all__ = ["BodyLimits"]


class BodyLimits:
    """Counts while a body arrives, whatever its Content-Length says.

    The errors are raised where the application reads the body, so that they are answered like its own.
    """

    def __init__(self, app: ASGIApp, settings: Settings, limit_of: Callable[[str], int]) -> None:
        self.app = app
        self.settings = settings
        self.limit_of = limit_of
        # Bytes of the bodies of all requests that are not answered yet.
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that is watched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.upload_timeout
        size, complete = 0, False

        async def watched() -> Message:
            nonlocal size, complete
            if complete:
                # What follows is that the client left, whenever it does.
                return await receive()
            # What is announced need not be read.
            if int(declared) > limit:
                raise _larger(limit)
            wait = min(self.settings.read_timeout, end - loop.time())
            try:
                async with asyncio.timeout(max(wait, 0)):
                    message = await receive()
            except TimeoutError:
                raise too_slow(self._why(size)) from None
            if message["type"] == "http.disconnect":
                raise bad_body(f"the connection ended after {size:,} bytes of the body")
            arrived = len(message.get("body", b""))
            size += arrived
            self.held += arrived
            if size > limit:
                raise _larger(limit)
            if self.held > self.settings.max_upload_bytes:
                raise busy("too many bodies at once; try again")
            complete = not message.get("more_body", False)
            return message

        try:
            await self.app(scope, watched, send)
        finally:
            self.held -= size

    def _why(self, size: int) -> str:
        read, upload = self.settings.read_timeout, self.settings.upload_timeout
        return (
            f"the body did not arrive in time, {size:,} bytes of it did; "
            f"expected more every {read:g} seconds, and all of it within {upload:g}"
        )


def _larger(limit: int) -> Exception:
    return too_large(f"the body is larger than {limit:,} bytes; send the customers in several requests")
