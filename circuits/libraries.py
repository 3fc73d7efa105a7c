"""Model files of a deck: the kit's own by name, a user's by path; their text, and the hash of a run's provenance.

A user's library may come with compact models (`verilog_a`), and a device may be one: a deck asks for them by hash.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rramkit import netlists
from rramkit.circuits.model_text import ModelText, fresh_library_text, needed, with_pin, words_of, wrapped
from rramkit.circuits.verilog_a import CompactModel, compact_model, is_compact_model
from rramkit.errors import InputError

CONTROL_WORDS = (
    "control|endc|end|ends|include|incl|inc|lib|endl|model|subckt|options?|param|func|global|csparam|save|print|plot"
    "|meas(?:ure)?|tran|dc|ac|op|noise|tf|pz|sens|disto|four|ic|nodeset|temp|if|else|elseif|endif|title|width|probe"
)
LIBRARY_KEYS = ("library_file", "library", "osdi")  # of transistors, a device, both: parameters that are paths
_FUNCTION = re.compile(r"(?i)^\.(?:func|params?)\s+([a-z_]\w*)\s*\(")
_CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")
_CONTROL = re.compile(rf"(?i)(?:^|[\s/])\.(?:{CONTROL_WORDS})(?:$|[\s/])")
# A path stands in the header of a deck, a comment: letters, digits, blanks and these, so that it can be nothing else.
_PATH = re.compile(r"[\w ./+,@=:~#%^()-]{1,1000}")


@dataclass(frozen=True)
class UserLibrary:
    """A model file of the user's own: the whole of it, or, where `section` is given, one `.lib` section.

    `osdi` are the files of the compact models that its `N` lines use; the library may be one itself, and holds no cards
    then.
    """

    path: str
    section: str = ""
    osdi: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{Path(self.path).name} {self.section}".rstrip()

    @property
    def models(self) -> ModelText:
        """The library flattened: nested files in place, every card checked."""
        if is_compact_model(self.path):
            return ModelText((), ())
        flat = fresh_library_text(self.path, self.section)
        return flat.spaced if self.osdi else flat

    @property
    def compact_models(self) -> tuple[CompactModel, ...]:
        """The compact models that ngspice must load for it."""
        return tuple(compact_model(path) for path in self.osdi)

    def text(self, words: Iterable[str] | None = None) -> str:
        """Return the library as lines of a deck, without a file name in it; with `words`, only what they need."""
        models = self.models if words is None else needed(self.models, words)
        compact = next((line for line in models.lines if line.text[0] in "nN"), None)
        if compact is not None and not self.osdi:
            raise InputError(
                f"{compact.where}: `{compact.text[:40]}` is of a compact model, which must be loaded. Name its file: "
                '`technology.osdi = ["psp103.osdi"]`, or its Verilog-A text.'
            )
        return f"* file {self}\n{models.deck_lines}\n* end of file"

    def sha256(self) -> str:
        """Return the SHA-256 of the flattened text, in hexadecimal: files that it includes, and compact models, too."""
        if not self.osdi:
            return self.models.sha256
        parts = [self.models.sha256, *(model.sha256 for model in self.compact_models)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class DeviceLibrary(UserLibrary):
    """A library with a device, and the kit's own cards that give it the kit's pins and sign.

    Attributes
    ----------
    cards : str
        Those cards; the circuit uses nothing else of the library.
    inner : tuple of str
        A subcircuit of the library and its inner node that becomes a pin, its first one; empty: none does.
    """

    cards: str = ""
    inner: tuple[str, ...] = ()

    @property
    def models(self) -> ModelText:
        """The library flattened, its state node a pin."""
        flat = super().models
        return with_pin(flat, *self.inner) if self.inner else flat

    def text(self, words: Iterable[str] | None = None) -> str:
        """Return what the cards need of the library, and the cards."""
        del words  # of the circuit: it uses the cards
        return f"{super().text(words_of(self.cards))}\n{wrapped(self.cards)}"

    def sha256(self) -> str:
        """Return the SHA-256 of library and cards, in hexadecimal."""
        return hashlib.sha256(f"{super().sha256()}\n{self.cards}".encode()).hexdigest()


ModelFile = str | UserLibrary
"""A name in netlists/, or a user's file."""


def text(library: ModelFile, circuit: str | None = None) -> str:
    """Return a library as lines of a deck; of a user's, with a circuit's text, only what that needs."""
    if isinstance(library, UserLibrary):
        return library.text(None if circuit is None else words_of(circuit))
    return netlists.text(library)


def sha256(library: ModelFile) -> str:
    """Return the SHA-256 of a library."""
    return library.sha256() if isinstance(library, UserLibrary) else netlists.sha256(library)


