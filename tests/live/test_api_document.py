"""The API against its own document: schemathesis makes requests from /api/openapi.json, as every role, and
looks at the answers. A real centre answers, so that what the engine makes of them is seen too."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from agent_console import set_password
from agent_console.api.live_document import LiveDown
from store import Store
from tests.support.centre import Centre, centre
from tests.support.phones import phones
from tests.support.site import NUMBER, site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PASSWORD = "minato-bashi-7"
USERS = [
    {"login": "op01", "name": "操作者01", "role": "operator", "operator": "1001"},
    {"login": "sv01", "name": "監督", "role": "supervisor", "operator": "1002"},
    {"login": "staff01", "name": "市民課", "role": "staff"},
    {"login": "admin", "name": "管理者", "role": "administrator"},
    {"login": "audit", "name": "監査", "role": "auditor"},
]
EXAMPLES = 4  # requests of each operation, each made by everybody
# They start work that lasts seconds; one request says as much as many.
SLOW = {"whatIf", "previewSound", "activatePlan"}


@dataclass
class Caller:
    """Somebody who uses the API: what is sent with each request."""

    login: str
    web: str
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self) -> Caller:
        if self.login == "token":
            return self
        form = self.session.get(self.web + "/signin", timeout=30).text
        token = _found(r'name="token" value="([^"]+)"', form)
        data = {"login": self.login, "password": PASSWORD, "token": token, "next": ""}
        answer = self.session.post(self.web + "/signin", data=data, timeout=30, allow_redirects=False)
        assert answer.status_code == 303, answer.text[:300]
        page = self.session.get(self.web + "/account", timeout=30).text
        self.session.headers["X-CSRF-Token"] = _found(r'name="csrf" value="([^"]+)"', page)
        return self


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text[:500]
    return found[1]


def operations(document: dict[str, Any]) -> Iterator[Any]:
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        yield result.ok()


def checked(operation: Any, callers: list[Caller], known: dict[str, str]) -> list[str]:
    """What is wrong with the answers to some requests of one operation, made by each of the callers; half of
    the requests name things that are there."""
    wrong: list[str] = []
    slow = operation.definition.raw.get("operationId") in SLOW

    @seed(1)
    @settings(
        max_examples=1 if slow else EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), there=st.booleans())
    def ask(case: Any, there: bool) -> None:
        if there and case.path_parameters:
            for name in case.path_parameters.keys() & known.keys():
                case.path_parameters[name] = known[name]
        for caller in callers:
            answer = case.call(base_url=caller.web, session=caller.session, timeout=30)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as problem:
                wrong.append(f"{caller.login} {operation.label}: {problem}")

    ask()
    return wrong


@pytest.mark.long
@pytest.mark.req("SEC-1", "SEC-4")
@pytest.mark.timeout(300)
async def test_the_api_answers_as_its_document_says_whoever_asks_whatever(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2, users=USERS)) as running, phones() as sip:
        call = await _one_call(running, sip)
        store = await Store.open(running.state.sqlite_url)
        for user in USERS:
            await set_password(store, user["login"], PASSWORD)
        await store.close()
        known = {"call": call, "operator": "1001", "version": "1", "place": "1", "case": "1", "entry": "1"}
        found = await asyncio.to_thread(_all_roles, running, known)
        assert not found, "\n\n".join(found)
        await _frames_are_described(running)
        # Nothing of all that has hurt the centre.
        await running.control.do("operator.state", operator="1001", state="ready")


async def _frames_are_described(running: Centre) -> None:
    """The first frame of /live, as the document has it, with nothing in it that is not described."""
    token = {"Authorization": f"Bearer {_secrets(running)['api_token']}"}
    async with (
        aiohttp.ClientSession(headers=token) as session,
        session.ws_connect(running.web + "/live") as socket,
    ):
        first = await socket.receive_json(timeout=10)
        assert first["full"] is True
        assert first.keys() <= LiveDown.model_fields.keys()
        assert [one.id for one in LiveDown.model_validate(first).operators or []] == ["1001", "1002"]
        await socket.send_json({"ping": True})
        while (await socket.receive_json(timeout=10)).keys() != {"at"}:
            pass


async def _one_call(running: Centre, sip: Any) -> str:
    desk = await sip.desk(running.phone("1001"))
    await running.ready_operator("1001")
    citizen = await sip.call(running.sip, NUMBER, "09012345678")
    await desk.talk()
    await running.control.phase_is("talking")
    await citizen.hangup()
    [record] = await running.ended(1)
    return str(record.call)


def _all_roles(running: Centre, known: dict[str, str]) -> list[str]:
    document = requests.get(running.web + "/api/openapi.json", timeout=30).json()
    document["servers"] = [{"url": running.web}]
    token = Caller("token", running.web)
    token.session.headers["Authorization"] = f"Bearer {_secrets(running)['api_token']}"
    callers = [Caller(user["login"], running.web).sign_in() for user in USERS] + [token]
    return [one for operation in operations(document) for one in checked(operation, callers, known)]


def _secrets(running: Centre) -> dict[str, Any]:
    secrets: dict[str, Any] = json.loads(running.state.secrets.read_text())
    return secrets
