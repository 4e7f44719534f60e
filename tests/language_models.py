"""A language model's endpoint in this process: it speaks as three providers do, and well, badly, slowly or never."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request that came: its path, headers in lower case, and body."""

    path: str
    headers: dict[str, str]
    body: Data

    @property
    def provider(self) -> str:
        return "openai" if "/chat/" in self.path else "anthropic" if self.path.endswith("/messages") else "google"

    @property
    def mode(self) -> str:
        """How it asks for structured output."""
        if "tools" in self.body:
            return "tool"
        config = self.body.get("generationConfig", {})
        named = "response_format" in self.body or "output_config" in self.body or "output_format" in self.body
        return "native" if named or {"responseSchema", "responseJsonSchema"} & set(config) else "prompted"

    @property
    def text(self) -> str:
        return json.dumps(self.body, ensure_ascii=False)


@dataclass(frozen=True)
class Reply:
    """What is sent back: a status with a body, which may come in drops or not at all."""

    body: bytes = b""
    status: int = 200
    hangs: bool = False
    drips: bool = False


Behaviour = Callable[[Asked], Reply]


@dataclass
class Endpoint:
    """The endpoint; each request is answered by the next behaviour, the last one again and again."""

    url: str
    script: list[Behaviour]
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, asked: Asked) -> Reply:
        with self.lock:
            behaviour = self.script[min(len(self.asked), len(self.script) - 1)]
            self.asked.append(asked)
        return behaviour(asked)


@contextmanager
def endpoint(*script: Behaviour) -> Iterator[Endpoint]:
    """An endpoint on a free port, closed at the end, whatever it still keeps waiting."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    made = Endpoint(f"http://127.0.0.1:{server.server_address[1]}", list(script))
    server.endpoint = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        made: Endpoint = self.server.endpoint  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = made.reply(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if reply.hangs:
            made.closing.wait(60)
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self._write(reply, made)

    def _write(self, reply: Reply, made: Endpoint) -> None:
        try:
            if not reply.drips:
                self.wfile.write(reply.body)
                return
            for place in range(len(reply.body)):
                self.wfile.write(reply.body[place : place + 1])
                if made.closing.wait(0.05):
                    return
        except OSError:  # the client went away, as it should
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def answers(data: Data) -> Behaviour:
    """The object, in the way that was asked for."""
    return lambda asked: Reply(json.dumps(_shaped(asked, data)).encode())


def says(text: str) -> Behaviour:
    """Plain text, whatever was asked for."""
    return lambda asked: Reply(json.dumps(_text(asked, text)).encode())


def fails(status: int, message: str = "no") -> Behaviour:
    """An HTTP error."""
    reply = Reply(json.dumps({"error": {"message": message, "type": "error"}}).encode(), status)
    return lambda _: reply


def hangs(asked: Asked) -> Reply:  # noqa: ARG001
    """No answer, ever."""
    return Reply(hangs=True)


def drips(asked: Asked) -> Reply:
    """An answer that comes too slowly to be of use."""
    return Reply(json.dumps(_text(asked, "x" * 10_000)).encode(), drips=True)


def floods(asked: Asked) -> Reply:
    """An answer of ten million characters."""
    return Reply(json.dumps(_text(asked, "x" * 10_000_000)).encode())


def unless(modes: set[str], behaviour: Behaviour, status: int = 400) -> Behaviour:
    """As the other behaviour, but a refusal where the request asks in one of these ways, as small servers do."""

    def reply(asked: Asked) -> Reply:
        return fails(status, f"{asked.mode} is not supported")(asked) if asked.mode in modes else behaviour(asked)

    return reply


def _shaped(asked: Asked, data: Data) -> Data:
    if asked.mode != "tool":
        return _text(asked, f"```json\n{json.dumps(data)}\n```" if asked.mode == "prompted" else json.dumps(data))
    if asked.provider == "openai":
        call = {"id": "c1", "type": "function", "function": {"name": "environment", "arguments": json.dumps(data)}}
        return _openai({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")
    if asked.provider == "anthropic":
        return _anthropic({"type": "tool_use", "id": "c1", "name": "environment", "input": data}, "tool_use")
    return _google({"functionCall": {"name": "environment", "args": data}})


def _text(asked: Asked, text: str) -> Data:
    if asked.provider == "openai":
        return _openai({"role": "assistant", "content": text}, "stop")
    if asked.provider == "anthropic":
        return _anthropic({"type": "text", "text": text}, "end_turn")
    return _google({"text": text})


def _openai(message: Data, reason: str) -> Data:
    return {
        "id": "r1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "stand-in",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
    }


def _anthropic(block: Data, reason: str) -> Data:
    return {
        "id": "r1",
        "type": "message",
        "role": "assistant",
        "model": "stand-in",
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 10},
    }


def _google(part: Data) -> Data:
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 10, "totalTokenCount": 20},
        "modelVersion": "stand-in",
    }
