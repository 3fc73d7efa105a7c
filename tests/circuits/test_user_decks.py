"""Decks that people bring: every analysis with its values and units, files beside the deck, and what is refused."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.deck_file import DeckOptions, place, read_deck, with_notes
from rramkit.characterization.spice_numbers import spice_number
from rramkit.errors import InputError, SimulationError

GMIN = 1e-9  # of a divider of kiloohms: 1e-12 S beside it
LOW_PASS = "low pass\nV1 in 0 dc 0 ac 1\nR1 in out 1k\nC1 out 0 159.154943n\n.ac dec 10 10 100k\n.end\n"
DIVIDER = "V1 in 0 {source}\nR1 in out 1k\nR2 out 0 3k\n"


@pytest.fixture
def deck(tmp_path):
    """Write a deck file, and return its text as ngspice gets it."""

    def read(text, name="x.cir", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_deck(path, DeckOptions(**options))

    return read


def test_small_signal_vectors_are_complex(pool, deck):
    (waves,) = pool.results(deck(LOW_PASS)).analyses
    frequency = waves.abscissa
    assert frequency.dtype == float and frequency[-1] == near(100e3, 1e-12)
    exact = 1 / (1 + 1j * frequency / 1e3)  # 1/(2 pi R C) = 1000 Hz to nine digits
    assert np.max(np.abs(waves["v(out)"] - exact)) < 1e-8
    assert abs(waves["v(out)"][-1]) == near(10.0e-3, 1e-3)
    assert np.degrees(np.angle(waves["v(out)"][-1])) == near(-89.427, within=1e-3)  # -arctan(100)
    assert (waves.unit("frequency"), waves.unit("v(out)"), waves.unit("i(v1)")) == ("Hz", "V", "A")


def test_several_analyses_come_in_the_order_of_the_deck(pool, deck):
    text = (
        "several\n" + DIVIDER.format(source="dc 1 ac 1") + ".noise v(out) v1 dec 2 10 1k\n.dc V1 0 2 1\n.tf v(out) v1\n"
    )
    results = pool.results(deck(text + ".ac lin 1 1k 1k\n.dc V1 0 4 2\n.op\n.end\n"))
    assert [waves.kind for waves in results.analyses] == ["noise", "dc", "tf", "ac", "dc", "op"]
    noise, first, transfer, _, second, point = results.analyses
    assert [first["v(out)"][-1], second["v(out)"][-1]] == [near(1.5, GMIN), near(3.0, GMIN)]
    assert noise["onoise_spectrum"][0] == near(np.sqrt(4 * 1.380649e-23 * 300.15 * 750), 1e-5)  # of 750 ohm
    assert noise.unit("onoise_spectrum") == "V/√Hz" and noise.unit("onoise_total") == "V"
    assert noise.measures["onoise_total"] == near(noise["onoise_spectrum"][0] * np.sqrt(990), 1e-5)
    assert transfer["transfer_function"][0] == near(0.75, GMIN)
    assert transfer.unit("transfer_function") == "1"
    assert transfer.unit("v1#input_impedance") == "ohm"
    assert point["v(out)"][0] == near(0.75, GMIN)


def test_the_noise_of_a_current_source_is_in_amperes(pool, deck):
    (waves,) = pool.results(deck("t\nI1 a 0 ac 1\nR1 a 0 1k\n.noise v(a) i1 dec 1 1k 10k\n.end\n")).analyses
    assert waves.unit("inoise_spectrum") == "A/√Hz" and waves.unit("onoise_spectrum") == "V/√Hz"
    assert waves["inoise_spectrum"][0] == near(np.sqrt(4 * 1.380649e-23 * 300.15 / 1e3), 1e-5)


def test_a_temperature_sweep_has_its_unit(pool, deck):
    text = "t\nV1 a 0 1\nR1 a 0 1k tc1=0.01\n.dc temp -40 125 5\n.save @r1[i] i(v1) @r1[p]\n.end\n"
    (waves,) = pool.results(deck(text)).analyses
    assert (waves.scale, waves.unit("temp-sweep"), waves.abscissa[0]) == ("temp-sweep", "degC", -40)
    exact = 1e-3 / (1 + 0.01 * (waves.abscissa - 27))
    np.testing.assert_allclose(waves["@r1[i]"], exact, rtol=1e-9)  # gmin
    assert [waves.unit(name) for name in ("@r1[i]", "i(v1)", "@r1[p]", "v(a)")] == ["A", "A", "W", "V"]


@pytest.mark.parametrize(
    ("swept", "scale", "unit"), [("V1 0 1 1", "v-sweep", "V"), ("R1 1k 2k 1k", "res-sweep", "ohm")]
)
def test_what_else_is_swept_has_its_unit(pool, deck, swept, scale, unit):
    (waves,) = pool.results(deck(f"t\nV1 a 0 1\nR1 a 0 1k\n.dc {swept}\n.end\n")).analyses
    assert (waves.scale, waves.unit(scale)) == (scale, unit)


def test_two_sweeps_in_one_line_must_be_whole(pool, deck):
    (waves,) = pool.results(deck("t\nV1 a 0 1\nV2 b 0 1\nR1 a b 1k\n.dc V1 0 2 1 V2 0 1 0.5\n.end\n")).analyses
    assert waves["i(v1)"].size == 9
    assert waves["i(v1)"][-1] == near(-1e-3, GMIN)


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("@m1[id]", "A"), ("@m1[gm]", "S"), ("@m1[vdsat]", "V"), ("@m1[cgs]", "F"), ("@m1[whatever]", "1")],
)
def test_quantities_of_devices_have_units(quantity, unit):
    from rramkit.characterization.vector_units import unit_of

    assert unit_of(quantity, "dc") == unit


def test_a_quantity_that_a_device_lacks_is_told(pool, deck):
    text = "t\nV1 d 0 1\nM1 d d 0 0 mn w=1u l=1u\n.model mn nmos level=1 vto=0.5 kp=200u\n.save @m1[id] @m1[vth]\n"
    results = pool.results(deck(text + ".dc V1 0 1 0.5\n"))
    assert results.warnings == ("`@m1[vth]` has no values in `.dc`",)
    assert results.analyses[0]["@m1[id]"][-1] == near(25e-6, 1e-6)  # kp/2 (1 - vto)^2; gmin beside it


def test_measures_that_fail_are_named_with_the_reason(pool, deck):
    text = (
        "t\nV1 in 0 pulse(0 1 1n 1n 1n 10n)\nR1 in out 1k\nC1 out 0 1p\n.save v(out)\n.tran 0.1n 30n\n"
        ".meas tran vmax max v(out)\n.meas tran t_cross when v(out)=5 rise=1\n.meas tran charge integ i(v1)\n"
        ".meas ac gain max vm(out)\n.end\n"
    )
    results = pool.results(deck(text))
    assert results.analyses[0].measures == {"vmax": near(1.0, 1e-4)}  # charged for ten time constants
    assert results.not_measured == {
        "t_cross": "out of interval",
        "charge": "no such vector as 'i(v1)'",
        "gain": "there is no `.ac`",
    }


def test_a_measure_of_two_analyses_of_one_kind_is_refused(pool, deck):
    text = "t\nV1 a 0 1\nR1 a 0 1k\n.tran 1n 10n\n.tran 1n 20n\n.meas tran x max v(a)\n.end\n"
    with pytest.raises(SimulationError, match=r"2 `\.tran` lines and a `\.meas tran`"):
        pool.results(deck(text))


def test_a_saved_vector_that_is_not_there_is_told(pool, deck):
    results = pool.results(deck("t\nV1 a 0 1\nR1 a 0 1k\n.save v(a) v(zz) i(r1)\n.op\n.end\n"))
    assert results.warnings == (
        "`.save v(zz)`: there is no such vector",
        "`.save i(r1)`: there is no such vector (ngspice calls the current of a device `@r1[i]`)",
    )


def test_steps_of_attoseconds(pool, deck):
    text = "t\nV1 in 0 pulse(0 1 1a 1a 1a 10a)\nR1 in out 1k\nC1 out 0 1e-24\n.tran 1a 100a\n.end\n"
    (waves,) = pool.results(deck(text)).analyses
    assert waves["time"][-1] == near(100e-18, 1e-6)
    assert spice_number("10a") == near(10e-18, 1e-15)


@pytest.mark.parametrize(
    "title", ["", "  ", ".include nosuch.lib", ".end", "* a comment", "+ 5 V", "é µ [b] $x$", "V1 is"]
)
def test_any_title_line(pool, deck, title):
    (waves,) = pool.results(deck(f"{title}\n" + DIVIDER.format(source=2) + ".op")).analyses
    assert waves["v(out)"][0] == near(1.5, GMIN)


def test_indented_lines_continuations_and_what_follows_the_end(pool, deck):
    text = (
        "t\n  V1 in 0\n+ 2 ; supply\n\tR1 in out 1k $ upper\n  * between\n R2 out 0\n\n+ 3k\n  .OP\n .END\nR3 out 0 1\n"
    )
    (waves,) = pool.results(deck(text)).analyses
    assert waves["v(out)"][0] == near(1.5, GMIN)


def test_a_micro_sign_is_a_u(pool, deck):
    for encoding in ("utf-8", "latin-1"):
        (waves,) = pool.results(deck("t\nV1 a 0 1\nR1 a 0 1\xb5\n.op\n".encode(encoding))).analyses
        assert waves["i(v1)"][0] == near(-1e6, 1e-9)


def test_a_comment_hides_no_card(deck):
    assert ".control" not in deck("t\n* a\u2028.control\n* b\x0b.control\nR1 a 0 1\nV1 a 0 1\n.op\n").splitlines()


WAVE = "* time and value\n0 0\n1e-9, 1\n5e-9 2\n10e-9 0\n"


@pytest.mark.parametrize("name", ["wave.txt", "my waves/Wave (1) é.txt"])
@pytest.mark.parametrize(
    "source",
    [
        'A1 %v([in]) fs\n.model fs filesource (file="NAME" amploffset=[0] amplscale=[1])',
        'V1 in 0 PWL file="NAME"',
        'V1 in 0 pwl(file="NAME")',
    ],
)
def test_a_waveform_from_a_file_beside_the_deck(pool, deck, tmp_path, name, source):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(WAVE)
    text = f"t\n{source.replace('NAME', name)}\nR1 in 0 1k\n.tran 0.1n 10n\n.meas tran vmax max v(in)\n.end\n"
    measures = pool.results(deck(text)).analyses[0].measures
    assert measures["vmax"] == near(2.0, 0.02)  # a filesource sets no time points: the peak is cut by up to 0.1 ns


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nosuch.txt", None, "no such waveform file"),
        ("../outside.txt", WAVE, "must lie beside the deck"),
        ("words.txt", "0 0\nroot:x:0:0\n", "words.txt, line 2: a waveform file must hold numbers"),
    ],
)
def test_a_waveform_file_that_is_refused(deck, tmp_path, name, content, complaint):
    if content is not None:
        (tmp_path / name).write_text(content)
    for line in (f'V1 in 0 pwl file="{name}"', f'.model fs filesource (file="{name}")'):
        with pytest.raises(InputError, match=rf"line 2: .*{complaint}"):
            deck(f"t\n{line}\nR1 in 0 1k\n.tran 1n 10n\n")


@pytest.mark.parametrize("second", ['file="/etc/hostname"', 'file "/etc/hostname"', "FILE = /etc/hostname"])
def test_a_line_names_one_file(deck, tmp_path, second):
    (tmp_path / "w.txt").write_text(WAVE)
    for line in (f'V1 in 0 pwl(file="w.txt") {second}', f'.model fs filesource (file="w.txt" {second})'):
        with pytest.raises(InputError, match="line 2: a line must name one file"):
            deck(f"t\n{line}\nR1 in 0 1k\n.tran 1n 10n\n")


def test_suffixes_are_for_points_that_the_kit_reads(pool, deck, tmp_path):
    (tmp_path / "w.txt").write_text("0 0 1n 1\n5n 2k\n")
    (waves,) = pool.results(deck('t\nV1 in 0 pwl file="w.txt"\nR1 in 0 1k\n.tran 0.1n 5n\n')).analyses
    assert waves["v(in)"][-1] == near(2000, 1e-9)
    with pytest.raises(InputError, match="numbers, without suffixes"):
        deck('t\n.model fs filesource (file="w.txt")\nR1 in 0 1k\n.tran 1n 10n\n')


def test_times_of_a_waveform_must_increase(deck, tmp_path):
    (tmp_path / "w.txt").write_text("0 0\n2n 1\n1n 0\n")
    with pytest.raises(InputError, match="the times increasing"):
        deck('t\nV1 in 0 pwl file="w.txt"\nR1 in 0 1k\n.tran 1n 10n\n')


THRESHOLD = "t\nV1 a 0 3\nB1 a 0 i = IF(v(a)>2, 2m, 1m) + 1m*2**3\n.op\n.backanno\n.end\n"


@pytest.mark.parametrize("behaviour", ["ltspice", "pspice"])
def test_the_syntax_of_other_simulators(pool, deck, behaviour):
    (waves,) = pool.results(deck(THRESHOLD, behaviour=behaviour)).analyses
    assert waves["i(v1)"][0] == near(-10e-3, GMIN)
    with pytest.raises(
        SimulationError, match=r"no such function 'if' at x\.cir, line 3, `B1 a 0 i = IF.*`--behaviour`"
    ):
        pool.results(deck(THRESHOLD))  # the mode does not last


CONTROL = (
    "t\nV1 a 0 3\nR1 a 0 1k\n.control\nop\nset where=here\necho it is $where\nprint i(v1)\nwrite out.raw\n.endc\n.end\n"
)


def test_control_sections_run_only_where_they_are_trusted(pool, deck, tmp_path):
    with pytest.raises(InputError, match=r"line 4: a \.control section .*`--trust-control`"):
        deck(CONTROL)
    results = pool.results(deck(CONTROL, trust_control=True), tmp_path)
    assert [waves["i(v1)"][0] for waves in results.analyses] == [near(-3e-3, GMIN)]
    assert "it is here" in results.printed
    assert (tmp_path / "out.raw").exists()
    (tmp_path / "inner.inc").write_text(".control\nop\n.endc\n")
    with pytest.raises(InputError, match=r"inner\.inc, line 1: a \.control section"):
        deck("t\n.include inner.inc\nR1 a 0 1\n.op\n", trust_control=True)


SILENT = {
    "second model": (
        ".model d d is=1e-14\n.model d d is=1e-12\nD1 in 0 d\n",
        "line 6: `d` is defined a second time .*line 5",
    ),
    "second parameter": (".param a=1\n.param b=2 a=3\n", "line 6: `a` is defined a second time"),
    "parameter that a subcircuit lacks": (
        ".subckt s a b r=1k\nR1 a b {r}\n.ends\nX1 in 0 s q=2\n",
        "line 8: `X1` gives `q`, which `s` does not take",
    ),
    "multiplier in a multiplied subcircuit": (
        ".subckt s a b\nR1 a b 1k m=3\n.ends\nX1 in 0 s m=2\n",
        "line 8: `m=` of this line would replace",
    ),
    "multiplier two levels down": (
        ".subckt q a b\nR1 a b 1k\n.ends\n.subckt s a b\nX1 a b q m=3\n.ends\nX1 in 0 s m=2\n",
        "line 11: `m=` of this line would replace",
    ),
    "multiplier that is a parameter": (
        ".subckt s a b n=1\nR1 a b 1k m={n}\n.ends\nX1 in 0 s m=2 n=3\n",
        "line 8: `m=` of this line would replace",
    ),
    "multiplier that a subcircuit takes and does not use": (
        ".subckt s a b m=1\nR1 a b 1k\n.ends\nX1 in 0 s m=2\n",
        "line 8: `m=` of this line would do nothing",
    ),
    "controlled by a multiplied current": (
        ".subckt s a b\nV1 a c 0\nR1 c b 1k\nF1 a b v1 1\n.ends\nX1 in 0 s m=2\n",
        "line 10: `m=` of this line would count twice",
    ),
    "unknown option": (".options reltol=1e-4 abstoll=1e-15\n", "line 5: ngspice has no option `abstoll`"),
}


@pytest.mark.parametrize(("lines", "complaint"), SILENT.values(), ids=SILENT)
def test_what_ngspice_passes_over_without_a_word(deck, lines, complaint):
    text = "t\n" + DIVIDER.format(source=1) + lines + ".op\n.end\n"
    with pytest.raises(InputError, match=complaint):
        deck(text)
    assert deck(text, waive=("second time", "does not take", "m=", "abstoll"))


MULTIPLIED = {
    "plain": (".subckt s a b\nR1 a b 1k\n.ends\nX1 in 0 s m=2\n", 2),
    "inherited": (".subckt s a b\nR1 a b 1k m={m}\n.ends\nX1 in 0 s m=2\n", 2),
    "replaces a parameter that is 1": (".subckt s a b n=1\nR1 a b 1k m={n}\n.ends\nX1 in 0 s m=2\n", 2),
    "a parameter of the subcircuit": (".subckt s a b m=1\nR1 a b 1k m={3*m}\n.ends\nX1 in 0 s m=2\n", 6),
}


@pytest.mark.parametrize(("lines", "times"), MULTIPLIED.values(), ids=MULTIPLIED)
def test_multipliers_that_pass_act(pool, deck, lines, times):
    (waves,) = pool.results(deck(f"t\nV1 in 0 1\n{lines}.op\n.end\n")).analyses
    assert waves["i(v1)"][0] == near(-times * 1e-3, GMIN)


def test_what_looks_like_these_and_is_right(pool, deck):
    text = (
        "t\nV1 in 0 1\n.param w={1 == 1 ? 2 : 3}\n.subckt s a b params: r=1k\nR1 a b {r} m={m}\n.ends\n"
        "X1 in 0 s r={ w * 1k } m=2\nX2 in 0 s m = 1\n.options savecurrents post=2\n.options temp={20 + 7}\n.op\n.end\n"
    )
    (waves,) = pool.results(deck(text)).analyses
    assert waves["i(v1)"][0] == near(-2e-3, GMIN)


WARNED = {
    "model's parameter": (
        ".model d d is=1e-14 foo=3\nD1 in 0 d\n",
        r"x\.cir, line 5, `\.model d d is=1e-14 foo=3`: unrecognized parameter \(foo\) - ignored",
    ),
    "initial condition of no node": (".ic v(zz)=1\n", "IC on non-existent node - zz, ignored.*ic v"),
    "second subcircuit in a condition": (
        ".if (1)\n.subckt s a b\nR1 a b 1\n.ends\n.endif\n.subckt s a b\nR1 a b 2\n.ends\nX1 in 0 s\n",
        "redefinition of .subckt s, ignored",
    ),
    "times that fall": ("V2 b 0 pwl(0 0 2n 1 1n 0)\nR3 b 0 1k\n", "non-increasing PWL time points"),
}


@pytest.mark.parametrize(("lines", "complaint"), WARNED.values(), ids=WARNED)
def test_warnings_that_change_numbers_are_errors_unless_waived(pool, deck, lines, complaint):
    text = "t\n" + DIVIDER.format(source=1) + lines + ".op\n.end\n"
    with pytest.raises(SimulationError, match=f"{complaint}.*`--waive`") as caught:
        pool.results(deck(text))
    assert caught.value.reason == "parse"
    told = ("foo", "zz", "redefinition", "non-increasing")
    assert pool.results(deck(text, waive=told)).warnings == ()


def test_other_warnings_are_told_once(pool, deck):
    floating = "t\nV1 a 0 1\nR1 a 0 1k\nC1 a b 1n\nC2 b c 1n\n.op\n.end\n"
    assert pool.results(deck(floating)).warnings == ("singular matrix:  check node b",)
    short = "t\nV1 a 0 1\nR1 a b 0\nR2 b 0 1k\n.op\n.end\n"
    assert pool.results(deck(short)).warnings == ("Value of resistor r1 is too small, set to 1.000000e-12",)


def test_an_error_of_a_nested_file_is_given_by_its_line(pool, deck, tmp_path):
    (tmp_path / "inner.inc").write_text("* a comment\n\nR3 in 0 1k\nR4 in 0 1k foo=3\n")
    text = "t\n" + DIVIDER.format(source=1) + ".include inner.inc\nR9 in 0 1k\n.op\n.end\n"
    with pytest.raises(SimulationError, match=r"inner\.inc, line 4, `r4 in 0 1k foo=3`: unknown parameter \(foo\)"):
        pool.results(deck(text))
    (tmp_path / "inner.inc").write_text("R3 in 0 1k\n")
    with pytest.raises(SimulationError, match=r"x\.cir, line 6, `r9 in 0 1k bar=1`: unknown parameter \(bar\)"):
        pool.results(deck(text.replace("R9 in 0 1k", "R9 in 0 1k bar=1")))


def test_the_place_of_a_line():
    text = "t\n* file x.cir, line 2\nV1 a 0 1\n\nR1 a 0 1\n* file y.inc, line 7\nR2 a 0 1\n* end of file\n.op\n"
    assert [place(text, number) for number in (3, 4, 6)] == ["x.cir, line 2", "x.cir, line 4", "y.inc, line 7"]
    assert place(text, 8) == "line 9 of the deck" and place(text, 99) == "line 99 of the deck"


@pytest.mark.parametrize("text", ["", "  ", "a\n.control", "a\u2028b"])
def test_a_waiver_is_one_line(text):
    with pytest.raises(InputError, match="`waive` must be part of a message"):
        with_notes("t\n.op\n.end\n", DeckOptions(waive=(text,)))
