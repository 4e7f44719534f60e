"""One attempt to tell an address by e-mail."""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
import typing
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.scheduling.notifying.deadline import Deadline
from unity_mlops_mcp.scheduling.notifying.records import Notice

_PERMANENT = 500
_UNSUPPORTED = (
    "Where it does not offer STARTTLS, set UNITY_MLOPS_SMTP_SECURITY to tls (port 465, mostly) or, inside a network "
    "that you trust, to none; where it takes no login, unset UNITY_MLOPS_SMTP_USER."
)


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


def require_server(settings: Settings) -> None:
    """Do nothing where a mail server is set.

    Raises:
        InvalidInputError: none is.
    """
    if settings.smtp_host is None:
        raise InvalidInputError(
            "No mail server is set in this process: UNITY_MLOPS_SMTP_HOST, _FROM, _USER, _PASSWORD and _SECURITY.",
            fix="Set them where every server of this home starts (serve, scheduler, a chat client's server): any of "
            "them may send.",
            cause="no_mail_server",
        )


def send(address: str, notice: Notice, *, message_id: str, settings: Settings, timeout_s: float) -> None:
    """Send it once, in ``timeout_s`` at most; only the look-up of the server's name may take longer.

    Raises:
        RefusedError: the server refused it for good.
        ExternalError: the server could not be reached, or refused it for now.
        InvalidInputError: no mail server is set, or what is set cannot be sent.
    """
    require_server(settings)
    message = _message(address, notice, message_id, settings)
    try:
        with _server(settings, Deadline(timeout_s)) as server:
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _ in error.recipients.values())
        raise _told(settings, code, f"it refused {address}") from None
    except smtplib.SMTPResponseException as error:
        raise _told(settings, error.smtp_code, f"it answered {error.smtp_code}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise ExternalError(
            f"The mail server {settings.smtp_host} did not take it: {str(error).rstrip('.')} "
            f"(UNITY_MLOPS_SMTP_SECURITY is {settings.smtp_security}).",
            fix=_UNSUPPORTED,
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise _told(settings, 0, str(error) or type(error).__name__) from None
    except UnicodeError:  # told without it: it may hold the password
        raise InvalidInputError(
            "The mail server's host, user or password cannot be sent: they must be ASCII.",
            fix="Set UNITY_MLOPS_SMTP_HOST, UNITY_MLOPS_SMTP_USER and UNITY_MLOPS_SMTP_PASSWORD to such ones.",
            cause="mail_settings",
        ) from None


def _server(settings: Settings, deadline: Deadline) -> smtplib.SMTP:
    host, port = str(settings.smtp_host), settings.smtp_port
    if settings.smtp_security == "tls":
        return _TlsServer(deadline, host, port, context=ssl.create_default_context())
    server = _Server(deadline, host, port)
    if settings.smtp_security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


class _Server(smtplib.SMTP):
    """A mail server until a deadline, even when it answers letter by letter."""

    def __init__(self, deadline: Deadline, host: str, port: int, **options: typing.Any) -> None:
        self._deadline = deadline
        super().__init__(host, port, timeout=deadline.left(), **options)

    def send(self, s: typing.Any) -> None:
        """Send it."""
        if self.sock is not None:
            self.sock.settimeout(self._deadline.left())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Its answer."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reader(self.sock, self._deadline))
        return super().getreply()


class _TlsServer(_Server, smtplib.SMTP_SSL):
    """The same, encrypted from the start."""


class _Reader(io.RawIOBase):
    """What comes through a socket until a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: typing.Any) -> int:
        """The next bytes, as soon as there are some."""
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


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
    about = notice.data.model_dump(exclude={"summary", "failure", "outcome", "jobs"}, exclude_none=True)
    facts = {**about, "event": notice.sequence}
    lines = [notice.data.summary, "", *(f"{name}: {value}" for name, value in facts.items())]
    if notice.data.jobs:
        lines += ["", *map(str, notice.data.jobs)]
    if notice.data.failure:
        lines += ["", "What mends it:", notice.data.failure.fix, "", *notice.data.failure.evidence]
    return "\n".join(lines) + "\n"


def _told(settings: Settings, code: int, what: str) -> ExternalError:
    kind = RefusedError if code >= _PERMANENT else ExternalError
    return kind(
        f"The mail server {settings.smtp_host} did not take it: {what.rstrip('.')}.",
        fix="Check UNITY_MLOPS_SMTP_HOST, _PORT, _SECURITY, _USER, _PASSWORD and _FROM, and the server's log.",
    )
