"""Errors as the API tells them: RFC 9457 problem documents, what is wrong and in which field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from .link import EngineAway, EngineRefused
from .texts import Language, Texts


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="where: `body.state`, `query.limit`; empty for the whole body")
    what: str = Field(description="what is wrong with it")


class ProblemDocument(BaseModel):
    """What every error answer looks like (application/problem+json)."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="a word for programs, in English, stable")
    detail: str = Field(description="a sentence for people, in the language of the request")
    errors: list[FieldError] = Field(default_factory=list)


@dataclass
class Problem(Exception):
    """Raise it anywhere under /api: `Problem(404, "no_call", "problem.no_call", {"id": ...})`."""

    status: int
    code: str
    text: str
    values: dict[str, object]
    errors: Sequence[FieldError] = ()
    headers: dict[str, str] | None = None

    def answer(self, texts: Texts) -> web.Response:
        return problem_answer(
            self.status, self.code, texts(self.text, **self.values), texts, self.errors, self.headers
        )


def problem(status: int, code: str, text: str, **values: object) -> Problem:
    """A Problem whose sentence is the text `text` filled with `values`."""
    return Problem(status, code, text, values)


def problem_answer(
    status: int,
    code: str,
    detail: str,
    texts: Texts,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> web.Response:
    """The answer itself."""
    document = ProblemDocument(
        title=texts.known(f"problem.title.{status}", str(status)),
        status=status,
        code=code,
        detail=detail,
        errors=list(errors),
    )
    return web.Response(
        body=orjson.dumps(document.model_dump()),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


def engine_answer(error: EngineAway | EngineRefused, texts: Texts) -> web.Response:
    """What the engine's absence or refusal becomes."""
    if isinstance(error, EngineAway):
        text = "problem.engine_unsure" if error.unsure else "problem.engine_away"
        return problem_answer(503, "engine_away", texts(text), texts, headers={"Retry-After": "2"})
    message = error.message if texts.language is Language.JA else error.message_en
    status = 404 if error.code.startswith("unknown_") else 409
    return problem_answer(status, error.code, message, texts)


# pydantic's own sentences are English; these are the ones people meet.
_JA = {
    "missing": "必要な項目です",
    "extra_forbidden": "知らない項目です",
    "string_type": "文字列にしてください",
    "string_too_long": "長すぎます (最大 {max_length} 文字)",
    "string_too_short": "短すぎます (最小 {min_length} 文字)",
    "string_pattern_mismatch": "書き方が違います",
    "literal_error": "{expected} のどれかにしてください",
    "enum": "{expected} のどれかにしてください",
    "int_parsing": "整数にしてください",
    "int_type": "整数にしてください",
    "bool_type": "true か false にしてください",
    "greater_than_equal": "{ge} 以上にしてください",
    "less_than_equal": "{le} 以下にしてください",
    "model_attributes_type": "オブジェクト {{…}} にしてください",
    "model_type": "オブジェクト {{…}} にしてください",
    "date_from_datetime_parsing": "日付は 2026-11-21 のように書いてください",
    "datetime_from_date_parsing": "日時は 2026-11-21T08:30:00+09:00 のように書いてください",
    "timezone_aware": "日時には時差を付けてください (例: +09:00)",
}


def field_errors(error: ValidationError, where: str, texts: Texts) -> list[FieldError]:
    """Pydantic's findings as fields of ours; `where` is `body` or `query`."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        context: dict[str, Any] = item.get("ctx") or {}
        template = _JA.get(item["type"]) if texts.language is Language.JA else None
        what = template.format(**context) if template else item["msg"]
        found.append(FieldError(field=".".join([where, *map(str, item["loc"])]), what=what))
    return found
