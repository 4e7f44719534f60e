"""Reports as they are asked for: over every face, as PDF by whatever can print here, without a network."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import anyio
import pytest

from tests.conftest import REPOSITORY
from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from tests.report_homes import add_evaluation, add_run, configuration, spec_data
from tests.test_cli import cli, record
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, NotFoundError, SetupError
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.page import html_page
from unity_mlops_mcp.reports.pdf import Refusal, installed_browser, write_pdf
from unity_mlops_mcp.store.store import Store

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`

PAGE = "<!doctype html><title>t</title><h1>A heading</h1>"
PRINTER = """#!{python}
import json, pathlib, sys
to = next(word for word in sys.argv if word.startswith("--print-to-pdf=")).split("=", 1)[1]
page = pathlib.Path(sys.argv[-1].removeprefix("file://")).read_text()
if "break" in page:
    sys.exit("the renderer crashed")
pathlib.Path(to).write_bytes(b"%PDF-1.4 of " + page[:15].encode())
(pathlib.Path(__file__).parent / "asked.json").write_text(json.dumps(sys.argv[1:]))
"""


CUT_OFF = """
import os, resource, signal, sys
from datetime import datetime, timezone
from pathlib import Path
from unity_mlops_mcp import config
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.run import write
from unity_mlops_mcp.store.store import Store
target, how = Path(sys.argv[1]), sys.argv[2]
report = gather(Store(config.settings().home), ["nav-1"], report_id="report-1", now=datetime.now(timezone.utc))
if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
else:
    sys.addaudithook(lambda event, _: event == "os.rename" and os.kill(os.getpid(), signal.SIGKILL))
try:
    write(report, target, "html")
except OSError:
    sys.exit(3)
