import hashlib

import pytest

from rramkit import netlists
from rramkit.errors import InputError

LIBRARIES = sorted(path.name for path in netlists.FOLDER.glob("*.lib"))
# One instance of what each library defines, so that ngspice reads every line of it.
USES = {
    "rram": "X1 a 0 s rram_sky130 s_0=0.5\nX2 a 0 rram_sky130_held s_0=0.5\n",
    "cmos": "".join(
        f"M{k} a a 0 0 {model} w=1u l=0.5u\n"
        for k, model in enumerate(("nmos_core", "pmos_core", "nmos_io", "pmos_io"))
    ),
}


def test_there_are_libraries():
    assert netlists.RRAM_SKY130 in LIBRARIES
    assert {f"cmos_45nm_{corner}.lib" for corner in ("tt", "ff", "ss")} <= set(LIBRARIES)


@pytest.mark.spice
@pytest.mark.parametrize("name", LIBRARIES)
def test_every_library_parses_and_solves(pool, name):
    uses = next(lines for family, lines in USES.items() if name.startswith(family))
    waves = pool.run(f"{name}\n{netlists.text(name)}\nV1 a 0 0.1\n{uses}.op\n.end\n")
    assert waves["i(v1)"][0] != 0.0


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_hash_is_that_of_the_file(name):
    assert netlists.sha256(name) == hashlib.sha256((netlists.FOLDER / name).read_bytes()).hexdigest()


def test_an_unknown_library_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"nosuch\.lib: no such model file. Libraries of the kit: cmos_45nm_ff\.lib"):
        netlists.text("nosuch.lib")
