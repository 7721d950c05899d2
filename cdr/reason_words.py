"""The words of `why`: short sentences for people who know calls, not programs. Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping

from cdr.transfer_words import TRANSFER_WORDS

WORDS: Mapping[str, Mapping[str, str]] = {
    "ja": {
        "rung": "{at} {who}に呼び出し: {because}。",
        "known_only": "理由の記録はありません",
        "alone": "待機していたのは1人だけだったため",
        "alone_idle": "待機していたのは1人だけだったため（待機{value}）",
        "same_operator": "さきほど応対していた操作者のため",
        "pull": "監督者が待ち行列から自分で受けたため",
        "among": "待機していた{n}人のうち、",
        "chosen": "{group}{why}",
        "chosen_value": "{group}{why}（{value}）",
        "chosen_next": "{group}{why}（{value}。次は{other} {other_value}）",
        "chosen_equal": "{group}{why}（{value}。{other}と同じだったので、{tie}）",
        "longest_idle": "いちばん長く待機していたため",
        "fewest_calls": "在席時間あたりの件数がいちばん少なかったため",
        "least_talk": "在席時間あたりの通話がいちばん短かったため",
        "round_robin": "順番がいちばん先だったため",
        "skill": "技能レベルがいちばん高かったため",
        "other_rule": "規則「{rule}」による順番のため",
        "elsewhere": "規則「{rule}」による。ただし記録の数字では{other}になる",
        "of_level": "技能レベル{level}の{n}人から、",
        "value.level": "レベル{value}",
        "value.calls": "1時間あたり{value}件",
        "value.talk": "1時間あたり{value}",
        "value.last": "前回の呼び出しから最も間がある",
        "value.last_none": "この待ち行列ではまだ呼び出しなし",
        "value.last_other": "その次",
        "tie.idle": "待機の長いほう",
        "tie.offers": "呼び出しの少ないほう",
        "tie.id": "番号の順",
        "levels": "レベル{level}までの操作者が対象。",
        "levels_waited": "{waited}待っていて、レベル{level}までの操作者が対象。",
        "heads": "ほかに待っていた人（{others}）より先: 目標に対していちばん長く待っていたため（{own}）。",
        "head": "{queue} {waited}",
        "head_priority": "{queue} {waited}・優先{priority}",
        "join": "、",
        "answered": "{took}で応答。",
        "called": "操作者が受け、市民に電話した。",
        "no_answer": "{took}鳴らしたが応答なし。",
        "refused": "操作者が断った。",
        "busy": "電話機が話中だった。",
        "unreachable": "電話機につながらなかった。",
        "caller_gone": "市民が電話を切った。",
        "withdrawn": "呼び出しを取り消した。",
        "failed": "障害で呼び出せなかった。",
        "ended": "呼び出しは終わった（{reason}）。",
        "waiting": "{at}から{took}待ち: 受けられる操作者が空いていないか、先に待っている人がいたため。",
        "waiting_for": "{at}から{took}待ち: {who}が空くのを待ったため。",
        "waiting_booked": "{at}から{took}、折り返しの順番待ち（待ち行列での順番はそのまま）。",
        "try": "{at} 折り返しの発信: {how}。",
        "try_next": "{at} 折り返しの発信: {how}。次は{next}。",
        "try.busy": "市民は話中",
        "try.no_answer": "市民は応答なし",
        "try.refused": "市民は受けなかった",
        "try.trunk_full": "外線がふさがっていた",
        "try.operator_gone": "操作者の電話が切れた",
        "try.failed": "障害でつながらなかった",
        "hours": "{h}時間{m:02}分",
        "minutes": "{m}分{s:02}秒",
        "seconds": "{s}秒",
    },
    "en": {
        "rung": "{at} {who} was rung: {because}.",
        "known_only": "the reason was not recorded",
        "alone": "nobody else was free",
        "alone_idle": "nobody else was free (idle {value})",
        "same_operator": "the operator who had this caller before",
        "pull": "the supervisor took the waiting call",
        "among": "of {n} who were free, ",
        "chosen": "{group}{why}",
        "chosen_value": "{group}{why} ({value})",
        "chosen_next": "{group}{why} ({value}; next {other}, {other_value})",
        "chosen_equal": "{group}{why} ({value}; {other} the same, so {tie})",
        "longest_idle": "idle longest",
        "fewest_calls": "fewest calls per time on duty",
        "least_talk": "least talk per time on duty",
        "round_robin": "first in turn",
        "skill": "best skill level",
        "other_rule": 'first by the rule "{rule}"',
        "elsewhere": 'by the rule "{rule}"; yet the recorded figures lead to {other}',
        "of_level": "{n} of level {level}: ",
        "value.level": "level {value}",
        "value.calls": "{value} an hour",
        "value.talk": "{value} an hour",
        "value.last": "rung longest ago",
        "value.last_none": "not rung yet in this queue",
        "value.last_other": "the one after",
        "tie.idle": "whoever was idle longer",
        "tie.offers": "whoever was rung less often",
        "tie.id": "by number",
        "levels": " Operators up to level {level} were asked.",
        "levels_waited": " The caller had waited {waited}; operators up to level {level} were asked.",
        "heads": " Before others who waited ({others}): longest against the target ({own}).",
        "head": "{queue} {waited}",
        "head_priority": "{queue} {waited}, priority {priority}",
        "join": ", ",
        "answered": " Answered after {took}.",
        "called": " The operator took it, and the citizen was called.",
        "no_answer": " It rang for {took} without an answer.",
        "refused": " The operator refused.",
        "busy": " The phone was busy.",
        "unreachable": " The phone could not be reached.",
        "caller_gone": " The citizen hung up.",
        "withdrawn": " The ringing was withdrawn.",
        "failed": " A fault kept it from ringing.",
        "ended": " The ringing ended ({reason}).",
        "waiting": "{at} waited {took}: nobody who could take the call was free, or others were before it.",
        "waiting_for": "{at} waited {took} for {who} to become free.",
        "waiting_booked": "{at} waited {took} to be called back, with the place in the queue.",
        "try": "{at} the citizen was called back: {how}.",
        "try_next": "{at} the citizen was called back: {how}. Again at {next}.",
        "try.busy": "busy",
        "try.no_answer": "no answer",
        "try.refused": "not taken",
        "try.trunk_full": "all lines taken",
        "try.operator_gone": "the operator's phone was gone",
        "try.failed": "a fault",
        "hours": "{h} h {m:02} min",
        "minutes": "{m} min {s:02} s",
        "seconds": "{s} s",
    },
}


class Words:
    """The words of one language; any but `ja` is English."""

    def __init__(self, language: str) -> None:
        known = "ja" if language == "ja" else "en"
        self._words = {**WORDS[known], **TRANSFER_WORDS[known]}

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._words

    def time(self, seconds: float, digits: int = 0) -> str:
        """As people say it: 4分12秒; with `digits` in seconds, so many behind the point: 252.4秒."""
        if digits:
            return self("seconds", s=f"{seconds:.{digits}f}")
        whole = max(0, round(seconds))
        if whole >= 3600:
            return self("hours", h=whole // 3600, m=whole % 3600 // 60)
        return self("minutes", m=whole // 60, s=whole % 60) if whole >= 60 else self("seconds", s=whole)
