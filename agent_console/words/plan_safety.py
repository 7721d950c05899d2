"""What the plan's pages say before something is done that callers hear at once, and what runs just now. Key:
(Japanese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # -- what runs
    "plan.running.switch": ("受付の切り替え中: {what}", "Switched now: {what}"),
    "plan.running.notice": ("お知らせを流しています: {names}", "Notices on: {names}"),
    "plan.running.asked": ("お知らせの確認待ち: {names}", "Notices to be confirmed: {names}"),
    "plan.running.look": ("切り替えを見る", "Look at the switches"),
    # -- asked once before it is done
    "plan.sure.title": ("確認", "Are you sure?"),
    "plan.sure.opening": (
        "次の着信から、{names}で下の内容が聞こえます({until}まで)。よろしいですか。",
        "From the next call on, callers of {names} hear what is below (until {until}). Go on?",
    ),
    "plan.sure.on": (
        "「{name}」をすべての案内の前に流します。よろしいですか。",
        "“{name}” will stand in front of everything. Go on?",
    ),
    "plan.sure.ask": (
        "「{name}」を流すことを依頼します。もう一人が確認すると流れます。よろしいですか。",
        "You ask for “{name}”. It is on as soon as a second person confirms. Go on?",
    ),
    "plan.sure.confirm": (
        "「{name}」を確認して流します。次の着信から聞こえます。よろしいですか。",
        "You confirm “{name}”: the next call hears it. Go on?",
    ),
    "plan.sure.off": (
        "「{name}」を止めます。次の着信から聞こえなくなります。よろしいですか。",
        "“{name}” will be switched off: the next call no longer hears it. Go on?",
    ),
    "plan.sure.withdraw": (
        "「{name}」の依頼を取り消します。よろしいですか。",
        "The wish for “{name}” will be taken back. Go on?",
    ),
    "plan.sure.numbers": ("流れる番号", "Heard on"),
    "plan.sure.hears": ("聞こえる内容", "Callers hear"),
    "plan.sure.then_asks": ("このあと、ボタンを待ちます。", "Then it waits for a key."),
    "plan.sure.bare": (
        "この番号には時間外の案内がありません。下の一言だけで電話が切れます。",
        "This number has no words for when it is closed: callers hear only this, then it hangs up.",
    ),
    "plan.sure.untold": (
        "この番号の内容は今は分かりません。",
        "What this number's callers would hear cannot be told now.",
    ),
    "plan.sure.yes.opening": ("切り替える", "Switch"),
    "plan.sure.yes.on": ("流す", "Switch on"),
    "plan.sure.yes.ask": ("依頼する", "Ask for it"),
    "plan.sure.yes.confirm": ("確認して流す", "Confirm"),
    "plan.sure.yes.off": ("止める", "Switch off"),
    "plan.sure.yes.withdraw": ("依頼を取り消す", "Take it back"),
    "plan.sure.no": ("やめる", "Leave it"),
    # -- done
    "plan.done.opening": ("受付を切り替えました。", "Switched."),
    "plan.done.clear": ("受付を通常に戻しました。", "Back to the usual hours."),
    "plan.done.on": ("お知らせを流しました。", "The notice is on."),
    "plan.done.asked": (
        "お知らせを依頼しました。もう一人の確認で流れます。",
        "The notice is asked for; a second person's confirmation switches it on.",
    ),
    "plan.done.off": ("お知らせを止めました。", "The notice is off."),
    # -- differences in words
    "plan.no": ("いいえ", "no"),
    "plan.audio.one": ("音声ファイル", "a sound file"),
    "plan.audio.named": ("音声ファイル「{text}」", "sound file “{text}”"),
    "plan.audio.other": ("別の{text}", "another {text}"),
    "plan.layout_changed": ("書き方だけの変更", "only its layout changed"),
    "plan.cannot_compare": (
        "テキストを読み取れないため、項目ごとには比べられません: {why}",
        "The text cannot be read, so it cannot be compared box by box: {why}",
    ),
    # -- going back to an older version
    "plan.back_events": (
        "この版に戻すと、イベント開催情報も次のように変わります。",
        "Going back also changes these events:",
    ),
    "plan.back_events_agree": (
        "イベントの変更も確かめました",
        "I have seen what changes in the events",
    ),
    "plan.error.back_events": (
        "この版に戻すとイベント開催情報が変わります。下の一覧を確かめてください。",
        "Going back changes events. Look at the list below.",
    ),
    "plan.event_gone": ("掲載なし", "not told"),
    "plan.event_same_state": ("内容の変更", "other changes"),
    # -- what was done with versions
    "plan.trail.title": ("反映の記録", "What went live"),
    "plan.trail.live": ("版{n}を反映した", "made version {n} live"),
    "plan.trail.back": ("版{n}に戻した", "went back to version {n}"),
    # -- a box taken out
    "plan.sure.remove": (
        "「{name}」を下書きから削除します。よろしいですか。",
        "“{name}” will be taken out of the draft. Go on?",
    ),
    "plan.sure.yes.remove": ("削除する", "Take it out"),
    "plan.removed": (
        "「{name}」を下書きから削除しました。電話はまだ変わりません。",
        "“{name}” was taken out of the draft. No call changes yet.",
    ),
}
