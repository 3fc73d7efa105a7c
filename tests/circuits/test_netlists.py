import hashlib
import re

import pytest

from rramkit import netlists
from rramkit.errors import InputError

LIBRARIES = sorted(path.name for path in netlists.FOLDER.glob("*.lib"))


def uses(text):
    """One instance of all that a library defines and does not use itself, so that ngspice reads every line of it."""
    lines, inner = [], set(re.findall(r"(?m)^X\w+ .* (\w+)$", text))
    for name, pins in re.findall(r"(?m)^\.subckt (\w+) ([^=\n]*?)(?:\s+\w+=.*)?$", text):
        if name in inner:
            continue
        others = [f"n{len(lines)}_{k}" for k in range(len(pins.split()) - 2)]
        lines.append(f"X{len(lines)} {' '.join(['a', '0', *others])} {name}")
    for name, kind in re.findall(r"(?m)^\.model (\w+) (\w+)", text):
        assert kind in ("nmos", "pmos")
        lines.append(f"M{len(lines)} a a 0 0 {name} w=1u l=0.5u")
    assert lines
    return "\n".join(lines)


def test_there_are_libraries():
    assert netlists.RRAM_SKY130 in LIBRARIES
    assert {f"cmos_45nm_{corner}.lib" for corner in ("tt", "ff", "ss")} <= set(LIBRARIES)


@pytest.mark.spice
@pytest.mark.parametrize("name", LIBRARIES)
def test_every_library_parses_and_solves(pool, name):
    text = netlists.text(name)
    bench = f"V1 v 0 pwl(0 0 10p 0.1)\nR1 v a 1k\n{uses(text)}\n.options method=gear\n.tran 1p 30p uic"
    waves = pool.run(f"{name}\n{text}\n{bench}\n.end\n")
    assert waves["i(v1)"][-1] != 0.0  # from initial conditions: a moving state has no operating point to find


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_hash_is_that_of_the_file(name):
    assert netlists.sha256(name) == hashlib.sha256((netlists.FOLDER / name).read_bytes()).hexdigest()


def test_an_unknown_library_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"nosuch\.lib: no such model file. Libraries of the kit: cmos_45nm_ff\.lib"):
        netlists.text("nosuch.lib")
