"""The managed trainer is made from pins, whatever breaks off meanwhile; pip, venv and the index are real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest

from tests.wheels import Index, make_wheel, make_wheels
from unity_mlops_mcp.config import Settings, settings
from unity_mlops_mcp.errors import ExternalError, MlopsError, SetupError
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.training.trainer.environment import find_trainer, interpreter_of, managed_folder, opened_cache
from unity_mlops_mcp.training.trainer.install import Step, install_trainer
from unity_mlops_mcp.training.trainer.interpreters import choose, inspect
from unity_mlops_mcp.training.trainer.pip import Course, failure

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 11, 30, tzinfo=timezone.utc)
LIST = pins.list_for(sys.version_info[:2]) if pins.fits(sys.version_info[:2]) else "modern"
IMPORTS = "import mlagents, mlagents_envs, torch, numpy; print(torch.__version__)"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with tiny wheels of all pins, which pip is configured to use, and no other."""
    make_wheels(tmp_path / "wheels", [*pins.packages(LIST), pins.torch_requirement(LIST)])
    with Index(tmp_path / "wheels") as served:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", served.url)
        monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip cache"))
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield served


def imports(trainer: Trainer) -> None:
    """The check of the tiny wheels: they can be imported where they were installed."""
    done = subprocess.run([trainer.python, "-c", IMPORTS], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise SetupError(done.stderr, fix="", cause="trainer_unusable")


def install(
    steps: list[Step] | None = None, *, verify: Callable[[Trainer], None] = imports, **options: bool | str
) -> Trainer:
    """Install into the home of the test."""
    heard = steps if steps is not None else []
    with opened_cache(settings()) as cache:
        return install_trainer(settings(), cache, now=NOW, report=heard.append, verify=verify, **options)  # type: ignore[arg-type]


def words(steps: list[Step]) -> str:
    """What was said."""
    return "\n".join(step.message for step in steps if step.message)


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_the_trainer_is_made_from_the_pins_and_says_what_it_downloads_before_it_does(home: Path) -> None:
    steps: list[Step] = []
    trainer = install(steps)
    assert trainer.kind == "managed"
    assert trainer.python == interpreter_of(home / "trainer")
    assert (trainer.versions.mlagents, trainer.versions.torch) == (
        "1.1.0",
        pins.torch_requirement(LIST).removeprefix("torch=="),
    )
    said = words(steps)
    assert said.index("To download: ") < said.index("downloading ") < said.index("a CPU build: about 190 MB")
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len({round(share, 1) for share in shares}) >= 6
    assert find_trainer(settings()) == trainer

    again: list[Step] = []
    assert install(again) == trainer
    assert [step.name for step in again] == ["done"]

    stray = home / "trainer" / "stray"
    stray.touch()
    install(again, repair=True)
    assert not stray.exists()
    assert pins.read_marker(home / "trainer") is not None


@pytest.mark.slow
def test_the_size_of_a_cuda_build_is_told_before_it_is_downloaded(home: Path, index: Index) -> None:
    sizes = pins.downloads(LIST)
    if shutil.disk_usage(home.parent).free / 1e6 < sizes.cuda + sizes.cuda_installed:
        pytest.skip("runs only on a disk with room for a CUDA build")
    make_wheel(index.folder, "nvidia-cublas==13.1.0")
    make_wheel(index.folder, pins.torch_requirement(LIST), payload=400_000, requires=["nvidia-cublas==13.1.0"])
    steps: list[Step] = []
    trainer = install(steps)
    said = words(steps)
    size = f"the build for NVIDIA GPUs: about {sizes.cuda / 1000:.1f} GB to download, {sizes.cuda_installed / 1000:.1f}"
    assert said.index(size) < min(said.index("/torch-"), said.index("/nvidia_cublas-"))
    if not trainer.versions.nvidia:
        small = f"No NVIDIA driver was found here; the CPU build is about {sizes.cpu} MB"
        assert said.index(size) < said.index(small) < said.index("/torch-")
        assert "stop with Ctrl-C and run `unity-mlops trainer install --torch-index URL`" in said


@pytest.mark.slow
def test_a_broken_download_is_told_and_gone_on_with(home: Path, index: Index) -> None:
    index.breaking = {"torch"}
    with pytest.raises(ExternalError) as broken:
        install()
    assert broken.value.cause in ("network", "broken_download"), broken.value.evidence
    assert "un it again" in broken.value.fix
    assert pins.read_marker(home / "trainer") is None
    made = (home / "trainer" / "pyvenv.cfg").stat().st_mtime_ns

    index.breaking = set()
    steps: list[Step] = []
    trainer = install(steps)
    assert "Going on with the environment" in words(steps)
    assert "downloading absl" not in words(steps)
    assert (home / "trainer" / "pyvenv.cfg").stat().st_mtime_ns == made
    assert find_trainer(settings()) == trainer


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_what_does_not_work_in_the_end_is_not_marked_as_a_trainer(home: Path) -> None:
    def unfit(trainer: Trainer) -> None:
        raise SetupError(f"{trainer.python} exports nothing.", fix="", cause="trainer_unusable")

    with pytest.raises(SetupError, match="exports nothing"):
        install(verify=unfit)
    assert pins.read_marker(home / "trainer") is None


INSTALLER = """
import sys
from datetime import datetime, timezone
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.training.trainer.environment import opened_cache
from unity_mlops_mcp.training.trainer.install import install_trainer
with opened_cache(settings()) as cache:
    install_trainer(settings(), cache, now=datetime.now(timezone.utc), verify=lambda trainer: None,
                    report=lambda step: print(step.name, step.message, flush=True))
"""


def start_installer(log: Path) -> subprocess.Popen[bytes]:
    """An installer in a process of its own."""
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-c", INSTALLER], stdout=out, stderr=subprocess.STDOUT)


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_of_two_installers_at_once_one_works_and_the_other_uses_what_it_made(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    installers = [start_installer(log) for log in logs]
    codes = [installer.wait(timeout=200) for installer in installers]
    said = [log.read_text() for log in logs]
    assert codes == [0, 0], said
    assert sum("Making an environment" in text for text in said) == 1, said
    assert all("done The trainer is ready" in text for text in said), said
    assert sum("Another process is making the trainer" in text for text in said) == 1, said


@pytest.mark.slow
def test_the_pip_of_a_killed_installer_is_ended_before_another_begins(home: Path, index: Index, tmp_path: Path) -> None:
    home.mkdir()
    index.hanging = {"torch"}
    killed = start_installer(tmp_path / "killed.log")
    assert index.hung.wait(timeout=200)
    pips = [child for child in psutil.Process(killed.pid).children(recursive=True) if "pip" in child.cmdline()]
    assert pips
    killed.kill()
    killed.wait(timeout=20)
    assert any(pip.is_running() and pip.status() != psutil.STATUS_ZOMBIE for pip in pips)

    index.hanging = set()
    assert install().kind == "managed"
    end = time.monotonic() + 20
    while any(pip.is_running() and pip.status() != psutil.STATUS_ZOMBIE for pip in pips):
        assert time.monotonic() < end
        psutil.wait_procs(pips, timeout=0.2)


@pytest.mark.slow
def test_a_package_that_the_index_lacks_is_named(home: Path, index: Index) -> None:
    next(index.folder.glob("torch-*.whl")).unlink()
    with pytest.raises(ExternalError) as refused:
        install()
    assert refused.value.cause == "no_torch"
    assert "--torch-index" in refused.value.fix
    assert managed_folder(settings()) == home / "trainer"


@pytest.mark.slow
def test_torch_comes_from_the_index_that_is_named_for_it_whose_password_is_kept(
    home: Path, index: Index, tmp_path: Path
) -> None:
    own = tmp_path / "torch alone"
    own.mkdir()
    wheel = next(index.folder.glob("torch-*.whl"))
    wheel.rename(own / wheel.name)
    steps: list[Step] = []
    with Index(own) as served:
        url = served.url.replace("://", "://somebody:secret@")
        assert install(steps, torch_index=url).versions.torch == pins.torch_requirement(LIST).removeprefix("torch==")
    assert f"(from {served.url})" in words(steps)
    assert "secret" not in words(steps)
    assert "secret" not in (home / "trainer-install.log").read_text()


PIP_LINES = [
    "Collecting absl-py==2.5.1",
    "  Downloading absl_py-2.5.1-py3-none-any.whl (137 kB)",
    "Collecting torch==2.13.0",
    "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (526.6 MB)",
    "Progress 0 of 1000",
    "Progress 500 of 1000",
    "Progress 1000 of 1000",
    "Installing collected packages: torch, absl-py",
]


def test_the_progress_of_pip_is_told_in_shares_that_only_grow() -> None:
    told: list[tuple[float, str]] = []
    course = Course(2, lambda share, text: told.append((share, text)))
    for line in PIP_LINES:
        course.read(line)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.95)
    assert any(share == pytest.approx(0.95 * 0.75) for share in shares), "half of the second package"
    assert any("526.6 MB" in text for _, text in told)


FAILURES = [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
    ("ERROR: No matching distribution found for torch==2.13.0", "no_torch"),
    ("ERROR: No matching distribution found for grpcio==1.85.1", "package_missing"),
    ("pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "network"),
    ("urllib3.exceptions.IncompleteRead: IncompleteRead(12 bytes read, 88 more expected)", "network"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "broken_download"),
    ("ERROR: Wheel 'torch' located at /tmp/x/torch-2.13.0-py3-none-any.whl is invalid.", "broken_download"),
    ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "not_writable"),
    ("ERROR: something new", "pip"),
]


@pytest.mark.parametrize(("line", "cause"), FAILURES)
def test_each_failure_of_pip_has_a_cause_and_a_way_out(line: str, cause: str) -> None:
    found = failure(["Collecting x", line], 1)
    assert found.cause == cause
    assert found.fix
    assert line in found.evidence


def test_this_interpreter_is_what_the_trainer_is_made_with_where_it_fits() -> None:
    found = choose()
    assert pins.fits(found.version)
    if pins.fits(sys.version_info[:2]):
        assert found.path == Path(sys.executable)


@pytest.mark.skipif(os.name == "nt", reason="runs only on systems with shell scripts")
def test_an_interpreter_that_does_not_fit_is_refused_with_the_command_that_gets_one(tmp_path: Path) -> None:
    too_new, broken = tmp_path / "python3.14", tmp_path / "python3.11"
    too_new.write_text('#!/bin/sh\necho \'{"version": [3, 14], "name": "cpython", "wide": true, "venv": true}\'\n')
    broken.write_text("#!/bin/sh\necho 'pyenv: python3.11: command not found' >&2\nexit 127\n")
    for path in (too_new, broken):
        path.chmod(0o755)
        with pytest.raises(MlopsError) as refused:
            choose(path)
        assert refused.value.cause == "no_python"
        assert "sudo apt install python3.11" in refused.value.fix
    assert inspect(broken) is None
    assert inspect(tmp_path / "nowhere") is None


@pytest.mark.parametrize(("version", "name"), [((3, 10), "python310"), ((3, 11), "modern"), ((3, 13), "modern")])
def test_each_python_has_its_list_of_exact_pins(version: tuple[int, int], name: str) -> None:
    assert pins.list_for(version) == name
    listed = [*pins.packages(pins.list_for(version)), pins.torch_requirement(pins.list_for(version))]
    assert all(line.count("==") == 1 for line in listed)
    assert {"mlagents==1.1.0", "mlagents-envs==1.1.0"} <= set(listed)
    assert pins.downloads(pins.list_for(version)).cuda > pins.downloads(pins.list_for(version)).cpu


def test_pythons_outside_the_range_do_not_fit() -> None:
    assert [pins.fits((3, minor)) for minor in (9, 10, 13, 14)] == [False, True, True, False]
    assert isinstance(settings(), Settings)
