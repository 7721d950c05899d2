"""Ids of legs: never twice, forked or not."""

from __future__ import annotations

import os

import pytest

from engine.serials import serial


@pytest.mark.req("REL-1")
def test_a_forked_engine_gives_none_of_its_parents_ids() -> None:
    before = {serial() for _ in range(3)}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(serial() for _ in range(3)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    forked = os.read(reading, 1000).decode().split()
    os.close(reading)
    os.close(writing)
    assert len(before | set(forked) | {serial()}) == 7
