"""The files of a version in Cloud Storage."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.registry.vertex.failures import retrying, told
from unity_mlops_mcp.registry.vertex.records import VertexTarget, VertexUpload

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

_CHUNK = 1 << 20


class Shelf:
    """The bucket, as far as versions of models lie in it.

    Args:
        target: names the bucket.
    """

    def __init__(self, target: VertexTarget) -> None:
        from google.cloud import storage

        self._target = target
        with told(target, "opening the bucket"):
            self._client = storage.Client(project=target.project)
        self._bucket: Bucket = self._client.bucket(target.bucket)

    def there(self, upload: VertexUpload) -> dict[str, str]:
        """What lies in the bucket of a version: name → CRC32C in base 64.

        Raises:
            SetupError: credentials were refused.
            ExternalError: there is no such bucket, or it may not be read.
        """
        target = self._target
        with told(target, f"looking into the bucket {target.bucket}"):
            found = retrying(target)(
                lambda: list(self._client.list_blobs(target.bucket, prefix=upload.prefix, retry=None))
            )()
        return {blob.name: blob.crc32c for blob in found}

    def put(self, upload: VertexUpload, *, report: Callable[[str], None]) -> str:
        """Copy a version's files; what is there and equal is left.

        Args:
            upload: the version.
            report: is told before each file; what it raises ends the copying.

        Returns:
            The folder, ``gs://…/``.

        Raises:
            ExternalError: the service refused or could not be reached.
        """
        there = self.there(upload)
        for path in upload.files:
            name = upload.prefix + path.relative_to(upload.folder).as_posix()
            if there.get(name) == crc32c(path):
                continue
            report(path.name)
            with told(self._target, f"uploading {path.name}"):
                self._put_one(name, path)
        return f"gs://{self._target.bucket}/{upload.prefix}"

    def _put_one(self, name: str, path: Path) -> None:
        """An object appears whole or not at all, so that a new try may begin at its start."""
        send = self._bucket.blob(name).upload_from_filename
        retrying(self._target)(lambda: send(str(path), checksum="crc32c", retry=None))()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def crc32c(path: Path) -> str:
    """The file's CRC32C as Cloud Storage writes it: base 64 of four bytes, the high one first."""
    from google_crc32c import extend

    sum_ = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sum_ = extend(sum_, chunk)
    return base64.b64encode(sum_.to_bytes(4, "big")).decode()
