"""One table of operations gives the routes, the checks before each handler, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from ..console import Console, console_of, session_of, texts_of
from ..problems import FieldError, Problem, ProblemDocument, field_errors, problem
from ..rights import Right
from ..security import holds_token
from ..sessions import Session
from ..texts import Language, Texts

_M = TypeVar("_M", bound=BaseModel)

CSRF_HEADER = "X-CSRF-Token"
_JSON = "application/json"


@dataclass
class ApiCall:
    """One request that has passed its checks: signed in, allowed, body and query read."""

    request: web.Request
    console: Console
    session: Session
    texts: Texts
    body: BaseModel | None = None
    query: BaseModel | None = None

    def path(self, name: str) -> str:
        """A variable of the path."""
        return self.request.match_info[name]

    def body_as(self, model: type[_M]) -> _M:
        assert isinstance(self.body, model)  # noqa: S101 - the table promises it
        return self.body

    def query_as(self, model: type[_M]) -> _M:
        assert isinstance(self.query, model)  # noqa: S101 - as above
        return self.query


Handler = Callable[[ApiCall], Awaitable[BaseModel | web.StreamResponse]]


@dataclass(frozen=True)
class Operation:
    """One line of the API. `rights`: holding any of them is enough; empty means every signed-in user.

    The handler decides by itself what a right does not say (own calls, own seat). `media` names the content
    type of an answer that is no JSON.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    id: str
    summary: str
    answer: type[BaseModel] | None = None
    rights: frozenset[Right] = frozenset()
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    media: str | None = None
    max_bytes: int | None = None
    takes: str | None = None
    problems: tuple[int, ...] = field(default=())


def add_routes(app: web.Application, operations: Sequence[Operation]) -> None:
    """Adds the operations to the application's routes."""
    for operation in operations:
        app.router.add_route(operation.method, operation.path, _guarded(operation), name=operation.id)


def _guarded(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def run(request: web.Request) -> web.StreamResponse:
        texts = texts_of(request)
        session = session_of(request)
        if session is None:
            raise Problem(401, "signin", "problem.signin", {}, headers={"WWW-Authenticate": "Bearer"})
        changes = operation.method != "GET" and not holds_token(request)
        if changes and not session.csrf_fits(request.headers.get(CSRF_HEADER)):
            raise problem(403, "csrf", "problem.csrf")
        if operation.rights and not (operation.rights & session.rights):
            raise problem(403, "right", "problem.right", right=" / ".join(sorted(operation.rights)))
        call = ApiCall(request, console_of(request), session, texts)
        if operation.query is not None:
            call.query = _checked(operation.query, dict(request.query), "query", texts, lax=True)
        if operation.body is not None:
            call.body = _checked(
                operation.body, await _json(request, texts, operation.max_bytes), "body", texts
            )
        answer = await operation.handler(call)
        if isinstance(answer, BaseModel):
            return web.Response(body=orjson.dumps(answer.model_dump(mode="json")), content_type=_JSON)
        return answer

    return run


async def _json(request: web.Request, texts: Texts, max_bytes: int | None) -> Any:
    if max_bytes is not None:
        request = request.clone(client_max_size=max_bytes)
    if request.content_type != _JSON:
        raise problem(415, "content_type", "problem.json_type")
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Problem(
            400, "json", "problem.json", {"why": str(error)}, [FieldError(field="body", what=str(error))]
        ) from None


def _checked(model: type[_M], data: Any, where: str, texts: Texts, lax: bool = False) -> _M:
    try:
        return model.model_validate(data, strict=None if lax else True)
    except ValidationError as error:
        raise Problem(422, "fields", "problem.fields", {}, field_errors(error, where, texts)) from None


# -- the document


def openapi(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these operations."""
    models: set[type[BaseModel]] = {ProblemDocument}
    for operation in operations:
        models |= {m for m in (operation.answer, operation.body) if m is not None}
    ordered = sorted(models, key=lambda m: m.__name__)
    _, schemas = models_json_schema(
        [(m, "serialization" if _is_answer(m, operations) else "validation") for m in ordered],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Daihyo", "version": version, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "daihyo_session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _is_answer(model: type[BaseModel], operations: Sequence[Operation]) -> bool:
    return model is ProblemDocument or any(o.answer is model for o in operations)


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _describe(operation: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    if operation.media:
        content = {operation.media: {"schema": {"type": "string", "format": "binary"}}}
        answers["200"] = {"description": "OK", "content": content}
        answers["206"] = {"description": "the range asked for", "content": content}
    elif operation.answer:
        answers["200"] = {"description": "OK", "content": {_JSON: {"schema": _ref(operation.answer)}}}
    codes = {401, 500, *operation.problems}
    codes |= {403} if operation.rights or operation.method != "GET" else set()
    codes |= {422} if operation.query or operation.body or operation.takes else set()
    codes |= {400, 413, 415} if operation.body else {413} if operation.takes else set()
    for code in sorted(codes):
        content = {"application/problem+json": {"schema": _ref(ProblemDocument)}}
        answers[str(code)] = {"description": _why(code), "content": content}
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": answers,
    }
    if operation.rights:
        described["description"] = "Needs one of the rights: " + ", ".join(sorted(operation.rights))
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _variables(operation.path)
    ]
    if operation.query is not None:
        parameters += _query_parameters(operation.query)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": _ref(operation.body)}}}
    if operation.takes is not None:
        content = {operation.takes: {"schema": {"type": "string", "format": "binary"}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _why(code: int) -> str:
    from ..texts import texts

    return texts(Language.EN).known(f"problem.title.{code}", str(code))


def _variables(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": value}
        for name, value in schema["properties"].items()
    ]
