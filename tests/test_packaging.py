"""The wheel holds all that the product needs, works from wherever it lies, and the repository names no machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import TextContent

from tests.conftest import REPOSITORY
from tests.mcp_clients import server_environment
from unity_mlops_mcp import __version__

PACKAGE = REPOSITORY / "unity_mlops_mcp"
HOSTS = {"www.apache.org", "protobuf.dev", "pytorch.org", "www.yamllint.com", "127.0.0.1", "github.com"}
HOSTS |= {"www.googleapis.com", "www.w3.org"}  # how Google spells a scope of credentials, and SVG its name
HOSTS |= {"ui.lab", "evil.example", "bücher.example"}  # invented: a page that may call the service, and others
HOSTS |= {"example.com", "www.standardwebhooks.com", "json-schema.org"}  # a webhook's place, signature and schema
HOSTS |= {"0.0.0.0", "10.0.0.1", "169.254.169.254"}  # noqa: S104 - addresses that no webhook may have
"""The hosts of every address in the repository: pages that are cited, and this machine; no package index."""
INDEXES = ("pypi" + ".org", "pytorch" + ".org/whl", "python" + "hosted.org", "pypi/" + "simple", "artifact" + "ory")
HOMES = re.compile(r"(?<![\w.<-])(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2}|/(?=root/))(\w+)")
INVENTED_USERS = {"o", "x", "Ann", "Default"}
"""The names in the tests' own paths; ``o`` begins ``o'neil``."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as ``make wheel`` does but with what is installed here, so without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--wheel-dir", str(folder), str(REPOSITORY)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("un packed")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder)], check=True, timeout=60)
    return folder


def tracked() -> list[Path]:
    """The files under version control, and new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip("this is no git repository, such as an unpacked source distribution")
    return [path for name in done.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]


def texts() -> dict[str, str]:
    """The content of each tracked file by its name; all of them are text."""
    return {path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8") for path in tracked()}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    own = {path.relative_to(REPOSITORY).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    own = {name for name in own if "__pycache__" not in name}
    texts = [path.relative_to(REPOSITORY / "prompts") for path in (REPOSITORY / "prompts").rglob("*.md")]
    prompts = {f"unity_mlops_mcp/_prompts/{path.as_posix()}" for path in texts}
    about = {name for name in inside if name.startswith(f"unity_mlops_mcp-{__version__}.dist-info/")}
    moved = "unity_mlops_mcp/compat/mlops_unity_pipeline.py"  # a top-level module there
    assert inside == own - {moved} | prompts | about | {Path(moved).name}
    assert f"unity_mlops_mcp-{__version__}.dist-info/licenses/LICENSE" in about


@pytest.mark.parametrize(
    "kind",
    [
        "py.typed",
        "_prompts/*.md",
        "_prompts/planner/*.md",
        "spec/archetypes/*.yaml",
        "training/trainer/pins/*.txt",
        "training/*.yaml",
        "reports/*.yaml",
        "reports/templates/*.j2",
        "reports/templates/sections/*.j2",
        "reports/vendor/uplot/*",
        "interfaces/http/dashboard/templates/*.j2",
        "interfaces/http/dashboard/static/*",
        "trainer_env/*.py",
        "upkeep/deployment/*.j2",
        "store/migrations/versions/*.py",
    ],
)
def test_the_data_that_the_product_reads_is_inside(kind: str, unpacked: Path) -> None:
    found = list((unpacked / "unity_mlops_mcp").glob(kind))
    assert found
    assert all(path.stat().st_size for path in found if path.name != "py.typed")


def test_the_metadata_names_the_command_and_never_mlagents(unpacked: Path) -> None:
    about = unpacked / f"unity_mlops_mcp-{__version__}.dist-info"
    metadata = message_from_bytes((about / "METADATA").read_bytes())
    assert (metadata["Name"], metadata["Version"]) == ("unity-mlops-mcp", __version__)
    needed = [re.split(r"[^\w-]", text)[0].lower() for text in metadata.get_all("Requires-Dist", [])]
    assert {"mcp", "pydantic", "anyio"} <= set(needed)
    assert not {"mlagents", "mlagents-envs", "torch"} & set(needed)
    assert "unity-mlops = unity_mlops_mcp.__main__:main" in (about / "entry_points.txt").read_text(encoding="utf-8")


def test_the_unpacked_wheel_runs(unpacked: Path, home: Path) -> None:
    def answer(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=unpacked,
            env=server_environment(home, PYTHONPATH=str(unpacked)),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    place = answer("-c", "import unity_mlops_mcp; print(unity_mlops_mcp.__file__)")
    assert Path(place) == unpacked / "unity_mlops_mcp" / "__init__.py"
    assert answer("-m", "unity_mlops_mcp", "version") == f"unity-mlops-mcp {__version__}"
    assert '"archetype": "patrol_waypoints"' in answer(
        "-m", "unity_mlops_mcp", "build-environment", "patrol five waypoints", "--json"
    )


def test_the_server_of_the_unpacked_wheel_has_its_prompts(unpacked: Path, home: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "unity_mlops_mcp", "mcp"],
        env=server_environment(home, PYTHONPATH=str(unpacked)),
        cwd=unpacked,
    )

    async def prompts() -> dict[str, str]:
        async with Client(stdio_client(server)) as client:
            names = [prompt.name for prompt in (await client.list_prompts()).prompts]
            return {name: content_of((await client.get_prompt(name)).messages[0].content) for name in names}

    given = anyio.run(prompts)
    assert set(given) == {path.stem for path in (REPOSITORY / "prompts").glob("*.md")}
    assert all(len(text) > 200 for text in given.values())


def content_of(content: object) -> str:
    """The text of a prompt's message."""
    assert isinstance(content, TextContent)
    return content.text


def test_no_lock_file_is_kept() -> None:
    locks = {"poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "package-lock.json", "yarn.lock"}
    assert not [path for path in tracked() if path.name in locks or path.suffix == ".lock"]


def test_no_package_index_is_named_and_every_web_page_is_known() -> None:
    for name, text in texts().items():
        assert set(re.findall(r"https?://(?:[^/\s@]*@)?([\w-]+(?:\.[\w-]+)+)", text)) <= HOSTS, name
        assert not [index for index in INDEXES if index in text], name


def test_no_file_names_a_path_of_one_machine() -> None:
    here = {str(REPOSITORY), sys.prefix, str(Path.home())} - {"/", "/root"}
    for name, text in texts().items():
        assert not [path for path in here if f"{path}{os.sep}" in text], name
        assert set(HOMES.findall(text)) <= INVENTED_USERS, name
