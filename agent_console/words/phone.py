"""The telephone of a page: its devices, the line's quality, what happens when the network goes.
Key: (Japanese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "phone.settings": ("音声の設定", "Sound Settings"),
    "phone.settings_short": ("設定", "Settings"),
    "phone.settings_title": ("電話の音声", "The phone's sound"),
    "phone.close": ("閉じる", "Close"),
    "phone.mic": ("マイク", "Microphone"),
    "phone.level": ("マイクの音量", "Microphone level"),
    "phone.level_hint": ("話すと棒が動きます。", "Speak: the bar moves."),
    "phone.headset": ("会話を聞くスピーカー（ヘッドセット）", "Loudspeaker for the talk (headset)"),
    "phone.test_headset": ("試しに鳴らす", "Play a sound"),
    "phone.ringer": ("呼出音を鳴らすスピーカー", "Loudspeaker that rings"),
    "phone.test_ring": ("呼出音を試す", "Test the ring"),
    "phone.volume": ("音量", "Volume"),
    "phone.no_choice": (
        "このブラウザーではスピーカーを選べません。パソコンの標準のスピーカーで鳴ります。",
        "This browser cannot choose loudspeakers; the system's own is used.",
    ),
    "phone.quality": ("品質", "Line"),
    "phone.quality_now": ("通話の品質（いま）", "The line now"),
    "phone.q_mos": ("聞こえ方 (MOS 推定)", "Opinion (MOS, estimated)"),
    "phone.q_loss": ("損失", "Loss"),
    "phone.q_jitter": ("ゆらぎ", "Jitter"),
    "phone.q_trip": ("往復", "Round trip"),
    "js.quality.name": ("通話の品質", "Line quality"),
    "js.quality.good": ("良好", "good"),
    "js.quality.fair": ("やや低下", "fair"),
    "js.quality.poor": ("低下", "poor"),
    "js.quality.none": ("通話の品質は、通話中に表示されます", "The line's quality is shown during a call"),
    "js.quality.desk": (
        "電話機の通話の品質は測れません",
        "The quality of a desk phone's line is not measured",
    ),
    "js.quality.title": (
        "MOS {mos} · 損失 {loss} % · ゆらぎ {jitter} ms · 往復 {trip} ms",
        "MOS {mos} · loss {loss} % · jitter {jitter} ms · round trip {trip} ms",
    ),
    "js.quality.advice_fair": (
        "途切れて聞こえることがあります。無線より有線のネットワークが確かです。",
        "The sound may break up at times. A cable is steadier than wireless.",
    ),
    "js.quality.advice_poor": (
        "聞き取りにくい状態です。有線に替える、ほかの通信を止める、電話機に替えるなどしてください。",
        "Hard to understand. Use a cable, stop other traffic, or change to the desk phone.",
    ),
    "js.devices.system": ("パソコンの標準", "The system's own"),
    "js.devices.unnamed": ("（名前のない機器）", "(unnamed device)"),
    "js.devices.lost": (
        "選んだ機器「{name}」がつながっていません。パソコンの標準の機器を使っています。",
        "The chosen device “{name}” is not connected. The system's own is used.",
    ),
    "js.phone.line_away": (
        "サーバーとの線が切れました。つなぎ直しています",
        "The line to the server is lost; reconnecting",
    ),
    "js.phone.sound_away": (
        "音声が途切れました。つなぎ直しています",
        "The sound has broken off; reconnecting",
    ),
    "js.phone.back": ("音声が戻りました", "The sound is back"),
    "js.phone.taken_away": (
        "切れていた間に、この通話は席を離れました。市民が電話を切っていなければ、待ちの先頭で応答を待っています。",
        "While the network was away the call left this seat. Unless they hung up, the citizen waits first.",
    ),
}
