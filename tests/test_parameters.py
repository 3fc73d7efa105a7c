import subprocess
import sys
from pathlib import Path

import pytest

from rramkit.cli.options import parameters
from rramkit.errors import InputError
from rramkit.parameters import Parameters, flat, listing, quantity


class Inner(Parameters):
    """A nested record."""

    width: float = quantity(2.0, "m", "how wide", ge=0, le=9)


class Outer(Parameters):
    """A record with a record in it."""

    count: int = quantity(3, "1", "how many", ge=1)
    inner: Inner = Inner()
    last: float = quantity(0.5, "V", "a voltage", gt=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuont = 1", "`cuont` is not a known key. Keys: count, inner, last."),
        ("[inner]\nlength = 1", "`inner.length` is not a known key. Keys: width."),
        ("[inner]\nwidth = 10", "`inner.width` should be less than or equal to 9 m; got 10. Fix this key."),
        ("last = 0", "`last` should be greater than 0 V; got 0. Fix this key."),
        ("last = nan", "`last` should be a finite number; got nan. Fix this key."),
        ("count = 1.5", "`count` should be a valid integer, got a number with a fractional part; got 1.5."),
        ('count = "x"', "`count` should be a valid integer"),
        ("inner = 3", "`inner` should be a group of keys, not a value; got 3."),
        ("count = 0\nlast = 0", "(1 more after this one)"),
        ("count", "not a TOML file"),
        ("count = 1\ncount = 2", "not a TOML file"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_with_its_name(tmp_path, text, message):
    path = tmp_path / "given.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        Outer.from_toml(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert message in line
    assert "\n" not in line


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    for name, complaint in (("none.toml", "No such file"), ("", "Is a directory"), ("latin.toml", "not a TOML file")):
        with pytest.raises(InputError, match=complaint):
            Outer.from_toml(tmp_path / name)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("count", "must be KEY=VALUE"),
        ("=1", "must be KEY=VALUE"),
        ("count.x=1", "`count` should be a valid integer"),
        ("inner.length=1", "`inner.length` is not a known key"),
        ("last=inf", "finite"),
        ("last=a word", "`last` should be a valid number"),
    ],
)
def test_pairs_that_do_not_fit(pair, message):
    with pytest.raises(InputError, match=message):
        parameters(Outer, None, [pair])


def test_pairs_go_on_top_of_a_file(tmp_path):
    path = tmp_path / "given.toml"
    path.write_text("count = 7\n[inner]\nwidth = 4\n")
    found = parameters(Outer, path, ["inner.width=5", "last=1e-3"])
    assert (found.count, found.inner.width, found.last) == (7, 5.0, 1e-3)
    with pytest.raises(InputError, match="`count` is a value, not a group"):
        parameters(Outer, path, ["count.x=1"])


def test_a_key_names_the_values_on_every_machine():
    assert Outer().key() == Outer(count=3).key()
    assert Outer().key() != Outer(count=4).key() != Outer(inner=Inner(width=1)).key()
    program = "from test_parameters import Outer; print(Outer().key())"
    here = Path(__file__).parent
    for seed in ("1", "2"):  # of Python's own hash, which differs from process to process
        environment = {"PYTHONPATH": f"{here}:{here.parent}", "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.stdout.strip() == Outer().key(), done.stderr


def test_frozen_and_described():
    with pytest.raises(ValueError, match="frozen"):
        Outer().count = 4
    assert Outer().described() == [("count", 3, "1", "how many"), ("last", 0.5, "V", "a voltage")]
    assert [row[0] for row in flat(Outer())] == ["count", "last", "inner.width"]
    assert "inner.width = 2.0 m" in listing(Outer())
