"""What went wrong and what to do. Key: (Japanese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # -- problems
    "problem.title.400": ("受け取れない内容です", "Bad request"),
    "problem.title.401": ("サインインが必要です", "Sign-in required"),
    "problem.title.403": ("権限がありません", "Forbidden"),
    "problem.title.404": ("見つかりません", "Not found"),
    "problem.title.405": ("この操作はできません", "Method not allowed"),
    "problem.title.409": ("今はできません", "Not possible now"),
    "problem.title.413": ("内容が大きすぎます", "Too large"),
    "problem.title.415": ("形式が違います", "Unsupported media type"),
    "problem.title.416": ("範囲が違います", "Range not satisfiable"),
    "problem.title.422": ("内容に誤りがあります", "Invalid content"),
    "problem.title.500": ("内部の誤りが起きました", "Internal error"),
    "problem.title.502": ("電話交換機に届きません", "The switch is away"),
    "problem.title.503": ("一時的に使えません", "Temporarily unavailable"),
    "problem.signin": (
        "サインインするか、Authorization: Bearer トークンを付けてください。",
        "Sign in, or send Authorization: Bearer with the API token.",
    ),
    "problem.right": ("この操作には「{right}」の権限が必要です。", "This needs the right “{right}”."),
    "problem.csrf": (
        "画面の有効期限が切れています。再読み込みしてください。",
        "The CSRF token is missing or stale. Reload the page.",
    ),
    "problem.origin": ("別のサイトからの要求は受け付けません。", "Requests from another origin are refused."),
    "problem.json": ("JSON として読めません: {why}", "Not valid JSON: {why}"),
    "problem.json_type": (
        "本文は application/json で送ってください。",
        "Send the body as application/json.",
    ),
    "problem.too_large": ("本文は {n} バイトまでです。", "The body may have at most {n} bytes."),
    "problem.fields": ("項目の内容を確かめてください。", "Check the fields named in errors."),
    "problem.no_call": ("通話 {id} はありません。", "There is no call {id}."),
    "problem.no_operator": ("操作者 {id} はいません。", "There is no operator {id}."),
    "problem.no_recording": ("通話 {id} の録音はありません。", "Call {id} has no recording."),
    "problem.engine_away": (
        "通話エンジンに再接続しています。少し待ってからもう一度お試しください。",
        "The call engine is away. Try again in a moment.",
    ),
    "problem.engine_unsure": (
        "通話エンジンから返事がありませんでした。実行された可能性があります。状態を確かめてください。",
        "The call engine did not answer. The command may have been carried out: check the state.",
    ),
    "problem.store_away": (
        "記録のデータベースに届きません。通話は続いています。",
        "The records' database is away. Calls go on.",
    ),
    "problem.busy": (
        "サインインが集中しています。少し待ってからもう一度お試しください。",
        "Too many sign-ins at this moment. Try again shortly.",
    ),
    "problem.internal": (
        "予期しない誤りです。記録しました (番号 {id})。",
        "Something unexpected happened. It was logged (number {id}).",
    ),
    "problem.not_found": ("このページはありません。", "There is no such page."),
    "problem.back": ("はじめの画面へ", "To the start page"),
    "problem.no_secret": (
        "操作者 {id} の電話の設定がまだありません。daihyo up を再起動してください。",
        "There is no phone secret for operator {id} yet. Restart daihyo up.",
    ),
}
