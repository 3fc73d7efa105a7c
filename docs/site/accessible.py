"""What the theme leaves out for readers without a mouse or a screen: heading levels, and the focus of what scrolls."""

from typing import Any

from sphinx.application import Sphinx

REPLACED = {
    "furo_navigation_tree": {'role="heading"': 'role="heading" aria-level="2"'},
    "body": {"<pre>": '<pre tabindex="0">', '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper'},
}


def complete(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Complete the attributes of a page's menu and text."""
    for part, changes in REPLACED.items():
        for old, new in changes.items():
            if part in context:
                context[part] = context[part].replace(old, new)


def setup(app: Sphinx) -> dict[str, Any]:
    """Run after the theme has made the menu."""
    app.connect("html-page-context", complete, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
