"""Settings of the service: each an environment variable, ``RFM_SETTING_`` and its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ByteSize, ConfigDict, Field

__all__ = ["PREFIX", "Settings"]

# Kubernetes sets variables such as RFM_SERVICE_PORT for a service of that name.
PREFIX = "RFM_SETTING_"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Bytes = Annotated[ByteSize, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """What the service does, and how much of it at once. Sizes may be written as ``64MiB``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8_000

    # Of one request.
    max_score_bytes: Bytes = ByteSize(4 << 10)
    max_json_bytes: Bytes = ByteSize(4 << 20)
    max_json_customers: Count = 10_000
    max_arrow_bytes: Bytes = ByteSize(64 << 20)
    # What an Arrow body holds once it is decoded: a compressed one may hold a thousand times its size.
    max_arrow_decoded_bytes: Bytes = ByteSize(256 << 20)
    max_arrow_rows: Count = 2_000_000

    # Of all requests together.
    max_connections: Count = 256
    max_upload_bytes: Bytes = ByteSize(256 << 20)
    max_batches: Count = 2
    threads: Count | None = None

    # A head that does not end, a body that pauses, a body that does not end, an answer that is not read.
    head_timeout: Seconds = 10
    read_timeout: Seconds = 10
    upload_timeout: Seconds = 60
    send_timeout: Seconds = 30
    # How long a batch waits for one of `max_batches` places, and requests for their end when the service stops.
    batch_timeout: Seconds = 5
    shutdown_timeout: Count = 30

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; one that is misspelt or out of range is an error that names it."""
        given = {
            name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)
        }
        return cls.model_validate(given)
