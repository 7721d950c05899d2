"""The ear of the live tests must not be deaf, and must not hear what was not said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dialplans import prompt
from ivr import prepare
from tests.support.heard import RATE, Heard, Samples, contains, sounds, which_prompts

GREETING = "お電話ありがとうございます。いわき市役所です。"
BRANCH = "お電話ありがとうございます。いわき市役所、小名浜支所です。"
NOTICE = "この通話は、応対の品質を高めるために録音しています。"
CLOSED = "お電話ありがとうございます。本日の受付は終了しました。"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    folder: Path = tmp_path_factory.mktemp("sounds")
    prompts = [prompt(text, "ja") for text in (GREETING, BRANCH, NOTICE, CLOSED)]
    prepare(prompts, folder)
    return {one.text: sound for one, sound in zip(prompts, sounds(folder, prompts).values(), strict=True)}


def line(*parts: Samples, noise: float = 0.0) -> Samples:
    """The parts one after another, coarse and noisy as a telephone line makes them."""
    joined: npt.NDArray[np.float64] = np.concatenate(parts) / 32768
    joined = joined + np.random.default_rng(1).normal(0, noise, len(joined))
    return (np.rint(joined * 256) * 128).astype(np.int16)


def silence(for_s: float) -> Samples:
    return np.zeros(int(for_s * RATE), np.int16)


def names(heard: list[Heard]) -> list[tuple[str, bool]]:
    return [(one.name, one.whole) for one in heard]


def test_prompts_are_told_in_order_and_when(spoken: dict[str, Samples]) -> None:
    recording = line(
        silence(1), spoken[BRANCH], silence(0.3), spoken[NOTICE], spoken[CLOSED], spoken[BRANCH], noise=0.003
    )
    heard = which_prompts(recording, spoken)
    assert names(heard) == [(BRANCH, True), (NOTICE, True), (CLOSED, True), (BRANCH, True)]
    assert heard[0].at_s == pytest.approx(1.0, abs=0.02)
    assert heard[0].for_s == pytest.approx(len(spoken[BRANCH]) / RATE, abs=0.02)


def test_a_prompt_that_was_broken_off_is_told_so(spoken: dict[str, Samples]) -> None:
    cut = spoken[NOTICE][: 2 * RATE]
    [first, second] = which_prompts(line(cut, silence(0.2), spoken[CLOSED]), spoken)
    assert (first.name, first.whole, second.name, second.whole) == (NOTICE, False, CLOSED, True)
    assert 1.0 < first.for_s <= 2.0


def test_packets_lost_and_silence_put_in_between_do_not_matter(spoken: dict[str, Samples]) -> None:
    said = spoken[CLOSED]
    torn = [said[:9000], said[9160:14000], silence(0.04), said[14000:]]
    assert names(which_prompts(line(*torn), spoken)) == [(CLOSED, True)]
    holed = [said[:9000], said[12000:]]  # a busy machine: more than a block is gone
    assert names(which_prompts(line(*holed), spoken)) == [(CLOSED, True)]


def test_the_first_and_the_last_moment_of_a_call_may_be_missing(spoken: dict[str, Samples]) -> None:
    recording = line(spoken[CLOSED], silence(0.1), spoken[NOTICE])[RATE // 5 : -RATE // 5]
    assert names(which_prompts(recording, spoken)) == [(CLOSED, True), (NOTICE, True)]
    shorter = line(spoken[CLOSED], silence(0.1), spoken[NOTICE])[:-RATE]
    assert names(which_prompts(shorter, spoken)) == [(CLOSED, True), (NOTICE, False)]


def test_nothing_is_heard_in_silence_noise_or_other_words(spoken: dict[str, Samples]) -> None:
    noise = np.random.default_rng(2).normal(0, 3000, 5 * RATE).astype(np.int16)
    assert which_prompts(silence(5), spoken) == []
    assert which_prompts(noise, spoken) == []
    others = {text: sound for text, sound in spoken.items() if text != NOTICE}
    assert which_prompts(line(spoken[NOTICE]), others) == []
    assert which_prompts(silence(0.01), spoken) == []


def test_a_piece_of_long_music_is_known(spoken: dict[str, Samples]) -> None:
    music = line(*(spoken[text] for text in (GREETING, NOTICE, CLOSED)))
    assert contains(line(music[3 * RATE : 6 * RATE]), music) == 1.0
    assert contains(silence(2), music) == 0.0
    assert contains(line(spoken[BRANCH][-RATE:]), music[: 4 * RATE]) == 0.0
