"""`unity-mlops serve`: from the options to a process that answers until it is told to end."""

from __future__ import annotations

import logging
import socket
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from unity_mlops_mcp.errors import InvalidInputError, SetupError
from unity_mlops_mcp.interfaces.http.application import Application
from unity_mlops_mcp.interfaces.http.logs import configure
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.upkeep import LateApp

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

_LOG = logging.getLogger(__name__)
_SWITCH_S = 0.0005
"""How long a thread that works something out may hold Python's lock while the loop, which serves all, waits for it."""
_GOODBYE_S = 5
"""Seconds that answers under way may take once the service is told to end; runs go on whatever it does."""


def serve(
    options: ServeOptions,
    *,
    browser: bool = False,
    token_file: Path | None = None,
    level: str = "info",
    save_s: float = 0.0,
) -> None:
    """Answer until a signal ends it.

    Args:
        options: where it listens, and its bounds.
        browser: log the browser of this machine in, through a one-time link.
        token_file: a file with an admin's token that was made elsewhere.
        level: what the log tells: debug, info, warning or error.
        save_s: seconds in which running jobs may save when it ends, because they end with it; 0: they do not.

    Raises:
        InvalidInputError: an option cannot be used.
        SetupError: the address is taken.
    """
    options.check()
    sys.setswitchinterval(_SWITCH_S)
    with listener(options) as listening:
        options = replace(options, port=listening.getsockname()[1])
        late = LateApp()
        configure(level, late().settings.secrets)
        _tell_token(late(), token_file)
        application = Application(late, options)
        link = _link(application, options) if browser else None
        sys.stderr.write(_banner(options, browser=browser))
        Service(application, options, link).run(sockets=[listening])
    if save_s:
        _let_save(late, save_s)


class Service(uvicorn.Server):
    """A server that ends live streams as soon as it is told to end, and opens a link once it answers."""

    def __init__(self, application: Application, options: ServeOptions, link: str | None) -> None:
        configuration = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=_GOODBYE_S,
            ssl_certfile=options.certificate,
            ssl_keyfile=options.key,
        )
        super().__init__(configuration)
        self._application, self._link = application, link

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started and self._link:
            webbrowser.open(self._link)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; what is under way is let finish. It is an end as wished, not one by a signal."""
        self._application.end_streams()
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def _banner(options: ServeOptions, *, browser: bool) -> str:
    opening = "" if browser else " (--open logs this machine's browser in)"
    return (
        f"Serving {options.address}: the dashboard at /{opening}, MCP at /mcp and /sse, REST at /api/v1 (described at "
        "/api/v1/openapi.json), figures at /metrics. Ctrl-C ends it.\n"
    )


def _let_save(late: LateApp, seconds: float) -> None:
    try:
        left = late().jobs.interrupt_all(timeout_s=seconds)
    finally:
        late.close()
    if left:
        _LOG.warning("Not saved within %g s: %s; they go on from their last checkpoints.", seconds, ", ".join(left))


def listener(options: ServeOptions) -> socket.socket:
    """A socket that listens where the options say.

    Raises:
        SetupError: the address is taken, or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise SetupError(
            f"The service cannot listen on {options.host}:{options.port}: {error.strerror}.",
            fix=(
                f"If a service of yours answers at {options.address} already, log in there with a token: unity-mlops "
                "token add NAME. Else choose another port with --port (0: any that is free), and an address of this "
                "machine."
            ),
            cause="port_in_use",
        ) from error
    return listening


def _tell_token(app: App, token_file: Path | None) -> None:
    """Show the first token, this once, on standard output, where no log is; or let the given one in."""
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            fix = "Give a text file that this user can read."
            raise InvalidInputError(f"The token's file {token_file} cannot be read: {error}.", fix=fix) from error
        app.tokens.keep(token, name=token_file.name)
        return
    made = app.tokens.first()
    if made is not None:
        sys.stdout.write(f"This is the admin's token. Keep it: it is shown only now.\n\n    {made.token}\n\n")
        sys.stdout.flush()


def _link(application: Application, options: ServeOptions) -> str:
    code = application.door.link()
    if code is None:
        fix = "Make one: unity-mlops token add NAME --scope admin"
        raise InvalidInputError("There is no valid admin's token, so that no browser can be logged in.", fix=fix)
    return f"{options.address}/login/{code}"
