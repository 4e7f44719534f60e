"""Receivers of notifications as they are in the world: they take, fail, stall, redirect and come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DRIPS = -1
_DRIPS, _EVERY_S = 40, 0.1


@dataclass
class Receiver:
    """A real HTTP server on the loopback address.

    Attributes:
        answers: status codes of the next answers, the last one for ever; 0 stalls until `release`, and
            `DRIPS` takes some seconds for its answer of success, with a line every now and then.
        taken: bodies with their headers, of every request that came.
    """

    answers: list[int] = field(default_factory=lambda: [204])
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    release: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver(*answers: int, port: int = 0) -> Iterator[Receiver]:
    """A receiver that answers so, one after the other."""
    made = Receiver(answers=list(answers) or [204])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = made.next_answer()
            if answer == 0:
                made.release.wait(30)
                return
            if answer == DRIPS:
                self.drip()
                return
            self.send_response(answer)
            if 300 <= answer < 400:
                self.send_header("location", made.url)
            self.send_header("content-length", "0")
            self.end_headers()

        def drip(self) -> None:
            with suppress(OSError):  # the other side has hung up
                self.wfile.write(b"HTTP/1.1 204 No Content\r\n")
                for _ in range(_DRIPS):
                    made.release.wait(_EVERY_S)
                    self.wfile.write(b"x-slow: yes\r\n")
                self.wfile.write(b"\r\n")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hooks/a-secret-path"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def dripping_mail_server() -> Iterator[int]:
    """A mail server that greets with a line every now and then, for some seconds, and hangs up; its port."""
    ended = threading.Event()

    def greet(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        with taken, suppress(OSError):
            for _ in range(_DRIPS):
                ended.wait(_EVERY_S)
                taken.sendall(b"220-welcome\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        thread.join()
