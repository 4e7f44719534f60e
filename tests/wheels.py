"""A package index made by the test: tiny wheels under the names of the managed trainer's packages."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

MODULES = {"mlagents-envs": "mlagents_envs", "pyyaml": "yaml", "pillow": "PIL", "absl-py": "absl"}


def make_wheel(folder: Path, requirement: str, *, payload: int = 0, requires: Iterable[str] = ()) -> Path:
    """A wheel ``name==version`` with one importable module, and ``payload`` bytes that do not compress."""
    name, _, version = requirement.partition("==")
    stem = f"{name.replace('-', '_')}-{version}"
    module = MODULES.get(name.lower(), name.replace("-", "_").lower())
    noise = b"".join(hashlib.sha256(f"{name}{count}".encode()).digest() for count in range(payload // 32))
    needs = "".join(f"Requires-Dist: {other}\n" for other in requires)
    files = {
        f"{module}/__init__.py": f"__version__ = {version!r}\n".encode(),
        f"{module}/noise.bin": noise,
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        record = []
        for file, content in files.items():
            wheel.writestr(file, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{file},sha256={digest},{len(content)}")
        wheel.writestr(f"{stem}.dist-info/RECORD", "\n".join([*record, f"{stem}.dist-info/RECORD,,", ""]))
    return path


class Index:
    """Serves a folder of wheels as a package index on this machine; a file can be made to break off or to hang.

    Args:
        folder: the wheels.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.breaking: set[str] = set()
        self.hanging: set[str] = set()
        self.hung = threading.Event()
        self.let_go = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """What pip is given as its index."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple/"

    def __enter__(self) -> Index:  # noqa: PYI034 - Self is not in Python 3.10's typing
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _listing(self, project: str) -> bytes:
        names = [
            path.name for path in self.folder.glob("*.whl") if _project(path.name.split("-")[0]) == _project(project)
        ]
        return "".join(f'<a href="/files/{name}">{name}</a>\n' for name in names).encode()

    def _handler(index: Index) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's below
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = self.path.strip("/").split("/")
                if parts[0] == "simple":
                    listing = index._listing(parts[-1])
                    self.answer(listing, "text/html", 200 if listing else 404)
                else:
                    self.file(parts[-1].replace("%2B", "+"))

            def file(self, name: str) -> None:
                content = (index.folder / name).read_bytes()
                part = len(content) // 2
                if name.split("-", maxsplit=1)[0] in index.breaking:
                    self.answer(content, "application/zip", 200, sent=part)
                    self.connection.close()
                elif name.split("-", maxsplit=1)[0] in index.hanging:
                    self.answer(content, "application/zip", 200, sent=part)
                    index.hung.set()
                    index.let_go.wait(60)
                else:
                    self.answer(content, "application/zip", 200)

            def answer(self, content: bytes, kind: str, status: int, *, sent: int | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:sent])
                self.wfile.flush()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Keep the tests' output clean."""

        return Handler


def _project(name: str) -> str:
    return name.lower().replace("_", "-")


def make_wheels(folder: Path, requirements: Iterable[str]) -> None:
    """A wheel for each requirement; torch gets a payload, so that its download can be cut in the middle."""
    folder.mkdir(exist_ok=True)
    for requirement in requirements:
        make_wheel(folder, requirement, payload=400_000 if requirement.startswith("torch==") else 0)
