"""Model text: a user's library or deck flattened to one text, nested files in place, every card on an allow list.

ngspice looks nested files up by itself, and takes the first of a name that it meets in any folder, also from an earlier
deck of the same process. So the kit resolves all of them here: `.include` (`.incl`, `.inc`) and `.lib FILE SECTION`,
relative to the file that names them, quoted or not, indented, with `~` and `$VAR`, in UTF-8 (with or without its mark)
or Latin-1, any line ends. What is left holds no file name. A section is `.lib NAME` to `.endl`.

A library may hold models, subcircuits, parameters, functions and conditions, and of options only `scale`, `tnom` and
`wnflag`. All else is refused by file and line, whatever file it is nested in: what executes or steers the analysis,
elements outside a subcircuit, code models that open files or run processes, random functions that are switched on.

A nested file must lie in the folder of the file that the user named or below it, or be called like a model file: no
library or deck that somebody sends reads a key, a password or a device.
"""

from rramkit.circuits.model_text.allow_list import check_characters, check_files
from rramkit.circuits.model_text.definitions import words_of
from rramkit.circuits.model_text.library import fresh_library_text, has_changed, library_text, stamp_of
from rramkit.circuits.model_text.line import Line, joined_lines, logical_lines, read_text, spaced_models, wrapped
from rramkit.circuits.model_text.nested_file import nested_file, placed
from rramkit.circuits.model_text.nesting import flattened
from rramkit.circuits.model_text.option import number
from rramkit.circuits.model_text.subcircuit import Subcircuit, subcircuits
from rramkit.circuits.model_text.text import ModelText, needed, with_pin

__all__ = [
    "Line",
    "ModelText",
    "Subcircuit",
    "check_characters",
    "check_files",
    "flattened",
    "fresh_library_text",
    "has_changed",
    "joined_lines",
    "library_text",
    "logical_lines",
    "needed",
    "nested_file",
    "number",
    "placed",
    "read_text",
    "spaced_models",
    "stamp_of",
    "subcircuits",
    "with_pin",
    "words_of",
    "wrapped",
]
