"""Frame, sign-in and account. Key: (Japanese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # -- frame
    "nav.seat": ("席", "Seat"),
    "nav.board": ("状況", "Board"),
    "nav.calls": ("通話一覧", "Calls"),
    "nav.account": ("アカウント", "Account"),
    "nav.signout": ("サインアウト", "Sign out"),
    "nav.skip": ("本文へ移動", "Skip to content"),
    "nav.pages": ("画面", "Pages"),
    "nav.main": ("画面の移動", "Pages"),
    "nav.language": ("English", "日本語"),
    "frame.engine_away": (
        "通話エンジンに再接続しています。通話中の会話は続いています。表示は最後に届いた状態です。",
        "Reconnecting to the call engine. Conversations go on; what you see is the last known state.",
    ),
    "frame.live_away": (
        "画面サーバーに再接続しています。通話中の会話は続いています。",
        "Reconnecting to the console. Conversations go on.",
    ),
    "frame.switch_away": (
        "電話交換機に再接続しています。",
        "Reconnecting to the telephone switch.",
    ),
    "frame.no_bundle": (
        "画面の部品がまだ作られていません。make setup を実行してください。",
        "The browser bundle has not been built. Run make setup.",
    ),
    "js.frame.more": ("横に動かすと続きがあります →", "more to the right →"),
    "frame.noscript": (
        "この画面は JavaScript が必要です。ブラウザーの設定で有効にしてください。",
        "This page needs JavaScript. Please allow it in the browser's settings.",
    ),
    # -- sign-in
    "signin.title": ("サインイン", "Sign in"),
    "signin.login": ("ログイン名", "Login"),
    "signin.password": ("パスワード", "Password"),
    "signin.submit": ("サインイン", "Sign in"),
    "signin.wrong": (
        "ログイン名またはパスワードが違います。5回続けて間違えると15分間サインインできなくなります。",
        "Login or password is wrong. After five wrong attempts in a row you must wait 15 minutes.",
    ),
    "signin.locked": (
        "間違いが続いたため、このログイン名は一時的に使えません。{minutes}分後にもう一度お試しください。"
        "お急ぎの場合は管理者にご連絡ください。",
        "Too many wrong attempts: this login is locked for {minutes} minutes. The administrator can help.",
    ),
    "signin.stale": (
        "画面を開いてから時間がたちました。もう一度入力してください。",
        "This form was open too long. Please enter it again.",
    ),
    "signin.expired": (
        "しばらく操作がなかったため、サインアウトしました。",
        "You were signed out after a time without activity.",
    ),
    "signin.signed_out": ("サインアウトしました。", "You are signed out."),
    "signin.help": (
        "パスワードを忘れたときは、管理者に再設定を依頼してください。",
        "If you forgot your password, ask the administrator to reset it.",
    ),
    "signin.citizen": ("市民の電話を開く (お試し用)", "Open the citizen's phone (demo)"),
    # -- account
    "account.title": ("アカウント", "Account"),
    "account.change": ("パスワードの変更", "Change password"),
    "account.current": ("今のパスワード", "Current password"),
    "account.new": ("新しいパスワード (10文字以上)", "New password (at least 10 characters)"),
    "account.again": ("新しいパスワード (もう一度)", "New password (again)"),
    "account.submit": ("変更する", "Change"),
    "account.done": (
        "パスワードを変更しました。ほかの端末のサインインは終了しました。",
        "Your password is changed. Sign-ins on other devices have ended.",
    ),
    "account.wrong": ("今のパスワードが違います。", "The current password is wrong."),
    "account.differ": ("新しいパスワードが一致しません。", "The new passwords differ."),
    "account.same": (
        "今と同じパスワードは使えません。",
        "The new password must differ from the current one.",
    ),
    "account.must": (
        "続ける前に、パスワードを変更してください。",
        "Please change your password before you go on.",
    ),
    "account.role": ("役割", "Role"),
    "account.last": ("最近のサインイン", "Recent sign-ins"),
    "account.last_empty": ("まだ記録がありません。", "None yet."),
    "account.action.sign_in": ("サインイン", "Signed in"),
    "account.action.sign_in_failed": ("サインイン失敗", "Failed"),
    "account.action.locked_out": ("一時停止 (間違い5回)", "Locked out"),
    "password.too_short": ("パスワードは10文字以上にしてください。", "Use at least 10 characters."),
    "password.too_long": ("パスワードは200文字以内にしてください。", "Use at most 200 characters."),
    "password.has_login": (
        "パスワードにログイン名を含めないでください。",
        "Do not use the login in the password.",
    ),
    "password.too_simple": ("同じ文字の繰り返しは使えません。", "Use at least five different characters."),
    "role.operator": ("操作者", "Operator"),
    "role.supervisor": ("統括責任者", "Supervisor"),
    "role.staff": ("市職員", "City staff"),
    "role.administrator": ("管理者", "Administrator"),
    "role.auditor": ("監査", "Auditor"),
    "role.system": ("プログラム", "Program"),
    # -- rights, as a refusal names them
    "right.seat": ("操作者の席", "operator's seat"),
    "right.board": ("状況の表示", "live board"),
    "right.calls.own": ("自分の通話の一覧", "own calls"),
    "right.calls.all": ("すべての通話の一覧", "all calls"),
    "right.supervise": ("通話の支援 (聴取・助言・参加・引取)", "listen, whisper, join, take over"),
    "right.directory.read": ("職員録の閲覧", "staff directory"),
    "right.directory.edit": ("職員録の入れ替え", "exchange the staff directory"),
    "right.cases": ("折り返し・案件", "callbacks and cases"),
    "right.alarms": ("警報", "alarms"),
    "right.wall": ("掲示画面のリンク", "wall screen links"),
}
