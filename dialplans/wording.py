"""What the centre itself says, with defaults in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from dialplans.fields import Language, Part, Prompt
from dialplans.spoken import Recorded, Said, Translated, Words, prompts_of, spoken

POSITIONS = 20  # beyond, no position is told
WAITS_MIN = (1, 2, 3, 5, 10, 15, 20, 30)  # told waits, rounded up; beyond 30 minutes "long"

WordingName = Literal[
    "survival_greeting",
    "please_wait",
    "sorry_goodbye",
    "wrong_key",
    "no_key",
    "goodbye",
    "position",
    "wait_minutes",
    "wait_long",
    "callback_enter",
    "callback_not_possible",
    "callback_already",
    "callback_unreached",
    "transfer_ringing",
    "transfer_back",
    "harassment_end",
]
ALWAYS: Final[tuple[WordingName, ...]] = (  # what every site needs
    "survival_greeting",
    "please_wait",
    "sorry_goodbye",
    "wrong_key",
    "no_key",
    "goodbye",
    "transfer_ringing",
    "transfer_back",
    "harassment_end",
)
NumberWords = Literal["callback_confirm", "callback_booked"]
NUMBER_WORDS: Final[tuple[NumberWords, ...]] = ("callback_confirm", "callback_booked")
CALLBACK_WORDS: Final[tuple[WordingName, ...]] = (
    "callback_enter",
    "callback_not_possible",
    "callback_already",
)


class Wording(Part):
    """`position` and `wait_minutes` hold {n}; each is spoken beforehand for every n. `callback_confirm` and
    `callback_booked` hold {number}, which is read out digit by digit (`callbacks.said_number`)."""

    survival_greeting: Said = Translated(
        ja="お電話ありがとうございます。ただいま担当者におつなぎします。そのままお待ちください。",
        en="Thank you for calling. Please hold the line, we are connecting you.",
    )
    please_wait: Said = Translated(ja="少々お待ちください。", en="One moment, please.")
    sorry_goodbye: Said = Translated(
        ja="申し訳ございません。ただいまおつなぎできません。しばらくしてから、おかけ直しください。",
        en="We are sorry, we cannot connect you now. Please call again later.",
    )
    wrong_key: Said = Translated(
        ja="そのボタンは、お使いいただけません。", en="Sorry, that key is not in use."
    )
    no_key: Said = Translated(
        ja="ボタンが押されたことを、確認できませんでした。", en="We did not hear a key."
    )
    goodbye: Said = Translated(ja="お電話ありがとうございました。", en="Thank you for calling. Goodbye.")
    position: Words = Translated(
        ja="ただいま、{n}番目にお待ちいただいております。", en="You are number {n} in the queue."
    )
    wait_minutes: Words = Translated(
        ja="おつなぎするまで、およそ{n}分の見込みです。", en="The expected wait is about {n} minutes."
    )
    wait_long: Said = Translated(
        ja="おつなぎするまで、30分以上かかる見込みです。", en="The expected wait is over 30 minutes."
    )
    callback_confirm: Words = Translated(
        ja="おかけ直しする番号は、{number}、です。よろしければ1を、ほかの番号にするには2を押してください。",
        en="We will call {number}. If that is right, press one. For another number, press two.",
    )
    callback_enter: Said = Translated(
        ja="おかけ直しする電話番号を市外局番から押して、最後にシャープを押してください。",
        en="Please enter the number that we shall call, with its area code, then press the hash key.",
    )
    callback_not_possible: Said = Translated(
        ja="申し訳ございません。その番号には、おかけ直しできません。",
        en="We are sorry, we cannot call that number.",
    )
    callback_booked: Words = Translated(
        ja="折り返しを承りました。順番がまいりましたら、{number}、からお電話します。お電話ありがとうございました。",
        en="We will call you back when it is your turn, from the number {number}. Thank you for calling.",
    )
    callback_already: Said = Translated(
        ja="その番号への折り返しは、すでに承っております。順番がまいりましたら、お電話します。",
        en="We have already noted to call that number. We will call when it is your turn.",
    )
    callback_unreached: Said = Translated(
        ja="おつなぎできませんでした。", en="The citizen could not be reached."
    )
    transfer_ringing: Said = Translated(  # to a citizen who is being transferred, before the ringing
        ja="担当の者におつなぎします。そのままお待ちください。",
        en="We are connecting you. Please hold the line.",
    )
    transfer_back: Said = Translated(  # to a citizen whom the target did not answer
        ja="申し訳ございません。担当の者が出られないため、もとの係におつなぎします。",
        en="We are sorry, nobody answers there. We are taking you back to our operator.",
    )
    harassment_end: Said = Translated(  # the scripted end of カスハラ
        ja="恐れ入りますが、このお電話は、これで終わらせていただきます。お電話ありがとうございました。",
        en="We are ending this call now. Thank you for calling.",
    )
    language: Language = "ja"

    def said(self, name: WordingName, language: Language | None = None, n: int | None = None) -> Prompt:
        """The prompt of one of the texts, `n` put in; in `language`, by default the wording's own."""
        return spoken(_filled(getattr(self, name), n), self.language, language)

    def prompt_of(self, name: WordingName) -> str:
        """The prompt key of one of the texts in the wording's own language."""
        return self.said(name).key

    def prompts(self, languages: Iterable[Language]) -> Iterator[Prompt]:
        """What every site needs, in the languages of its calls."""
        for name in ALWAYS:
            yield from prompts_of(getattr(self, name), self.language, languages)

    def callback_prompts(self, languages: Iterable[Language]) -> Iterator[Prompt]:
        """What is said around callbacks, all but the sentences with a number in them."""
        languages = tuple(languages)
        for name in CALLBACK_WORDS:
            yield from prompts_of(getattr(self, name), self.language, languages)
        yield self.said("callback_unreached")  # to operators

    def waiting_prompts(
        self, positions: bool, waits: bool, languages: Iterable[Language]
    ) -> Iterator[Prompt]:
        """Places and expected waits, every number spoken beforehand."""
        said = [_filled(self.position, n) for n in range(1, POSITIONS + 1)] if positions else []
        if waits:
            said += [*(_filled(self.wait_minutes, n) for n in WAITS_MIN), self.wait_long]
        for one in said:
            yield from prompts_of(one, self.language, languages)


def _filled(said: str | Recorded | Translated, n: int | None) -> str | Recorded | Translated:
    if n is None or isinstance(said, Recorded):
        return said
    if isinstance(said, str):
        return said.replace("{n}", str(n))
    put = {
        name: line.replace("{n}", str(n)) if isinstance(line, str) else line
        for name, line in (("ja", said.ja), ("en", said.en))
    }
    return Translated(**put)
