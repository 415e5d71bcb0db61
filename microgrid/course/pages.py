"""The course as pages: a notebook with its outputs, and the list of all; no script but what a cell shows."""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import page

STYLE = """
main { max-width: 50rem; margin: auto }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; font-size: .9em; margin: 1rem 0 }
a { color: #0072b2; overflow-wrap: break-word }
.rendered_html h1, .rendered_html h2 { margin-top: 2.6rem }
.rendered_html h3 { margin-top: 2rem }
.rendered_html blockquote { border-left: 4px solid #d55e00; margin: 1rem 0; padding: .1rem 0 .1rem 1rem }
.highlight { background: var(--band); border-left: 4px solid #0072b2; border-radius: 4px; margin: 1.2rem 0 .4rem }
.highlight pre { background: none; margin: 0; font-size: .8em }
.output_area { margin: .4rem 0; overflow-x: auto }
.output_area pre { background: none; margin: 0; padding: .3rem 1rem; line-height: 1.4; font-size: .8em }
.output_area pre, .output_area div { overflow-x: visible !important }
.output_area img, .output_area svg { max-width: 100%; height: auto }
.output_area iframe { width: 100% }
.output_error pre { border-left: 4px solid #d55e00; white-space: pre-wrap }
.output_area pre:empty { display: none }
p.right { border-left: 4px solid #009e73; margin: .3rem 0; padding: .2rem 1rem }
.output_stderr { background: #fbe3d6; color: #1b1b1b }
.output_area td, .output_area th { padding: .15rem .6rem }
.text_cell_render td, .text_cell_render th { text-align: left; padding: .2rem .5rem }
details { margin: .4rem 1rem }
summary { cursor: pointer }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.4rem; padding: 0 }
.cards li { list-style: none; border: 1px solid var(--rim); border-radius: 8px; padding: 1rem }
.cards h2 { font-size: 1.1rem; margin: .6rem 0 }
.cards p { margin: 0; font-size: .9em }
.cards img { width: 100%; height: 11rem; object-fit: contain; border: 0 }
@media (max-width: 40rem) {
  body { padding: 0 .8rem; margin-top: 1rem }
  .output_area pre { padding: .3rem 0 }
  .output_error pre { padding-left: .8rem }
  .text_cell_render td, .text_cell_render th { padding: .2rem .3rem }
  .output_area img.wide { max-width: 36rem }
}
@media (prefers-color-scheme: dark) { a { color: #6cb6e8 } .highlight { border-color: #6cb6e8 } }
"""
PICTURE = re.compile(r'src="(data:image/[^"]+)"')
SVG = re.compile(r'<img (?=[^>]*src="data:image/svg\+xml;base64,([^"]+)")')
RIGHT = re.compile(r"(Exercise \d+\.\d: right\.[^<]*)</pre>")  # prose, so it may wrap
WIDE = 700  # pixels; what is wider scrolls on a phone, since its words would be too small


def page_of(path: Path, notebook: Any, titles: Mapping[Path, str]) -> str:
    """A notebook that has been run, as one page.

    Arguments: path, of the notebook; notebook, with its outputs; titles, of all notebooks by their paths, in order.
    """
    body = _html(notebook)
    for other in titles:
        body = re.sub(rf'href="({re.escape(quote(other.name))})(#[^"]*)?"', rf'href="{quote(other.stem)}.html\2"', body)
    first = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.S)
    if first and unescape(re.sub("<[^>]+>", "", first[1])) == titles[path]:
        body = body.replace(first[0], "", 1)  # it is the page's own heading
    body = re.sub(
        r'(<div class="output_area"|(?<=hl-ipython3">)<pre|<pre(?=><code>))>', r'\1 tabindex="0">', body
    )  # keys scroll, too
    body = SVG.sub(lambda found: f"<img {_width_class(found[1])}", body)
    body = RIGHT.sub(r'</pre><p class="right">\1</p>', body)
    names = [*titles]
    here = names.index(path)
    ways = [("index.html", "All chapters"), (path.name, "This notebook, to run")]
    ways += [(f"{names[k].stem}.html", f"{sign} {titles[names[k]]}")
             for k, sign in ((here - 1, "←"), (here + 1, "→")) if 0 <= k < len(names)]  # fmt: skip
    links = "".join([f'<a href="{quote(to)}">{escape(text)}</a>' for to, text in ways])
    above, below = [f'<nav aria-label="Chapters, {where}">{links}</nav>' for where in ("above", "below")]
    return page.page(titles[path], [above, body, below], f"{STYLE}\n{_colours()}")


def list_page(chapters: Sequence[tuple[Path, Any]], titles: Mapping[Path, str]) -> str:
    """The page that lists them: title, question and first picture of each."""
    cards = [
        f'<li><a href="{quote(path.stem)}.html">{_first_picture(notebook)}'
        f"<h2>{escape(titles[path])}</h2></a><p>{page.with_code(_question(notebook))}</p></li>"
        for path, notebook in chapters
    ]
    wide = f"{STYLE}\nmain {{ max-width: 72rem }}"
    return page.page("Backpropagation, number by number", [f'<ol class="cards">{"".join(cards)}</ol>'], wide)


def _width_class(svg: str) -> str:
    width = re.search(r'<svg[^>]*?\bwidth="([\d.]+)', base64.b64decode(svg).decode())
    return 'class="wide" ' if width and float(width[1]) > WIDE else ""


def _html(notebook: Any) -> str:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic", exclude_anchor_links=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    return exporter.from_notebook_node(notebook)[0]


def _colours() -> str:
    """The colours of code, for light and for dark."""
    from pygments.formatters import HtmlFormatter

    light, dark = [HtmlFormatter(style=name).get_style_defs(".highlight pre") for name in ("default", "github-dark")]
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _question(notebook: Any) -> str:
    """What the notebook asks: the first bold words."""
    found = re.search(r"\*\*(.+?)\*\*", notebook.cells[0].source if notebook.cells else "", re.S)
    return " ".join(found[1].split()) if found else ""


def _first_picture(notebook: Any) -> str:
    """As an image without words: the title stands below it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                return f'<img src="data:image/png;base64,{data["image/png"].strip()}" alt="">'
            if found := PICTURE.search(data.get("text/html", "")):
                return f'<img src="{found[1]}" alt="">'
    return ""
