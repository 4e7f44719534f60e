"""A stand-in Unity Editor: laid out on disk like an installed one, it takes the real command line.

What it finds in the project decides where it can: the lock file, packages that do not exist, ``#error`` in a script, a
missing build method, module or scene. ``STAND_IN_UNITY`` names a case of unity_logs.yaml that happens besides. What it
builds is a player of the sandbox: for the spec in the project's ``unity-mlops.json``, else for unity_project.yaml.

``install_editor`` makes the installation; the script itself is what its launcher starts.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CASES = HERE / "unity_logs.yaml"
SPEC = HERE / "unity_project.yaml"
SUPPORT = {"linux64": "LinuxStandaloneSupport", "win64": "WindowsStandaloneSupport", "osx": "MacStandaloneSupport"}
FOREVER_S = 3600.0
_STRINGS = re.compile(r"(?m)^\s*#error\s*(.*)$")


def install_editor(
    folder: Path, version: str = "2022.3.62f3", *, modules: Sequence[str] = tuple(SUPPORT), python: str = sys.executable
) -> Path:
    """Install an Editor as the Hub does, ``<folder>/<version>/Editor/Unity``; gives that path."""
    root = folder / version
    executable = root / "Editor" / "Unity"
    for module in modules:
        (root / "Editor" / "Data" / "PlaybackEngines" / SUPPORT[module]).mkdir(parents=True)
    (root / "Editor" / "Data").mkdir(parents=True, exist_ok=True)
    listed = [{"id": f"{module}-mono", "selected": True} for module in modules]
    (root / "modules.json").write_text(json.dumps(listed), "utf-8")
    script = shlex.join([python, str(Path(__file__).resolve()), "--installed", str(root)])
    executable.write_text(f'#!/bin/sh\nexec {script} "$@"\n', "utf-8")
    executable.chmod(0o755)
    return executable


def cases() -> dict[str, dict[str, Any]]:
    """All cases by name."""
    data: dict[str, dict[str, Any]] = yaml.safe_load(CASES.read_text("utf-8"))
    return data


def say(*lines: str) -> None:
    """Lines of the log, which is standard output."""
    for line in lines:
        print(line, flush=True)


class Editor:
    """One run."""

    def __init__(self, root: Path, words: list[str]) -> None:
        self.root = root
        self.words = words
        self.version = root.name
        self.project = Path(self.value("-projectPath"))
        self.lock = self.project / "Temp" / "UnityLockfile"
        self.case = self._case()

    def value(self, flag: str) -> str:
        """What follows a flag, in any case of its letters; empty without it."""
        places = [place for place, word in enumerate(self.words[:-1]) if word.lower() == flag.lower()]
        return self.words[places[0] + 1] if places else ""

    def _case(self) -> Mapping[str, Any]:
        name = os.environ.get("STAND_IN_UNITY", "")
        case = cases()[name] if name else {}
        used = self.root / f"used-{name}"
        if case.get("once") and used.exists():
            return {}
        if name:
            used.touch()
        return case

    def run(self) -> int:
        """Everything, in the order of a real one; gives the exit code."""
        if {f"UNITY_MLOPS_UNITY_{name}" for name in ("SERIAL", "USERNAME", "PASSWORD")} & set(os.environ):
            say("A secret was left in the environment of the Editor.")
            return 97
        if "-serial" in self.words:
            return self.activate()
        say(
            f"Built from 'staging' branch; Version is '{self.version} (4af31df58517)'",
            "COMMAND LINE ARGUMENTS:",
            *self.words,
            "[Licensing::Client] Successfully resolved entitlement details",
        )
        if self.lock.exists():
            say("Multiple Unity instances cannot open the same project.", "HandleProjectAlreadyOpenInAnotherInstance")
            return 1
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        self.lock.touch()
        code = self.work()
        self.lock.unlink(missing_ok=True)
        return code

    def activate(self) -> int:
        """Take a serial; the one that begins with WRONG is refused, and told with all that belongs to it."""
        say("COMMAND LINE ARGUMENTS:", *self.words)
        if self.value("-serial").startswith("WRONG"):
            who = f"{self.value('-serial')} of {self.value('-username')}"
            say(f"Failed to activate/update license. Serial {who} is wrong")
            return 1
        say(f"Successfully activated license for {self.value('-username')}")
        return 0

    def work(self) -> int:
        code = self.happens("start")
        if code is not None:
            return code
        for step in (self.packages, self.compile, self.method):
            code = step()
            if code is not None:
                return code
        self.imports()
        code = self.happens("build")
        return self.build() if code is None else code

    def happens(self, at: str) -> int | None:
        """Let the case happen if it is due; gives the exit code when the run ends with it."""
        if self.case.get("at") != at:
            return None
        say(*(line.replace("{nonce}", self.value("-mlopsNonce")) for line in self.case.get("lines", ())))
        then = self.case.get("then")
        if then == "hang":
            self.hang()
        if then is not None:
            return None
        if "signal" in self.case:
            os.kill(os.getpid(), signal.Signals[self.case["signal"]])
            time.sleep(FOREVER_S)
        return int(self.case["exit"])

    def hang(self) -> NoReturn:
        """Do nothing for ever, with a worker process that is deaf to signals."""
        deaf = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; time.sleep(3600)"
        subprocess.Popen([sys.executable, "-c", deaf, "-projectPath", str(self.project)])
        (self.root / "hanging").touch()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        time.sleep(FOREVER_S)
        raise SystemExit(1)

    def packages(self) -> int | None:
        """Resolve the manifest: packages of version 9.9.9 do not exist."""
        manifest = json.loads((self.project / "Packages" / "manifest.json").read_text("utf-8"))
        missing = [name for name, version in manifest["dependencies"].items() if version == "9.9.9"]
        if missing:
            say("An error occurred while resolving packages:", "  Project has invalid dependencies:")
            say(*(f"    {name}: Package [{name}@9.9.9] cannot be found" for name in missing))
            return 1
        say(f"[Package Manager] Registered {len(manifest['dependencies'])} packages:")
        return None

    def compile(self) -> int | None:
        """Compile: a script with ``#error`` in it does not."""
        say("[ScriptCompilation] Requested script compilation because: InitialRefresh")
        found = False
        for file in sorted((self.project / "Assets").rglob("*.cs")):
            text = file.read_text("utf-8")
            for hit in _STRINGS.finditer(text):
                found = True
                line = text.count("\n", 0, hit.start(1)) + 1
                where = file.relative_to(self.project).as_posix()
                say(f"{where}({line},8): error CS1029: #error: '{hit[1]}'")
        if found:
            say("Scripts have compiler errors.", "Aborting batchmode due to failure:")
            return 1
        say("Begin MonoManager ReloadAssembly")
        return None

    def method(self) -> int | None:
        """Find the method that is to be executed."""
        named = self.value("-executeMethod")
        spaces, _, name = named.rpartition(".")[0].rpartition(".")
        texts = [file.read_text("utf-8") for file in (self.project / "Assets").rglob("Editor/**/*.cs")]
        if any(f"namespace {spaces}" in text and f"class {name}" in text for text in texts):
            return None
        say(f"executeMethod class '{spaces}.{name}' could not be found.", f"Argument was -executeMethod {named}")
        return 1

    def imports(self) -> None:
        """Import what is new into the Library."""
        ledger = self.project / "Library" / "stand-in.json"
        known = json.loads(ledger.read_text("utf-8")) if ledger.exists() else {}
        for file in sorted((self.project / "Assets").rglob("*")):
            name = file.relative_to(self.project).as_posix()
            if file.is_file() and file.suffix != ".meta":
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                if known.get(name) != digest:
                    say(f"Start importing {name} using Guid({digest[:32]}) Importer(-1,00000000)")
                known[name] = digest
                file.with_name(f"{file.name}.meta").touch()
        ledger.parent.mkdir(exist_ok=True)
        ledger.write_text(json.dumps(known), "utf-8")

    def build(self) -> int:
        """What our build script does."""
        target = self.value("-mlopsTarget")
        if not (self.root / "Editor" / "Data" / "PlaybackEngines" / SUPPORT[target]).is_dir():
            say(f"[UNITY-MLOPS] problem=module {target}")
            return 12
        maker, scenes = self.value("-mlopsSceneClass"), [s for s in self.value("-mlopsScenes").split(";") if s]
        if maker:
            say("[UNITY-MLOPS] stage=scene")
            texts = [file.read_text("utf-8") for file in (self.project / "Assets").rglob("Editor/**/*.cs")]
            if not any(f"class {maker}" in text for text in texts):
                say(f"[UNITY-MLOPS] error=System.InvalidOperationException: There is no class {maker}.")
                return 105
        for scene in scenes:
            if not (self.project / scene).is_file():
                say(f"[UNITY-MLOPS] problem=scene there is no file {scene}")
                return 104
        say("[UNITY-MLOPS] stage=build", "DisplayProgressbar: Building Player")
        return self.output(Path(self.value("-mlopsOutput")), int(self.value("-mlopsAreas") or 4))

    def output(self, player: Path, areas: int) -> int:
        """Write the player, and say how it went, as the case wants it."""
        then = self.case.get("then") if self.case.get("at") == "build" else None
        if then != "marker":
            data = player.with_name(f"{player.stem}_Data")
            write_player(player, data, self.spec(), areas, self.case.get("player"))
            if then == "vanish":
                (data / "spec.json").unlink()
                (data / "globalgamemanagers").unlink()
                data.rmdir()
        if then != "unmarked":
            nonce = self.value("-mlopsNonce")
            say(f"[UNITY-MLOPS] result=Succeeded errors=0 warnings=2 size=123456 nonce={nonce} path={player}")
        if then == "crash_after":
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(FOREVER_S)
        say("Exiting batchmode successfully now!")
        return 0

    def spec(self) -> dict[str, Any]:
        """The environment that the player simulates."""
        record = self.project / "unity-mlops.json"
        text = record.read_text("utf-8") if record.exists() else SPEC.read_text("utf-8")
        data: dict[str, Any] = yaml.safe_load(text)
        spec: dict[str, Any] = data.get("spec", data)
        return spec


def write_player(
    player: Path, data: Path, spec: Mapping[str, Any], areas: int, test_player: Sequence[str] | None
) -> None:
    """The executable and its data."""
    data.mkdir(parents=True)
    (data / "globalgamemanagers").write_bytes(os.urandom(64))
    (data / "spec.json").write_text(json.dumps(spec), "utf-8")
    words = [sys.executable, str(HERE / "unity_player.py"), str(data / "spec.json"), str(areas)]
    if test_player is not None:
        words = [sys.executable, str(HERE / "player.py"), *test_player]
    player.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY))} exec {shlex.join(words)} "$@"\n', "utf-8")
    player.chmod(0o755)


def main(words: list[str]) -> int:
    root = Path(words[words.index("--installed") + 1])
    rest = words[words.index("--installed") + 2 :]
    if rest == ["-version"]:
        say(root.name)
        return 0
    return Editor(root, rest).run()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
