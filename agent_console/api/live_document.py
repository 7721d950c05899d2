"""/live in the OpenAPI document, which knows no WebSockets: its frames stand in an extension."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..live_socket import CLOSE_SIGNED_OUT, LiveUp
from ..problems import ProblemDocument
from .models import LiveCall, LiveOperator, Out


class LiveDown(Out):
    """A frame to the page: only what has changed since the last one. Which parts come is a matter of rights:
    `me` to `phone_page` of those who have a seat, `operators` to `trend` of those with the right `board`,
    `all_helps` of those who supervise, `alarms` of those with that right."""

    at: str
    full: bool = False  # the first frame: everything
    engine: Literal["connected", "away"] | None = None
    switch: bool | None = None
    waiting: dict[str, Any] | None = None  # count, longest_since
    replaced: bool = False  # another page has taken the seat
    me: LiveOperator | None = None
    call: LiveCall | None = None
    callback: dict[str, Any] | None = None
    helps: list[dict[str, Any]] | None = None
    own_today: dict[str, Any] | None = None
    phone_page: str | None = None
    operators: list[LiveOperator] | None = None
    calls: list[LiveCall] | None = None
    gone: list[str] | None = None
    gone_operators: list[str] | None = None
    kpi: dict[str, Any] | None = None
    callbacks: dict[str, Any] | None = None  # count, now
    trend: Any = None
    all_helps: list[dict[str, Any]] | None = None
    alarms: Any = None


def with_live(document: dict[str, Any]) -> dict[str, Any]:
    """The document with /live in it. Changes and returns what it is given."""
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (LiveDown, "serialization"),
        (LiveUp, "validation"),
    ]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    components = document["components"]["schemas"]
    for name, schema in schemas["$defs"].items():
        components.setdefault(name, schema)
    problem = {
        "application/problem+json": {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}
    }
    refused = {"400": "No WebSocket handshake", "401": "Not signed in", "403": "From another origin"}
    document["paths"]["/live"] = {
        "get": {
            "operationId": "liveSocket",
            "summary": "The live state as it changes (WebSocket)",
            "description": "Frames are JSON objects; see x-websocket. The first one down holds everything.",
            "responses": {
                "101": {"description": "The WebSocket is open"},
                **{code: {"description": why, "content": problem} for code, why in refused.items()},
            },
            "x-websocket": {
                "down": {"$ref": "#/components/schemas/LiveDown"},
                "up": {"$ref": "#/components/schemas/LiveUp"},
                "closes": {
                    "1008": "A frame that is not described here",
                    "1012": "The console restarts: connect again",
                    str(CLOSE_SIGNED_OUT): "The session has ended: sign in again",
                },
            },
        }
    }
    return document
