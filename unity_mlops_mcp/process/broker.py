"""Windows: start a process outside the job object that a chat client put us in and will kill.

Written after Microsoft's documentation of `Win32_Process.Create`; it has never been run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.process import relay
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.process.files import write_atomically

_CREATE = (
    "$s = New-CimInstance -ClassName Win32_ProcessStartup -ClientOnly -Property @{{ShowWindow = [uint16]0}}; "
    "$r = Invoke-CimMethod -ClassName Win32_Process -MethodName Create "
    "-Arguments @{{CommandLine = '{command}'; ProcessStartupInformation = $s}}; exit $r.ReturnValue"
)


def start(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Have the system's management service start the process.

    The service passes on neither our environment nor our files, so what it starts is `relay.py`, which reads them from
    a file that only this user can read, removes that file, and starts the process.

    Raises:
        SetupError: the service refused; the process would not have outlived the chat client.
    """
    orders = stdout.with_name(f".start-{time.monotonic_ns()}.json")
    described = {"argv": [str(part) for part in argv], "cwd": str(cwd), "env": dict(env)}
    content = json.dumps({**described, "stdout": str(stdout), "stderr": str(stderr)})
    write_atomically(orders, content.encode(), mode=0o600)
    command = subprocess.list2cmdline([sys.executable, str(Path(relay.__file__)), str(orders)]).replace("'", "''")
    shell = ["powershell", "-NoProfile", "-NonInteractive", "-Command", _CREATE.format(command=command)]
    answer = run(shell, timeout_s=30.0)
    if answer.returncode != 0:
        orders.unlink(missing_ok=True)
        raise SetupError(
            f"Windows did not start a background process (Win32_Process.Create gave {answer.returncode}).",
            fix="Allow PowerShell and WMI for this user, or start the server from a terminal: unity-mlops mcp.",
            cause="broker_refused",
            evidence=answer.stderr.splitlines()[-5:],
        )
