"""One HTML page, for results that a person opens: no script, nothing from the network."""

import re
from collections.abc import Sequence
from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1b1b; --soft: #555; --paper: #fff; --rim: #d5d5d5; --band: #f4f4f4 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #eee; --soft: #bbb; --paper: #16181c; --rim: #3a3d44; --band: #22252b }}
}}
body {{ font: 18px/1.55 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper);
       max-width: 72rem; margin: 2rem auto; padding: 0 1.2rem }}
h1 {{ font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere }}
h2 {{ font-size: 1.3rem; margin-top: 2.4rem }}
p.soft {{ color: var(--soft) }}
img {{ border: 1px solid var(--rim); border-radius: 8px; background: #fff }}
div.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .3rem .9rem; border-bottom: 1px solid var(--rim); text-align: right }}
th:first-child, td:first-child {{ text-align: left }}
table.said th {{ text-align: left; white-space: nowrap; vertical-align: top; font-weight: normal; color: var(--soft) }}
table.said td {{ text-align: left; overflow-wrap: anywhere }}
table.said td {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9em }}
thead th {{ background: var(--band) }}
pre, code {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9em }}
pre {{ background: var(--band); padding: .8rem 1rem; border-radius: 8px; overflow-x: auto }}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def page(title: str, parts: Sequence[str], style: str = "") -> str:
    """A whole page of these parts, which are HTML already; the title is text; style, further CSS."""
    return _PAGE.format(title=escape(title), body="\n".join(parts), style=style)


def heading(text: str) -> str:
    return f"<h2>{with_code(text)}</h2>"


def emphasis(text: str) -> str:
    return f"<p><b>{with_code(text)}</b></p>"


def paragraph(text: str) -> str:
    return f"<p>{with_code(text)}</p>"


def with_code(text: str) -> str:
    """The text, with `what stands between these` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def picture(name: str, description: str) -> str:
    """An image file that lies beside the page."""
    return f'<div class="wide"><img src="{escape(name)}" alt="{escape(description)}"></div>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells of text, the first column to the left and the others, numbers, to the right."""
    head = "".join([f'<th scope="col">{escape(cell)}</th>' for cell in header])
    body = "".join(["<tr>" + "".join([f"<td>{escape(cell)}</td>" for cell in row]) + "</tr>" for row in rows])
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