def check_names(libraries: Iterable[ModelFile], own: Iterable[str]) -> None:
    """Raise `InputError` where a user's library defines a name of the kit's circuit or of another library."""
    owners = dict.fromkeys((name.lower() for name in own), "the kit's circuit")
    for library in libraries:
        if isinstance(library, DeviceLibrary):
            owners |= dict.fromkeys(_defined(library.cards), "the kit's circuit")
        elif not isinstance(library, UserLibrary):
            owners |= dict.fromkeys(_defined(netlists.text(library)), str(library))
    for library in libraries:
        for name in library.models.names if isinstance(library, UserLibrary) else ():
            if name in owners:
                raise InputError(
                    f"`{library}` defines `{name}`, and so does {owners[name]}: ngspice would take one of the two. "
                    "Rename yours."
                )
            owners[name] = str(library)


def check_functions(libraries: Iterable[ModelFile], circuit: str) -> None:
    """Raise `InputError` where a function of a user's library has the name of one that the kit's own equations call.

    ngspice takes a `.func` for every expression of a deck, also in the place of its own `max` or `tanh`.
    """
    libraries = tuple(libraries)
    texts = [netlists.text(each) for each in libraries if not isinstance(each, UserLibrary)]
    texts += [each.cards for each in libraries if isinstance(each, DeviceLibrary)]
    own = "\n".join([circuit, *texts])
    called = {name.lower() for name in _CALLED.findall(re.sub(r"(?m)^\*.*$", "", own))}
    for library in libraries:
        part = needed(library.models, words_of(circuit)) if isinstance(library, UserLibrary) else None
        for line in part.lines if part else ():
            match = _FUNCTION.match(line.text)
            if match and match[1].lower() in called:
                raise InputError(
                    f"{line.where}: `{library}` defines the function `{match[1]}`, which the kit's circuit calls: "
                    "ngspice would take yours there too. Rename it."
                )


def check_options(libraries: Iterable[ModelFile]) -> None:
    """Raise `InputError` where one library of a deck sets an option that acts on the transistors of another one."""
    first: tuple[ModelFile, dict[str, float]] | None = None
    for library in libraries:
        options = library.models.options if isinstance(library, UserLibrary) else {}
        if isinstance(library, DeviceLibrary) and not options:
            continue
        if not isinstance(library, UserLibrary) and not re.search(
            r"(?im)^\.model\s+\S+\s+[np]mos", netlists.text(library)
        ):
            continue
        if first is not None and options != first[1]:
            name = sorted({*options, *first[1]})[0]
            raise InputError(
                f"`{library}` and `{first[0]}` stand in one deck and differ in `.options {name}`, which acts on both. "
                "Take the option out, or use one library."
            )
        first = first or (library, options)


def _defined(deck: str) -> list[str]:
    return [name.lower() for name in re.findall(r"(?im)^\.(?:model|subckt)\s+(\S+)", deck)]


_named: set[str] = set()
_checks = True


def checks_libraries() -> bool:
    """Whether this process reads a library when parameters name it."""
    return _checks


def leave_checks_to_parent() -> None:
    """Read no library when parameters name it: they come from a process that has, and its decks hold the models."""
    global _checks  # once, at the start of a worker
    _checks = False


def named_like(path: str) -> str | None:
    """Return the model file that the user named in this process and that is, or is called like, one of a table file.

    What a table file names is not read: it may have come from anywhere.
    """
    same = [each for each in sorted(_named) if each == path or Path(each).name == Path(path).name]
    return path if path in _named else same[0] if len(same) == 1 else None


def name_library(path: str | Path) -> None:
    """Name a model file that table files may mean by its name; raise `InputError` when it is none."""
    try:
        check_path(str(Path(path).absolute()))
    except ValueError as error:
        raise InputError(f"{path}: {error}. Pass the path of a model file.") from error


def check_path(path: str) -> str:
    """Return `path`, which the user names; raise `ValueError` when it is no model file, or no plain path.

    From then on the file is one that this process may read.
    """
    if not _checks:
        return path
    if not _PATH.fullmatch(path):
        raise ValueError("must be one path of letters, digits, blanks and ./+,@=:~#%^()-")
    resolved = str(Path(path).resolve())  # a link may point to another name
    if not _PATH.fullmatch(resolved) or _CONTROL.search(path) or _CONTROL.search(resolved):
        raise ValueError("must not contain a folder named like a SPICE control word")
    if not Path(path).is_file():
        raise ValueError(f"must be a model file that exists (looked for {Path(path).resolve()})")
    _named.add(path)
    return path
