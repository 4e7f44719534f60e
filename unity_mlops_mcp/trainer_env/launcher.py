"""Starts mlagents-learn under the trainer's interpreter, patched for current libraries and, in fast mode, for speed.

Usage: ``PYTHON .../trainer_env/launcher.py --mode fast|compat -- <arguments of mlagents-learn>``

It is run by its path, since our package is not installed there. Exit codes are those of mlagents-learn, and 3 where
this trainer cannot be started in the mode asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module, util
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PACKAGE = "_unity_mlops_trainer_env"
MODES = ("fast", "compat")
CANNOT_START = 3
USAGE = "usage: launcher.py --mode fast|compat -- <arguments of mlagents-learn>"


def adopt_package() -> None:
    """Make the modules beside this file importable under a name of their own, and under no generic one."""
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != FOLDER]
    if PACKAGE in sys.modules:
        return
    spec = util.spec_from_file_location(PACKAGE, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{FOLDER} holds no package")
    package = util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def parse(arguments: list[str]) -> tuple[str, list[str]]:
    """The mode, and the arguments of mlagents-learn.

    Raises:
        SystemExit: the arguments are not of the form of USAGE.
    """
    if len(arguments) < 3 or arguments[0] != "--mode" or arguments[1] not in MODES or arguments[2] != "--":  # noqa: PLR2004 - the form of USAGE
        refuse(f"cannot read the arguments {arguments[:3]}; {USAGE}")
    return arguments[1], arguments[3:]


def refuse(reason: str) -> None:
    """Say in one line why the trainer is not started, and leave.

    Raises:
        SystemExit: always, with exit code CANNOT_START.
    """
    sys.stderr.write(f"launcher: {reason}\n")
    raise SystemExit(CANNOT_START)


def main(arguments: list[str]) -> None:
    """Patch this process and hand over to mlagents-learn, which reads ``sys.argv``."""
    mode, trainer_arguments = parse(arguments)
    adopt_package()
    start = import_module(f"{PACKAGE}.start")
    reason = start.refusal(mode)
    if reason:
        refuse(reason)
    sys.argv = ["mlagents-learn", *trainer_arguments]  # its parser takes its name from here when it is imported
    made = start.prepare(mode)
    sys.stderr.write(f"launcher: {mode} mode, patched: {', '.join(made)}\n")  # a run's log says what it ran on
    start.learn()


if __name__ == "__main__":
    main(sys.argv[1:])
elif __name__ == "__mp_main__":  # an environment worker that was spawned, not forked: Windows and macOS
    adopt_package()
    import_module(f"{PACKAGE}.start").prepare_worker()