"""


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    """An application whose home has two runs of one setting; one is evaluated."""
    store = Store(home)
    add_run(store, "nav-1", policy=b"one", spec=spec_data())
    add_run(store, "nav-2", seed=2, policy=b"two", spec=spec_data())
    add_evaluation(store, "nav-1", "0" * 64)
    store.close()
    app = App(config.settings())
    yield app
    app.close()


@pytest.fixture
def no_weasyprint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation without the extra, on a machine without a browser."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))


@pytest.fixture
def printer(tmp_path: Path) -> Path:
    """A browser that prints what it is given, and notes how it was asked; a shell script cannot be one on Windows."""
    if os.name == "nt":
        pytest.skip("the stand-in for a browser is a script with a shebang: this test runs only on POSIX systems")
    file = tmp_path / "a browser"
    file.write_text(PRINTER.format(python=sys.executable))
    file.chmod(0o755)
    return file


def needs_weasyprint() -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"WeasyPrint cannot be loaded here: {error}")


def pdf_text(path: Path) -> list[str]:
    """The text of each page of a PDF."""
    from pypdfium2 import PdfDocument

    document = PdfDocument(path)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html>"), ("markdown", "# "), ("json", "{")])
def test_a_report_is_made_by_a_job_and_named(application: App, form: str, begins: str) -> None:
    made = anyio.run(lambda: application.render_report(run_ids="nav-1, nav-2", format=form))  # type: ignore[arg-type]
    assert made.state == "succeeded"
    assert made.path is not None
    content = Path(made.path).read_text(encoding="utf-8")
    assert content.startswith(begins)
    assert made.size == len(content.encode())
    assert "Evaluation" in made.sections
    assert "succeeded in 90" in made.headline
    assert application.report_text(made.report_id).startswith("# Nav: 2 trainings")
    status = application.get_run(made.job_id)
    assert Path(made.path).name in status.files
    assert "report.json" in status.files
    assert not [file for file in Path(made.path).parent.iterdir() if file.name.startswith(".")]


def test_a_pdf_has_the_same_facts_as_text_that_can_be_searched(application: App) -> None:
    needs_weasyprint()
    made = anyio.run(lambda: application.render_report(run_ids="nav-1", format="pdf"))
    assert made.state == "succeeded", made.failure
    pages = pdf_text(Path(str(made.path)))
    assert 2 <= len(pages) <= 8
    whole = " ".join(" ".join(pages).split())
    for said in ("Nav", "How it learned", "succeeded in 90", "obstacle count", "launcher.py", f"1 / {len(pages)}"):
        assert said in whole


def test_a_page_that_asks_for_files_and_hosts_gets_nothing(tmp_path: Path) -> None:
    needs_weasyprint()
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(100))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        secret = tmp_path / "secret.txt"
        secret.write_text("the secret")
        links = f'<img src="http://127.0.0.1:{port}/a.png"><link rel="attachment" href="{secret.as_uri()}">'
        styles = f'<style>@import url(http://127.0.0.1:{port}/b.css)</style><object data="{secret.as_uri()}"></object>'
        write_pdf(PAGE + links + styles, tmp_path / "page.pdf")
        server.shutdown()
    assert asked == []
    assert b"the secret" not in (tmp_path / "page.pdf").read_bytes()
    assert "A heading" in pdf_text(tmp_path / "page.pdf")[0]
    with pytest.raises(ValueError, match="loads nothing"):
        Refusal()("file:///etc/passwd")


@pytest.mark.usefixtures("no_weasyprint")
def test_without_weasyprint_an_installed_browser_prints(printer: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "report.pdf"
    target.parent.mkdir()
    assert write_pdf(PAGE, target, browser=printer) == "a browser"
    assert target.read_bytes() == b"%PDF-1.4 of <!doctype html>"
    arguments = json.loads((tmp_path / "asked.json").read_text())
    assert "--host-resolver-rules=MAP * ~NOTFOUND" in arguments
    assert [file.name for file in target.parent.iterdir()] == ["report.pdf"]


@pytest.mark.usefixtures("no_weasyprint")
def test_a_browser_that_fails_is_told_and_leaves_what_was_there(printer: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    target.write_bytes(b"the old one")
    with pytest.raises(ExternalError, match="printed no PDF") as raised:
        write_pdf("break", target, browser=printer)
    assert raised.value.evidence == ("the renderer crashed",)
    assert target.read_bytes() == b"the old one"


@pytest.mark.usefixtures("no_weasyprint")
def test_where_nothing_can_print_the_error_says_what_to_install(tmp_path: Path) -> None:
    if installed_browser() is not None:
        pytest.skip("a browser is installed where its installer puts it: this test runs only on machines without one")
    with pytest.raises(SetupError, match="Nothing here can make a PDF") as raised:
        write_pdf(PAGE, tmp_path / "report.pdf")
    assert raised.value.cause == "no_pdf_printer"
    for way in ("unity-mlops-mcp[pdf]", "libpango", "Chromium", "format=html"):
        assert way in raised.value.fix
    assert not list(tmp_path.iterdir())


def test_a_real_browser_prints_the_same_page(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chrome, Edge or Chromium is installed: apt-get install chromium")
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    store = Store(home)
    add_run(store, "nav-1", spec=spec_data())
    report = gather(store, ["nav-1"], report_id="report-1", now=datetime.now(timezone.utc))
    store.close()
    assert write_pdf(html_page(report, for_print=True), tmp_path / "report.pdf") == browser.name
    assert "How it learned" in " ".join(pdf_text(tmp_path / "report.pdf"))


def test_the_script_draws_every_chart_in_a_real_browser_under_the_pages_policy(home: Path, tmp_path: Path) -> None:
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chrome, Edge or Chromium is installed: apt-get install chromium")
    store = Store(home)
    add_run(store, "nav-1", settings=configuration(learning_rate=1e-3))
    add_run(store, "nav-2")
    report = gather(store, ["nav-1", "nav-2"], report_id="report-1", now=datetime.now(timezone.utc))
    store.close()
    page = tmp_path / "report.html"
    page.write_text(html_page(report), encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = run([browser, *options, "--virtual-time-budget=5000", "--dump-dom", page.as_uri()], timeout_s=60)
    assert done.stdout.count("<canvas") == len(report.charts)
    assert done.stdout.count('class="plot drawn"') == len(report.charts)
    assert done.stdout.count('<button type="button"') >= len(report.groups)


@pytest.mark.parametrize("how", ["killed", "full"])
def test_a_kill_or_a_full_disk_in_the_middle_leaves_the_old_report_whole(how: str, home: Path, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("limits of a process are those of POSIX: this test runs only on such systems")
    store = Store(home)
    add_run(store, "nav-1")
    store.close()
    target = tmp_path / "report.html"
    target.write_text("the old one")
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF, str(target), how],
        env={**os.environ, "UNITY_MLOPS_HOME": str(home)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == {"killed": -9, "full": 3}[how], done.stderr
    assert target.read_text() == "the old one"
    assert how == "killed" or [file.name for file in tmp_path.glob("*report*")] == ["report.html"]


def test_runs_that_are_not_there_and_no_runs_are_refused_before_a_job_is_made(application: App) -> None:
    with pytest.raises(NotFoundError, match=r"There is no run 'nav-3'.*Did you mean nav-"):
        application.start_report(run_ids="nav-1,nav-3")
    with pytest.raises(InvalidInputError, match="No run is named"):
        application.start_report(run_ids=" , ")
    assert application.jobs.open(kind="report") == ()


def test_a_pdf_that_cannot_be_made_fails_with_the_way_out(
    application: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    if installed_browser() is not None:
        pytest.skip("a browser is installed where its installer puts it: this test runs only on machines without one")
    made = anyio.run(lambda: application.render_report(run_ids="nav-1", format="pdf"))
    assert made.state == "failed"
    assert made.failure is not None
    assert made.failure.cause == "no_pdf_printer"
    assert "libpango" in made.failure.message
    assert made.path is None
    assert "report.pdf" not in application.get_run(made.job_id).files


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("application")
async def test_a_client_gets_the_file_and_reads_the_same_facts_as_a_resource(era: Era) -> None:
    async with in_memory(era) as client:
        made = structured(await client.call_tool("render_report", {"run_ids": ["nav-1", "nav-2"], "format": "html"}))
        (content,) = (await client.read_resource(made["uri"])).contents
        refused = await client.call_tool("render_report", {"run_ids": "nav-1", "format": "docx"})
    assert made["state"] == "succeeded"
    assert await anyio.Path(made["path"]).is_file()
    assert "## Evaluation of nav-1" in str(getattr(content, "text", ""))
    assert refused.is_error
    assert "'html', 'pdf', 'markdown' or 'json'" in text(refused)


@pytest.mark.usefixtures("application")
def test_the_command_makes_it_and_says_where_it_lies(home: Path) -> None:
    made = record(cli(home, "render-report", "nav-1", "nav-2", "--json"))
    assert Path(made["path"]).is_file()
    told = cli(home, "render-report", "nav-1", "--format", "markdown")
    assert told.returncode == 0
    assert "report.md" in told.stdout
    assert cli(home, "render-report", "nothing", "--json").returncode == 1
