"""The documentation site: `make docs` builds the pages of `docs/` into `build/docs`, every warning an error."""

import sys
from pathlib import Path

from sphinx.domains.python import PyObject

import rramkit

sys.path.insert(0, str(Path(__file__).parent))

project = "rramkit"
author = "the rramkit developers"
project_copyright = author
version = release = rramkit.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "generated",
    "mathml",
    "accessible",
    "titles",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["site"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.xref_ambiguous"]
highlight_language = "text"
smartquotes = False  # `--list` keeps its hyphens
default_role = "code"  # of docstrings: names in single backticks
html_math_renderer = "mathml"  # no script from elsewhere: the site is whole without a network

autodoc_member_order = "bysource"
autodoc_typehints = "none"
for field in PyObject.doc_field_types:
    if field.name == "variable":
        field.label = "Attributes"
napoleon_google_docstring = False
napoleon_use_ivar = True  # attributes as one list, as the parameters

html_theme = "furo"
html_title = f"rramkit {version}"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
copybutton_prompt_text = "$ "
