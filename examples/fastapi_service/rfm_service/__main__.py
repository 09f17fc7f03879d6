"""``RFM_SETTING_MODEL=scorer.json python -m rfm_service``."""

from __future__ import annotations

import sys

import uvicorn
from pydantic import ValidationError

from rfm_service.access_log import write_to_stdout
from rfm_service.app import create_app
from rfm_service.connections import protocol
from rfm_service.questions import problems
from rfm_service.settings import PREFIX, Settings


def main() -> None:
    """Start the server with the limits of the settings; it ends on SIGTERM, when all requests are answered."""
    try:
        settings = Settings.of_environment()
    except ValidationError as error:
        found = [
            f"{PREFIX}{part.pop('field').upper()}: {', '.join(part.values())}" for part in problems(error.errors())
        ]
        sys.exit("\n".join(found))
    write_to_stdout()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=protocol(settings),
        ws="none",
        access_log=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


if __name__ == "__main__":
    main()
