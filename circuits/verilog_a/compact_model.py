"""A compact model in OSDI form, from a Verilog-A text (.va) or a compiled file (.osdi) that the user names.

A compiled file is machine code. It is loaded only where the user named it, or its text, in this process: a deck names
models by hash alone (`note`), and the hash is looked up among those, and among the kit's own texts.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rramkit import netlists
from rramkit.circuits.model_text import has_changed, stamp_of
from rramkit.circuits.verilog_a import lint
from rramkit.circuits.verilog_a.compiler import compiled, find_compiler, kept_copy, kept_result
from rramkit.circuits.verilog_a.lint import Complaint
from rramkit.circuits.verilog_a.source import Source, source
from rramkit.errors import InputError

_SUFFIXES = (".va", ".osdi")
_SECONDS = 60.0  # wall clock of reading a file's tables, which takes 0.05 s
_NOTE = re.compile(r"(?m)^\* compiled model: (?P<name>[\w.+-]+) (?P<sha256>[0-9a-f]{64})\b")


@dataclass(frozen=True)
class Module:
    """One module of a compact model: name, pins in order, parameters that are numbers; all in lower case."""

    name: str
    pins: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class CompactModel:
    """A compact model that ngspice can load.

    Attributes
    ----------
    path : str
        The file that the user named.
    file : str
        The compiled file, named by what is in it.
    sha256 : str
        Hash of the flattened text, or, where there is none, of the compiled file.
    compiler : str
        What compiled the text; empty: it came compiled.
    modules : tuple of Module
        What it holds.
    """

    path: str
    file: str
    sha256: str
    compiler: str
    modules: tuple[Module, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names of its modules."""
        return frozenset(module.name for module in self.modules)


def is_compact_model(path: str) -> bool:
    """Return whether a path is that of a Verilog-A text or of a compiled model."""
    return Path(path).suffix.lower() in _SUFFIXES


@dataclass(frozen=True)
class _Read:
    """What was made of a file: its text, if it is one, what speaks against it, and the model once it is compiled."""

    stamps: dict[str, tuple[int, int]]
    text: Source | None = None
    faults: tuple[Complaint, ...] = ()
    device_faults: tuple[Complaint, ...] = ()
    model: CompactModel | None = None


_known: dict[str, _Read] = {}
_by_hash: dict[str, CompactModel] = {}


def compact_model(path: str) -> CompactModel:
    """Return the compact model of a file that the user names, compiled where it is a text.

    The file is read again where it, or a file that it includes, was edited.

    Raises
    ------
    InputError
        When the file cannot be read, does not compile, holds what must not be in a model, or is no OSDI file.
    SetupError
        When a text needs a compiler and there is none.
    """
    read = _read(path)
    if read.model is not None:
        return read.model
    name = Path(path).name
    if read.text is None:
        file, sha256 = kept_copy(Path(path))
        model = CompactModel(path, str(file), sha256, "", _modules(file, name))
    elif read.faults:
        raise InputError(lint.in_one_line(read.faults))
    else:
        file, compiler = compiled(read.text, name)
        model = CompactModel(path, str(file), read.text.sha256, compiler, _modules(file, name))
    _known[path] = replace(read, model=model)
    _by_hash[model.sha256] = model
    return model


def can_be_compiled(path: str) -> bool:
    """Return whether this machine has a compiler, or the result that one has left of a text."""
    text = _read(path).text
    return find_compiler() is not None or (text is not None and kept_result(text) is not None)


def check_device(path: str) -> None:
    """Raise `InputError` where a text has what no ReRAM device may have: a state that the simulator does not know."""
    found = _read(path).device_faults
    if found:
        raise InputError(lint.in_one_line(found))


def _read(path: str) -> _Read:
    known = _known.get(path)
    if known is None or any(has_changed(Path(each), mark) for each, mark in known.stamps.items()):
        known = _known[path] = _fresh(path)
    return known


def _fresh(path: str) -> _Read:
    if not is_compact_model(path):
        raise InputError(f"{path} must end in .va, a Verilog-A text, or in .osdi, a compiled one. Pass such a file.")
    if Path(path).suffix.lower() == ".osdi":
        return _Read({path: stamp_of(Path(path))})
    text = source(path)
    stamps = {each: stamp_of(Path(each)) for each in text.files}
    return _Read(stamps, text, tuple(lint.of_any_model(text)), tuple(lint.complaints(text)))


def _modules(file: Path, name: str) -> tuple[Module, ...]:
    """Return what a compiled file holds, read in a process of its own: it is code, and may end that."""
    script = Path(__file__).with_name("describe.py")
    answer: dict[str, Any]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(script), str(file)],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        answer = {"error": "its tables cannot be read"}
    if "error" in answer:
        raise InputError(f"{name} is no compiled model that ngspice loads ({answer['error']}). Compile it again.")
    return tuple(
        Module(
            each["name"].lower(),
            tuple(pin.lower() for pin in each["pins"]),
            tuple(key.lower() for key in each["parameters"]),
        )
        for each in answer["modules"]
    )


def note(model: CompactModel) -> str:
    """Return the line of a deck that asks for a model: its file's name, its hash, and what compiled it."""
    name = re.sub(r"[^\w.+-]", "_", Path(model.path).name)
    return f"* compiled model: {name} {model.sha256} {model.compiler}".rstrip()


def models_of_deck(deck: str) -> tuple[CompactModel, ...]:
    """Return the models that a deck asks for.

    Raises `InputError` for one that is not the kit's own and that the user has not named in this process.
    """
    if "* compiled model: " not in deck:
        return ()
    found = {match["sha256"]: match["name"] for match in _NOTE.finditer(deck)}
    for sha256 in set(found) - set(_by_hash):
        _compile_own(sha256)
    missing = [name for sha256, name in found.items() if sha256 not in _by_hash]
    if missing:
        raise InputError(
            f"the deck needs the compiled model {missing[0]}, which is machine code and is not loaded by itself. Name "
            f"yours, of the same text: `--osdi {missing[0]}` (`compact_model` in Python)."
        )
    return tuple(_by_hash[sha256] for sha256 in found)


def _compile_own(sha256: str) -> None:
    """Compile the kit's own text of that hash, if it is one."""
    for path in sorted(str(each) for each in netlists.FOLDER.glob("*.va")):
        text = _read(path).text
        if text is not None and text.sha256 == sha256:
            compact_model(path)
