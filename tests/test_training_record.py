"""The records of a run that something else wrote into."""

from __future__ import annotations

from pathlib import Path

import pytest

from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.record import read_record


@pytest.mark.parametrize("content", [b"", b'{"attempts": [', b"[1]", b"\xff\xfe"])
def test_a_record_that_cannot_be_read_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    folder = RunFolder(tmp_path)
    folder.record.write_bytes(content)
    assert read_record(folder) == {}
