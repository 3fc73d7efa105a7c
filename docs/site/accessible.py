"""What the theme leaves out for readers without a mouse or a screen: levels, focus, names of parts."""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

REPLACED = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages of the site">',
    '<aside class="toc-drawer': '<aside aria-label="Contents of this page" class="toc-drawer',
}


def complete(app: Sphinx, failure: Exception | None) -> None:
    """Complete the attributes in the pages that were written; what is complete stays."""
    for page in [] if failure else Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for old, new in REPLACED.items():
            text = text.replace(old, new)
        page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Run when the pages are written: parts of them are the theme's own, which no event hands over."""
    app.connect("build-finished", complete)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
