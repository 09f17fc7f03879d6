"""Clients that neither send nor read: uvicorn waits without end for a head, and for an answer to be read."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from rfm_service.settings import Settings

__all__ = ["protocol"]


def protocol(settings: Settings) -> type[asyncio.Protocol]:
    """Uvicorn's protocol, with these two waits bounded. Between requests, uvicorn's ``timeout_keep_alive`` applies."""

    class Connection(H11Protocol):
        _head: asyncio.TimerHandle | None = None
        _reading: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._head = self.loop.call_later(settings.head_timeout, self._no_head)

        def handle_events(self) -> None:
            super().handle_events()
            if self._head is not None and self.cycle is not None:
                self._head.cancel()
                self._head = None

        def _no_head(self) -> None:
            body = b'{"detail":"no request arrived in time"}'
            head = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/json\r\n"
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            self.transport.close()

        def pause_writing(self) -> None:
            # The client has to read what is buffered before more is sent.
            super().pause_writing()
            self._reading = self.loop.call_later(settings.send_timeout, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._read()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._read()
            if self._head is not None:
                self._head.cancel()

        def _read(self) -> None:
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            # Closing waits for the client to read the end of an answer.
            self.loop.call_later(settings.send_timeout, self.transport.abort)

    return Connection
