"""Notebook output as its readers see it: in JupyterLab, trusted and not, and as a page by nbconvert."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from microgrid.course.building import build

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [name for name in ("playwright", "jupyterlab", "nbconvert") if not find_spec(name)] + ["chromium"] * (
    CHROMIUM is None
)
pytestmark = pytest.mark.skipif(
    bool(MISSING) and not os.environ.get("CI_BROWSER"),
    reason=f'no {" ".join(MISSING)} here; `apt-get install chromium` and `pip install ".[browser]"` bring them',
)

CELLS = [
    "import microgrid as mg\na, b = mg.Value(2.0), mg.Value(-3.0)\nc = (a * b + 7).tanh()\nc.backward()\nmg.draw(c)",
    "mg.steps(c)",
    "mg.orders(c)",
    "mg.explain(a, c)",
]
PICTURES = 2  # of those cells, as many show one
PATIENCE = 60_000  # milliseconds that a page may take for anything: the machine may be slow or busy


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook that has been run, in a folder of its own, as a mail or a clone brings it."""
    path = tmp_path_factory.mktemp("viewers") / "seen.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        NotebookClient(made, timeout=600, startup_timeout=600, kernel_name="python3").execute()
    nbformat.write(made, path)
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(notebook):
    """The address of a JupyterLab over the notebook's folder, which knows no signatures yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = notebook.parent
    home = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **home, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, server)
        yield address, home
    finally:
        server.terminate()
        server.wait()


def _await(address, server):
    """Until the server answers; it has ended if it never will."""
    while True:
        assert server.poll() is None, f"JupyterLab ended with {server.returncode}"
        try:
            urllib.request.urlopen(f"{address}/api").read()
            return
        except OSError:
            time.sleep(0.25)


def outputs(browser, lab, path):
    """The page of the notebook in JupyterLab, with all its outputs there."""
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab[0]}/lab/tree/{path.name}?reset")
    page.wait_for_function(
        """([cells, images]) => document.querySelectorAll(".jp-CodeCell .jp-OutputArea-output").length >= cells &&
        [...document.querySelectorAll(".jp-OutputArea-output img")].filter((i) => i.complete).length >= images""",
        arg=[len(CELLS), PICTURES],
    )
    return page


def pictures(page, inside=""):
    """(natural width, width on the screen, alternative text) of each picture in the outputs."""
    return page.eval_on_selector_all(
        f"{inside} img[src^='data:image/svg']", "all => all.map(i => [i.naturalWidth, i.clientWidth, i.alt])"
    )


def holds(found):
    assert len(found) == PICTURES
    for natural, width, words in found:
        assert natural > 300 and width > 300 and "c" in words


def test_an_untrusted_notebook_shows_its_pictures_in_jupyterlab(browser, lab, notebook):
    page = outputs(browser, lab, notebook)
    holds(pictures(page, ".jp-OutputArea-output"))
    assert page.locator(".jp-OutputArea-output iframe").count() == 0  # what an untrusted one may not run
    text = page.locator(".jp-Notebook").inner_text()
    assert "function" not in text and "<svg" not in text  # nothing spills out as text
    assert "right" in text and "dc/da" in text  # the tables are there
    page.close()


def test_a_trusted_notebook_shows_them_and_plays_the_steps(browser, lab, notebook):
    trusted = notebook.with_name("trusted.ipynb")
    shutil.copy(notebook, trusted)
    subprocess.run([sys.executable, "-m", "jupyter", "trust", str(trusted)], check=True, capture_output=True,
                   env={**os.environ, **lab[1]})  # fmt: skip
    page = outputs(browser, lab, trusted)
    holds(pictures(page, ".jp-OutputArea-output"))
    page.wait_for_selector(".jp-OutputArea-output iframe")
    player = page.frame_locator(".jp-OutputArea-output iframe")
    player.locator("#say").wait_for()
    player.locator("g.box").nth(5).wait_for()
    assert player.locator("g.box").count() == 6
    page.close()


def test_a_page_by_nbconvert_shows_them(browser, notebook):
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", str(notebook)], check=True, capture_output=True)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(notebook.with_suffix(".html").as_uri())
    page.wait_for_selector("img")
    holds(pictures(page))
    player = page.frame_locator("iframe").locator("#say")
    player.wait_for()
    assert player.count() == 1
    page.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The built course: the whole of it where MICROGRID_PAGES says, or else its first page and one with a player."""
    if os.environ.get("MICROGRID_PAGES"):
        return Path(os.environ["MICROGRID_PAGES"])
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", folder)
    shutil.copy(ROOT / "notebooks" / "05_stepping.ipynb", folder)
    assert [chapter.complaints for chapter in build(folder, folder / "pages")] == [(), ()]
    return folder / "pages"


EXAMINED = {
    "index.html",
    "00_start_here.html",
    "03_chain_rule_by_hand.html",
    "05_stepping.html",
}  # by axe; it takes long


@pytest.mark.parametrize("width, scheme", [(390, "dark"), (1280, "light")])
def test_the_pages_of_the_course_fit_a_screen_and_ask_nobody(browser, course, width, scheme):
    axe = os.environ.get("MICROGRID_AXE")
    names = sorted([path.name for path in course.glob("*.html")])
    assert {"index.html", "00_start_here.html", "05_stepping.html"} <= {*names}
    for name in names:
        page, asked = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme), []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto((course / name).as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate("[...document.images].every((image) => image.naturalWidth && image.alt !== null)"), name
        assert page.evaluate("document.images[0].getBoundingClientRect().top") < 3 * 844, (
            name
        )  # it opens with a picture
        if axe and name in EXAMINED:
            page.evaluate(Path(axe).read_text(encoding="utf-8"))
            found = page.evaluate(
                """axe.run().then(({ violations }) => violations.filter((v) => /serious|critical/.test(v.impact))
                   .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`))"""
            )
            assert found == [], name
        page.close()


def test_a_hint_unfolds_and_the_player_plays(browser, course):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((course / "00_start_here.html").as_uri())
    hint = page.locator("details", has_text="a slope says how much").first
    assert not hint.locator("p").is_visible()
    hint.locator("summary").click()
    assert hint.locator("p").is_visible()
    page.goto((course / "05_stepping.html").as_uri())
    say = page.frame_locator("iframe").first.locator("#say")
    say.wait_for()
    assert say.is_visible()
    page.close()
