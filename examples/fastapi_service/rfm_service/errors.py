"""Requests that are not answered, and why."""

from __future__ import annotations

from fastapi import HTTPException

__all__ = ["bad_body", "bad_value", "busy", "too_large", "too_slow"]


def bad_body(why: str) -> HTTPException:
    """The body cannot be read, or is not a table of customers."""
    return HTTPException(400, why)


def bad_value(field: str, why: str, value: object = None) -> HTTPException:
    """The body can be read, but a value in it is out of bounds; as `questions.problems` words it."""
    problem = {"field": field, "problem": why}
    if value is not None:
        problem["value"] = str(value)
    return HTTPException(422, [problem])


def too_large(why: str) -> HTTPException:
    """More than this service takes at once."""
    return HTTPException(413, why)


def too_slow(why: str) -> HTTPException:
    """A client that keeps a connection and sends nothing. The rest of its request is not waited for."""
    return HTTPException(408, why, {"connection": "close"})


def busy(why: str) -> HTTPException:
    """Nothing is wrong with the request; there are too many of them."""
    return HTTPException(503, why, {"retry-after": "1"})
