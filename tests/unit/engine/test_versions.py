"""Versions of the plan as the engine holds them: read, kept for their calls, let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialplans import SiteError
from engine.versions import Plan, Versions, live_version, read, read_now, write_live
from tests.support.planned import CITY, EVENTS, plan, put_version


def put(folder: Path, version: int, **changes: Any) -> Path:
    return put_version(folder, version, plan(5099, **changes))


@pytest.mark.req("ADM-1")
async def test_read_in_parts_it_is_the_same_plan(tmp_path: Path) -> None:
    yaml = put(tmp_path, 3)
    at_once = read_now(yaml.parent, 3)
    in_parts = await read(yaml.parent, 3)
    assert in_parts.site == at_once.site
    assert in_parts.site.model_dump() == at_once.site.model_dump()
    assert (in_parts.version, in_parts.sha256) == (3, at_once.sha256)
    assert len(in_parts.sha256) == 64
    yaml.with_suffix(".json").unlink()  # the text alone will do
    assert (await read(yaml.parent, 3)).site == at_once.site


@pytest.mark.req("ADM-1", "REL-1")
@pytest.mark.parametrize("json", ["", "{", "[]", '{"city": "x"}', '{"city": 5}', '{"colour": "red"}'])
async def test_a_damaged_json_is_passed_over(tmp_path: Path, json: str) -> None:
    yaml = put(tmp_path, 3)
    whole = read_now(yaml.parent, 3).site
    yaml.with_suffix(".json").write_text(json)
    assert read_now(yaml.parent, 3).site == whole
    assert (await read(yaml.parent, 3)).site == whole


async def test_what_is_missing_or_wrong_is_told(tmp_path: Path) -> None:
    folder = put(tmp_path, 3).parent
    for version in (4, 5):
        with pytest.raises(SiteError):
            read_now(folder, version)
        with pytest.raises(SiteError):
            await read(folder, version)
        (folder / "5.yaml").write_text("city: [")


@pytest.mark.req("ADM-1", "REL-1")
def test_a_start_takes_the_live_version_or_the_site_file(tmp_path: Path) -> None:
    yaml = put(tmp_path, 3)
    assert Versions.open(None, yaml).live.version is None
    assert Versions.open(yaml.parent, yaml).live.version is None  # nothing is live yet
    write_live(yaml.parent, 3)
    assert live_version(yaml.parent) == 3
    assert Versions.open(yaml.parent, tmp_path / "none").live.version == 3
    (yaml.parent / "live").write_text("three")
    assert live_version(yaml.parent) is None


@pytest.mark.req("ADM-1", "REL-1")
async def test_versions_stay_as_long_as_calls_are_on_them(tmp_path: Path) -> None:
    folder = put(tmp_path, 1).parent
    write_live(folder, 1)
    versions = Versions.open(folder, tmp_path / "none")
    first = versions.live
    put(tmp_path, 2)
    second = await read(folder, 2)
    await versions.make_live(second)
    assert (versions.live, live_version(folder)) == (second, 2)
    versions.let_go([1, None])
    assert versions.of(1) is first
    versions.let_go([2])
    again = versions.of(1)  # after a restart: read once more
    assert again is not first
    assert again.site == first.site
    for kind in ("yaml", "json"):
        (folder / f"1.{kind}").unlink()
    versions.let_go([])
    assert versions.of(1) is second  # it cannot be had any more


@pytest.mark.req("NUM-1", "ADM-1")
async def test_a_number_that_comes_or_goes_is_known_in_that_moment(tmp_path: Path) -> None:
    folder = put(tmp_path, 1).parent
    write_live(folder, 1)
    versions = Versions.open(folder, tmp_path / "none")
    numbers = plan(5099)["numbers"]
    put(tmp_path, 2, numbers=[{**numbers[0], "number": "0246-22-7777"}, *numbers[1:]])
    coming = await read(folder, 2)
    assert versions.number("0246227777")[1].digits == CITY  # nobody's: the first
    versions.coming = coming
    assert versions.number("0246227777") == (coming, coming.site.numbers[0])
    versions.coming = None
    before = versions.live
    await versions.make_live(coming)
    assert versions.number(CITY) == (before, before.site.numbers[0])
    assert isinstance(versions.live, Plan)


@pytest.mark.req("NUM-1")
def test_numbers_from_which_a_queue_can_be_reached(tmp_path: Path) -> None:
    content = plan(5099)
    content["notices"][0]["next"] = "queue:main"  # when switched on alone: no matter
    numbers = read_now(put(tmp_path, 1, **content).parent, 1)
    every = {one.digits for one in numbers.site.numbers}
    assert numbers.queueing == every - {EVENTS}
