"""Alarms by mail (site.mail): SMTP in a thread, several in one mail, tried again until taken."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from dialplans import Mail, Site

from ..texts import Language, texts
from .book import AlarmBook, Entry
from .rules import MAIL
from .shown import sentence

log = logging.getLogger(__name__)

SMTP_TIMEOUT_S = 20.0
GATHER_S = 1.0  # what is raised together goes in one mail
RETRY_S = (5.0, 15.0, 30.0, 60.0)
_OLDEST = timedelta(days=1)


class Mailer:
    """Mails what is put in. `problem`: why the last try failed, None after one that was taken; the alarms
    stay in line until then. What is over meanwhile is mailed all the same, with its end."""

    def __init__(self, book: AlarmBook, site: Callable[[], Site], address: Callable[[], str]) -> None:
        self._book = book
        self._site = site
        self._address = address
        self._waiting: list[Entry] = []
        self._put = asyncio.Event()
        self.problem: str | None = None

    def put(self, entries: list[Entry]) -> None:
        """Alarms just raised. That mail itself does not go is not mailed."""
        wanted = [one for one in entries if one.kind != MAIL]
        if self._settings() is not None and wanted:
            self._waiting += wanted
            self._put.set()

    def take_up(self) -> None:
        """What an earlier console could not send, of the last day."""
        lately = datetime.now(UTC) - _OLDEST
        self.put([one for one in self._book.entries if one.mail_problem and one.at > lately])

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0
        while True:
            await self._put.wait()
            await asyncio.sleep(GATHER_S if not tries else RETRY_S[min(tries, len(RETRY_S)) - 1])
            settings, batch = self._settings(), list(self._waiting)
            if settings is None:  # taken out of the plan meanwhile
                self._done(batch, "no site.mail")
                tries, self.problem = 0, None
                continue
            try:
                await asyncio.to_thread(_send, settings, self._message(settings, batch))
            except (OSError, smtplib.SMTPException, UnicodeError) as error:
                tries += 1
                self.problem = _line(error, settings)
                log.warning("alarms are not mailed: %s", self.problem)
                self._book.mailed(batch, self.problem)
                continue
            tries, self.problem = 0, None
            self._done(batch, None)

    def _done(self, batch: list[Entry], problem: str | None) -> None:
        self._waiting = [one for one in self._waiting if one not in batch]
        if not self._waiting:
            self._put.clear()
        self._book.mailed(batch, problem)

    def _settings(self) -> Mail | None:
        site = self._site()
        return site.mail if site.alarms.mail and site.mail is not None and site.mail.to else None

    def _message(self, settings: Mail, batch: list[Entry]) -> EmailMessage:
        site = self._site()
        words = texts(Language(site.language))
        lines = []
        for one in batch:
            local = one.at.astimezone(site.zone)
            lines.append(f"{local:%Y-%m-%d %H:%M:%S}  {sentence(one, site, words)}")
            if one.over_at is not None:
                over = one.over_at.astimezone(site.zone)
                lines.append(" " * 21 + words("alarms.mail_over", at=f"{over:%H:%M:%S}"))
        first = sentence(batch[0], site, words)
        more = words("alarms.mail_more", n=len(batch) - 1) if len(batch) > 1 else ""
        message = EmailMessage()
        message["Subject"] = f"[{site.centre}] {words('alarms.mail_subject')}: {first}{more}"
        message["From"] = settings.sender
        message["To"] = ", ".join(settings.to)
        message["Date"] = format_datetime(datetime.now(UTC).astimezone(site.zone))
        message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n".join([*lines, "", words("alarms.mail_look", address=self._address()), ""]))
        return message


def _send(settings: Mail, message: EmailMessage) -> None:
    """Blocking. Raises OSError and smtplib.SMTPException; refused for one reader counts as failed."""
    with smtplib.SMTP(settings.host, settings.port, timeout=SMTP_TIMEOUT_S) as server:
        if settings.starttls:
            server.starttls(context=ssl.create_default_context())
        refused = server.send_message(message)
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


def _line(error: Exception, settings: Mail) -> str:
    """What happened, where, on one line."""
    what = " ".join(str(error).split()) or type(error).__name__
    return f"{settings.host}:{settings.port}: {what}"[:300]
