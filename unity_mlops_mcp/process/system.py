"""What differs by operating system; nothing else in the product asks which one it runs on.

Linux is tested. macOS and Windows follow their documentation.
"""

from __future__ import annotations

import ctypes
import getpass
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

WINDOWS = sys.platform == "win32"
LINUX = sys.platform.startswith("linux")
START_TOLERANCE_S = 0.005 if LINUX else 1.0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_DRIVE_REMOTE = 4  # fileapi.h
_LOCK_RANGE = 1 << 30  # bytes that Windows locks stand for; a shared holder takes one of them


def boot_id() -> str:
    """What names this boot of this machine; empty where the system has no such thing."""
    return _boot_id()


@lru_cache(maxsize=1)
def _boot_id() -> str:
    if LINUX:
        return _text(Path("/proc/sys/kernel/random/boot_id")).strip()
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")
    return _windows_boot_id()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    library, size = ctypes.CDLL(None), ctypes.c_size_t(128)
    buffer = ctypes.create_string_buffer(size.value)
    failed = library.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0)
    return "" if failed else buffer.value.decode()


def _windows_boot_id() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    key = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as handle:
            return str(winreg.QueryValueEx(handle, "BootId")[0])
    except OSError:
        return ""


def pid_namespace() -> str:
    """The namespace in which this process's pids mean something (Linux containers); empty elsewhere."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]") if LINUX else ""
    except OSError:
        return ""


def host_name() -> str:
    """The machine's present name."""
    return socket.gethostname()


class Seen(NamedTuple):
    """A process as the system shows it: when it started, and whether it is more than a zombie."""

    started: float
    running: bool


def look(pid: int) -> Seen | None:
    """The process with this pid, or None.

    It started, on Linux, that many seconds after the boot, which setting the clock does not move; elsewhere that many
    seconds after the epoch, as recorded when the process was made.
    """
    if LINUX:
        return _look_linux(pid)
    try:
        found = psutil.Process(pid)
        return Seen(float(found.create_time()), found.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return None


def _look_linux(pid: int) -> Seen | None:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return Seen(int(after_name[19]) / _ticks(), after_name[0] not in (b"Z", b"X"))  # field 22 of proc(5)


@lru_cache(maxsize=1)
def _ticks() -> int:
    if sys.platform == "win32":
        return 1
    return os.sysconf("SC_CLK_TCK")


def is_running(pid: int, started: float) -> bool:
    """Whether the process with this pid is the one that started then, and runs."""
    seen = look(pid)
    return seen is not None and seen.running and abs(seen.started - started) <= START_TOLERANCE_S


def adopt_orphans() -> None:
    """Have processes that lose their parent below us become our children (Linux; elsewhere nothing is done)."""
    if LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def detached_options() -> dict[str, Any]:
    """Popen's arguments for a process that outlives us and takes none of our terminal's signals."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def child_options() -> dict[str, Any]:
    """Popen's arguments for a child that we may interrupt.

    On Windows it shares our (invisible) console, since CTRL_BREAK reaches no other one.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def interrupt_signal() -> int:
    """The signal that asks a process to save and end."""
    if sys.platform == "win32":
        return signal.CTRL_BREAK_EVENT
    return signal.SIGINT


def kill_signal() -> int:
    """The signal that no process can refuse."""
    if sys.platform == "win32":
        return signal.SIGTERM
    return signal.SIGKILL


def stop_signals() -> tuple[int, ...]:
    """The signals that ask this very process to end."""
    if sys.platform == "win32":
        return (signal.SIGTERM, signal.SIGINT, signal.SIGBREAK)
    return (signal.SIGTERM, signal.SIGINT)


def send_signal(pid: int, started: float, number: int) -> bool:
    """Signal the process when it is still the one that started then; False when it is gone.

    Where the system has pid file descriptors the process cannot be replaced between the look and the signal.
    """
    handle = _open_pid(pid)
    try:
        if not is_running(pid, started):
            return False
        _deliver(pid, handle, number)
    except (ProcessLookupError, PermissionError):
        return False
    else:
        return True
    finally:
        if handle is not None:
            os.close(handle)


def _open_pid(pid: int) -> int | None:
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _deliver(pid: int, handle: int | None, number: int) -> None:
    if sys.platform == "linux" and handle is not None:
        signal.pidfd_send_signal(handle, number)
    else:
        os.kill(pid, number)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that we started with `detached_options`, and its group (on Windows: its children)."""
    if process.poll() is not None:
        return  # its pid may be another one's by now
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return
    for member in psutil.Process(process.pid).children(recursive=True):
        member.kill()
    process.kill()


def inside_job_object() -> bool:
    """Whether this process sits in a Windows job object, which may kill all it started when its owner ends."""
    if sys.platform != "win32":
        return False
    kernel, answer = ctypes.windll.kernel32, ctypes.c_int(0)
    asked = kernel.IsProcessInJob(kernel.GetCurrentProcess(), None, ctypes.byref(answer))
    return bool(asked and answer.value)


def is_remote_drive(anchor: str) -> bool:
    """Whether the root of a Windows path is a share or a mapped network drive."""
    if sys.platform != "win32":
        return False
    return anchor.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(anchor) == _DRIVE_REMOTE


def lock_file(descriptor: int, *, shared: bool) -> bool:
    """Try to lock an open file without waiting; the lock ends with the process at the latest."""
    if sys.platform == "win32":
        return _lock_windows(descriptor, shared=shared)
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_windows(descriptor: int, *, shared: bool) -> bool:
    if sys.platform != "win32":
        return False
    import msvcrt
    import random

    # Windows' C runtime has exclusive ranges only: many holders share by taking one random byte each.
    start, length = (random.SystemRandom().randrange(_LOCK_RANGE), 1) if shared else (0, _LOCK_RANGE)
    os.lseek(descriptor, start, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, length)
    except OSError:
        return False
    return True


def machine_wide_folder(name: str) -> Path:
    """A folder that every user of this machine shares, for lock files; a private one where that cannot be."""
    import tempfile

    shared = Path("/tmp") if Path("/tmp").is_dir() and not WINDOWS else Path(tempfile.gettempdir())  # noqa: S108
    folder = shared / name
    try:
        folder.mkdir(mode=0o1777)
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    if not folder.is_symlink() and os.access(folder, os.W_OK):
        return folder
    private = Path(tempfile.gettempdir()) / f"{name}-{getpass.getuser()}"
    private.mkdir(mode=0o700, exist_ok=True)
    return private
