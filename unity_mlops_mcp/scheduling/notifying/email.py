"""One attempt to tell an address by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.scheduling.notifying.records import Notice

_PERMANENT = 500


class RefusedError(ExternalError):
    """The mail server refused it for good (5xx); another attempt would be refused too."""

    default_cause = "mail_refused"


def require_address(text: str) -> str:
    """The address, when it is one.

    Raises:
        InvalidInputError: it is none.
    """
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if name or not local or "." not in f"{domain}." or address != text or any(ord(sign) <= ord(" ") for sign in text):
        raise InvalidInputError(f"{text!r} is no e-mail address.", fix="Give one such as team@example.com.")
    return text


def send(address: str, notice: Notice, *, message_id: str, settings: Settings, timeout_s: float) -> None:
    """Send it once.

    Raises:
        RefusedError: the server refused it for good.
        ExternalError: the server could not be reached, or refused it for now.
        InvalidInputError: no mail server is set.
    """
    if settings.smtp_host is None:
        raise InvalidInputError("No mail server is set.", fix="Set UNITY_MLOPS_SMTP_HOST.", cause="no_mail_server")
    message = _message(address, notice, message_id, settings)
    try:
        with _server(settings, timeout_s) as server:
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _ in error.recipients.values())
        raise _told(settings, code, f"it refused {address}") from None
    except smtplib.SMTPResponseException as error:
        raise _told(settings, error.smtp_code, f"it answered {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise _told(settings, 0, str(error) or type(error).__name__) from None


def _server(settings: Settings, timeout_s: float) -> smtplib.SMTP:
    host, port = str(settings.smtp_host), settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=timeout_s)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _message(address: str, notice: Notice, message_id: str, settings: Settings) -> EmailMessage:
    sender = settings.smtp_from or settings.smtp_user or f"unity-mlops@{settings.smtp_host}"
    message = EmailMessage()
    message["From"], message["To"] = sender, address
    message["Subject"] = f"[unity-mlops] {' '.join(notice.data.summary.split())}"[:200]
    message["Date"] = formatdate(notice.timestamp.timestamp())
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message.set_content(_text(notice))
    return message


def _text(notice: Notice) -> str:
    facts = {**notice.data.model_dump(exclude={"summary", "failure"}, exclude_none=True), "event": notice.sequence}
    lines = [notice.data.summary, "", *(f"{name}: {value}" for name, value in facts.items())]
    if notice.data.failure:
        lines += ["", "What mends it:", notice.data.failure.fix, "", *notice.data.failure.evidence]
    return "\n".join(lines) + "\n"


def _told(settings: Settings, code: int, what: str) -> ExternalError:
    kind = RefusedError if code >= _PERMANENT else ExternalError
    return kind(f"The mail server {settings.smtp_host} did not take it: {what}.", fix="Look at the server's settings.")
