"""The trainer's end of the wire: a gRPC server that one player connects to."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from unity_mlops_mcp.errors import ExternalError, SetupError
from unity_mlops_mcp.protocol import messages

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)
_POLL_S = 0.25
_STOP_GRACE_S = 2.0
_END_S = 1.0
_SHORT_S = 0.02
_WORKERS = 2


class PlayerServer:
    """Listens on a port of this machine; gives what the player sends, and answers it.

    The player calls and we reply, so `receive` gives a request and the next `send` is its reply.

    Args:
        port: where to listen; 0 takes any free one.

    Raises:
        SetupError: the port is taken (cause ``port_in_use``).
    """

    def __init__(self, port: int = 0) -> None:
        self._incoming: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._owed = False
        self._server = grpc.server(ThreadPoolExecutor(_WORKERS), options=_OPTIONS)
        handler = grpc.unary_unary_rpc_method_handler(
            self._exchange,
            request_deserializer=messages.PackedMessage.FromString,
            response_serializer=messages.PackedMessage.SerializeToString,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(messages.SERVICE, {"Exchange": handler}),)
        )
        self.port = self._listen(port)

    def _listen(self, port: int) -> int:
        try:
            bound: int = self._server.add_insecure_port(f"localhost:{port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise SetupError(
                f"Port {port} of this machine is in use.",
                fix="Take another port, or end the trainer or player that holds it.",
                cause="port_in_use",
            )
        self._server.start()
        return bound

    def _exchange(self, request: Any, context: grpc.ServicerContext) -> Any:
        answered = False

        def ended() -> None:
            if not answered:
                self._incoming.put(None)

        context.add_callback(ended)
        self._incoming.put(request)
        reply = self._outgoing.get()
        answered = True
        return reply

    def receive(self, timeout_s: float, *, check: Callable[[], None] = lambda: None) -> Any:
        """The player's next PackedMessage.

        Args:
            timeout_s: how long to wait.
            check: called a few times a second meanwhile; raises to give up early.

        Raises:
            ExternalError: nothing came in time (cause ``player_timeout``), or the connection broke (``player_gone``).
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                message = self._incoming.get(timeout=max(0.0, min(_POLL_S, deadline - time.monotonic())))
            except queue.Empty:
                check()
                if time.monotonic() >= deadline:
                    raise _silent(self.port, timeout_s) from None
                continue
            if message is None:
                _give_time(check)
                raise ExternalError(
                    "The player broke the connection.", fix="Look at the end of the player's log.", cause="player_gone"
                )
            self._owed = True
            return message

    def send(self, message: Any) -> None:
        """Answer the request that `receive` gave last."""
        self._owed = False
        self._outgoing.put(message)

    def close(self) -> None:
        """Tell a waiting player to leave, and stop listening."""
        for _ in range(_WORKERS):
            self._outgoing.put(messages.packed_message(messages.STATUS_STOP))
        self._server.stop(_STOP_GRACE_S if self._owed else None).wait()


def _give_time(check: Callable[[], None]) -> None:
    """Let the system say that the player ended; its connection breaks a moment before that."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        check()
        time.sleep(_SHORT_S)


def _silent(port: int, timeout_s: float) -> ExternalError:
    return ExternalError(
        f"The player said nothing on port {port} for {timeout_s:g} s.",
        fix="See that it needs no click to start, that its agents' Behavior Type is Default, and that it is given "
        "--mlagents-port; a slow player needs a longer time-out. Its log says how far it came.",
        cause="player_timeout",
    )
