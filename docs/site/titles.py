"""Links that are named by a file, as a code host shows them (`plans.md`), by the page's title on the site."""

import posixpath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def by_title(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Replace the text of each link of a page that is the name of a Markdown file."""
    for link in tree.findall(nodes.reference):
        if link.astext().endswith(".md") and link.get("internal") and link.get("refuri"):  # none within a page
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link["refuri"].partition("#")[0]))
            title = app.env.titles[target.removesuffix(".html")].deepcopy()
            link.children = [nodes.inline("", "", *title.children)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Run when the links of a page are known."""
    app.connect("doctree-resolved", by_title)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
