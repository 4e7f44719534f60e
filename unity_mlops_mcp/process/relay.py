"""Started by path, by the broker: reads what to start from a file, starts it, and ends. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(orders: Path) -> None:
    """Start the process that the file describes, with its environment, folder and output files."""
    described = json.loads(orders.read_text(encoding="utf-8"))
    orders.unlink()
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    with Path(described["stdout"]).open("ab") as out, Path(described["stderr"]).open("ab") as err:
        subprocess.Popen(  # it lives on without us
            described["argv"],
            cwd=described["cwd"],
            env=described["env"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            close_fds=True,
            **options,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
