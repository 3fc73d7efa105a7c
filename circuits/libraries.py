"""Model files of a deck: the kit's own by name, a user's by path; their text, and the hash of a run's provenance."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rramkit import netlists
from rramkit.errors import InputError

# What would steer ngspice, or end the deck, from inside a library.
_STEERS = re.compile(r"(?im)^\s*\.(control|endc|end|tran|dc|ac|op|noise|tf|pz|sens|disto|four|save|meas\w*)\b.*$")
_NESTED = re.compile(r"(?im)^\s*\.(include|incl?|lib|endl)\b")
# Inside the quotes of `.lib "PATH" SECTION`: letters, digits, blanks and these, so that nothing closes the quotes,
# opens a comment (`$`, `;`) or an expression (braces), or starts a line.
_PATH = re.compile(r"[\w ./+,@=:~#%^()-]{1,1000}")
CONTROL_WORDS = (
    "control|endc|end|ends|include|incl|inc|lib|endl|model|subckt|options?|param|func|global|csparam|save|print|plot"
    "|meas(?:ure)?|tran|dc|ac|op|noise|tf|pz|sens|disto|four|ic|nodeset|temp|if|else|elseif|endif|title|width|probe"
)
_CONTROL = re.compile(rf"(?i)(?:^|[\s/])\.(?:{CONTROL_WORDS})(?:$|[\s/])")


@dataclass(frozen=True)
class UserLibrary:
    """A model file of the user's own: the whole of it, or, where `section` is given, one `.lib` section."""

    path: str
    section: str = ""

    def __str__(self) -> str:
        return f"{Path(self.path).name} {self.section}".rstrip()

    def text(self) -> str:
        """Return what stands for this library in a deck: the file itself where that is all, else a line that names it.

        A file with sections, with further files inside, or not in UTF-8 is named by its absolute path.
        """
        path, inlined = Path(self.path).resolve(), _read(self.path)
        if self.section:
            return f'.lib "{path}" {self.section}'
        if inlined is None or _NESTED.search(inlined):
            return f'.include "{path}"'
        return f"* {path.name}\n{inlined}"

    def sha256(self) -> str:
        """Return the SHA-256 of the file, in hexadecimal. Files that it includes are not in it."""
        return hashlib.sha256(Path(self.path).read_bytes()).hexdigest()


ModelFile = str | UserLibrary
"""A name in netlists/, or a user's file."""


def text(library: ModelFile) -> str:
    """Return a library as lines of a deck."""
    return library.text() if isinstance(library, UserLibrary) else netlists.text(library)


def sha256(library: ModelFile) -> str:
    """Return the SHA-256 of a library's file."""
    return library.sha256() if isinstance(library, UserLibrary) else netlists.sha256(library)


def check_path(path: str) -> str:
    """Return `path`; raise `ValueError` when it is no model file, or could be read as anything but a path."""
    if not _PATH.fullmatch(path):
        raise ValueError("must be one path of letters, digits, blanks and ./+,@=:~#%^()-")
    resolved = str(Path(path).resolve())  # a link may point to another name
    if not _PATH.fullmatch(resolved) or _CONTROL.search(path) or _CONTROL.search(resolved):
        raise ValueError("must not contain a folder named like a SPICE control word")
    if not Path(path).is_file():
        raise ValueError(f"must be a model file that exists (looked for {resolved})")
    try:
        steering = _STEERS.search(_read(path) or "")
    except InputError as error:
        raise ValueError(str(error)) from error
    if steering:
        raise ValueError(f"must hold models only, not `{steering[0].strip()[:40]}`")
    return path


def _read(path: str) -> str | None:
    """Return the file's text, its line ends made one; None when it is not in UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip()
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Pass the path of a model file.") from error
