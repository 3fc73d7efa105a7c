"""Shapes in which people keep pulse data: each recovers the made-up device, or is refused with the option to add."""

import random
import warnings
from functools import partial

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.measured.importer import from_pulses
from rramkit.characterization.measured.settings import FileSettings, ImportSettings, ReadSettings
from rramkit.characterization.measured.sheet import number
from rramkit.errors import InputError
from rramkit.surrogate.grid import GridSurrogate

LOW, HIGH, RATE = 2e-6, 20e-6, 0.06  # S, S, 1: soft bounds of the made-up cell
BOUNDS = {"set": 22e-6, "reset": 1e-6}


def walk(polarity, pulses, *, start=None, gain=1.0):
    """Slow obvious loop: the conductance before the first pulse and after each."""
    g = (LOW if polarity == "set" else HIGH) if start is None else start
    reads = [g]
    for _ in range(pulses):
        g += gain * RATE * (BOUNDS[polarity] - g)
        reads.append(g)
    return np.array(reads)


UP, DOWN = walk("set", 40), walk("reset", 40)
LOOP = {"set": UP, "reset": walk("reset", 40, start=UP[-1])}  # one after the other, as a cell is cycled
BACK = walk("set", 40, start=LOOP["reset"][-1])


def rows(header, *columns, sep=",", mark="."):
    """Return text of columns under a header; numbers to seven digits."""

    def cell(value):
        return value if isinstance(value, str) else f"{value:.7g}".replace(".", mark)

    lines = [sep.join(map(cell, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header, *lines] if header else lines) + "\n"


def polarities(*sizes):
    return [name for k, size in enumerate(sizes) for name in [("set", "reset")[k % 2]] * size]


def check(file, *, gain=1.0, tolerance=0.01):
    """Hold the changes of both tables against the closed form, to a part of the largest."""
    for polarity, bound in BOUNDS.items():
        made = file[polarity]
        g = made.axes["g_start"].values
        low, high = g[0] + 0.08 * np.ptp(g), g[-1] - 0.08 * np.ptp(g)  # beyond the last level nothing was measured
        inside = np.linspace(low, high, 9)
        change = GridSurrogate(made, "delta_g").at(inside, float(made.axes["v_pulse"].values[0]))
        expected = gain * RATE * (bound - inside)
        # One read in five is kept out: differences of a cubic across the gap, 0.8 % of the largest change
        np.testing.assert_allclose(change, expected, rtol=0, atol=tolerance * np.max(np.abs(expected)))


# --- shapes that are read


def latin1_long():
    columns = polarities(41, 41), [*UP * 1e6, *DOWN * 1e6], [1.2] * 82, [1] * 82
    return rows("Polarity;G (µS);V_pulse (V);Cycle", *columns, sep=";").encode("latin-1")


def german_long():
    text = rows("Polarity;Conductance (µS)", polarities(41, 41), [*UP * 1e6, *DOWN * 1e6], sep=";", mark=",")
    return b"\xef\xbb\xbf" + text.encode()


def french_tabs():
    text = rows("pulse\tpotentiation [nS]\tdepression [nS]", range(41), UP * 1e9, DOWN * 1e9, sep="\t", mark=",")
    return text.encode("utf-16")


def between_bars():
    return rows("Polarity|R (kOhm)|Cycle", polarities(41, 41), 1e-3 / np.r_[UP, DOWN], [1] * 82, sep="|").encode()


def origin_export():
    names = "Pulse\tG_LTP\tG_LTD\n\tuS\tuS\nmade up\tdevice A\tdevice A\n"
    return (names + rows("", range(41), UP * 1e6, DOWN * 1e6, sep="\t")).encode()


def pairs_of_columns():
    return rows("Pulse,Potentiation (uS),Pulse,Depression (uS)", range(41), UP * 1e6, range(41), DOWN * 1e6).encode()


def spaced_names():
    return rows("Pulse number    Set (uS)    Reset (uS)", range(41), UP * 1e6, DOWN * 1e6, sep="   ").encode()


def type_of_words():
    columns = polarities(41, 41, 41, 41), 1e-3 / np.concatenate([UP, DOWN, UP, DOWN])
    return rows("kind;R_kOhm", *columns, sep=";", mark=",").encode()


def two_cycles_wide():
    header = "N,LTP cycle 1 (uS),LTD cycle 1 (uS),LTP cycle 2 (uS),LTD cycle 2 (uS)"
    return rows(header, range(41), UP * 1e6, DOWN * 1e6, UP * 1e6, DOWN * 1e6).encode()


def stacked_cycles():
    return rows("Direction,R (kOhm)", polarities(41, 41, 41, 41), 1e-3 / np.concatenate([UP, DOWN, UP, DOWN])).encode()


def stacked_sets_then_resets():
    values = np.concatenate([UP, UP, UP, DOWN, DOWN, DOWN])
    return rows("Polarity,G[S]", ["SET"] * 123 + ["RESET"] * 123, values).encode()


def blank_lines():
    parts = [rows("", range(41), part * 1e6) for part in (UP, DOWN, UP, DOWN)]
    return ("Pulse number, Conductance (uS)\n" + "\n\n".join(parts)).encode()


def one_column_of_turns():
    values = np.concatenate([UP, LOOP["reset"][1:], BACK[1:]])
    return rows("Pulse #,Conductance (uS)", range(values.size), values * 1e6).encode()


def one_column_repeats_turns():
    values = np.concatenate([UP, LOOP["reset"], BACK])
    return rows("Conductance (uS)", values * 1e6).encode()


def signed_amplitude(sign=1.0):
    v = sign * np.array([1.1] * 41 + [-1.3] * 41)
    return rows(
        "Pulse voltage (mV),Pulse width (us),g_cell (uS)", v * 1e3, [0.1] * 82, [*UP * 1e6, *DOWN * 1e6]
    ).encode()


def interleaved():
    order = np.column_stack([UP, DOWN]).ravel() * 1e6
    return rows("pulse,polarity,G / uS", np.repeat(np.arange(41), 2), ["up", "down"] * 41, order).encode()


def every_fifth():
    up, down = (walk(p, 200, gain=0.2)[::5] for p in ("set", "reset"))
    return rows("Pulse No.,Set (uS),Reset (uS)", range(0, 201, 5), up * 1e6, down * 1e6).encode()


def unevenly_read():
    at = np.unique(np.round(np.geomspace(1, 201, 44)).astype(int)) - 1
    up, down = (walk(p, 200, gain=0.2)[at] for p in ("set", "reset"))
    return rows("pulses,potentiation (S),depression (S)", at, up, down).encode()


def unequal_ramps():
    starts = {"set": (2e-6, 4e-6, 7e-6, 3e-6), "reset": (20e-6, 14e-6, 17e-6, 19e-6)}
    parts = [(p, c, walk(p, 40 - 4 * c, start=g)) for p, all_g in starts.items() for c, g in enumerate(all_g)]
    columns = zip(*[(p, str(c), f"{g * 1e6:.7g}") for p, c, reads in parts for g in reads], strict=True)
    return rows("polarity,run,g_cell (uS)", *columns).encode()


def ends_of_unequal_length():
    down = [*(f"{g * 1e6:.7g}" for g in DOWN[:30]), *[""] * 11]
    return rows("Set (uS),Reset (uS)", [f"{g * 1e6:.7g}" for g in UP], down).encode()


def currents():
    return rows("Polarity,I_read (nA),V_read (V)", polarities(41, 41), [*UP * 2e8, *DOWN * 2e8], [0.2] * 82).encode()


def megohms():
    return rows("set (MΩ),reset (MΩ)", 1e-6 / UP, 1e-6 / DOWN).encode()


def numpy_header():
    return ("# LTP (uS) LTD (uS)\n" + rows("", UP * 1e6, DOWN * 1e6)).replace("(uS) LTD", "(uS),LTD").encode()


def with_preamble():
    text = rows(
        "Time (s),Polarity,Conductance (uS),Temp", range(82), polarities(41, 41), [*UP * 1e6, *DOWN * 1e6], [300] * 82
    )
    return ("Sample: made up\nOperator: nobody\n\n" + text + "\n").encode()


def easyexpert():
    parts = []
    for values in (UP, DOWN):
        head = "SetupTitle, Pulses\nPrimitiveTest, I/V List\nTestParameter, Channel.Unit, SMU1\nDimension1, 41, 41\n"
        lines = [f"DataValue, {k}, {g:.6e}" for k, g in enumerate(values)]
        parts.append(head + "DataName, Index, Gcell\n" + "\n".join(lines) + "\n")
    return "".join(parts).encode()


def hash_column():
    return rows("#,LTP (uS),LTD (uS)", range(41), UP * 1e6, DOWN * 1e6).encode()


def units_beside_numbers():
    ohms = [f"{1e-3 / g:.7g} kOhm" for g in [*UP, *DOWN]]
    return rows("pulse,polarity,R", [*range(41)] * 2, polarities(41, 41), ohms).encode()


def devices_named_like_amounts():
    """`1A` and `2B` are devices, no amperes."""
    names = [name for name in ("1A", "2B") for _ in range(82)]
    pulse, read = [*range(41)] * 4, [*UP * 1e6, *DOWN * 1e6] * 2
    return rows("device,pulse,polarity,G (uS)", names, pulse, polarities(41, 41) * 2, read).encode()


def spaces_between_thousands():
    ohms = [f"{1 / g:,.2f}".replace(",", " ").replace(".", ",") for g in [*UP, *DOWN]]
    return rows("Pulse;Polarity;R (ohm)", [*range(41)] * 2, polarities(41, 41), ohms, sep=";").encode()


READ = {
    each.__name__: (each, {})
    for each in (
        *(latin1_long, german_long, french_tabs, between_bars, origin_export, two_cycles_wide, stacked_cycles),
        *(
            pairs_of_columns,
            spaced_names,
            type_of_words,
            stacked_sets_then_resets,
            blank_lines,
            one_column_of_turns,
            one_column_repeats_turns,
            signed_amplitude,
        ),
        *(
            interleaved,
            unequal_ramps,
            ends_of_unequal_length,
            currents,
            megohms,
            numpy_header,
            with_preamble,
            easyexpert,
            hash_column,
            units_beside_numbers,
            devices_named_like_amounts,
            spaces_between_thousands,
        ),
    )
}
READ["negative SET"] = (partial(signed_amplitude, -1.0), {})
READ["declared columns"] = (
    lambda: rows("", range(41), UP * 1e6, DOWN * 1e6).encode(),
    {"columns": {"pulse": 1, "set": 2, "reset": 3}, "units": {"value": "uS"}},
)
READ["declared ramp"] = (
    lambda: rows("x,y", range(82), [*UP * 1e3, *DOWN * 1e3]).encode(),
    {"columns": {"conductance": "y", "ignore": "x"}, "units": {"conductance": "mS"}, "ramp": 41},
)
READ["own words"] = (
    lambda: rows("Polarity,G (uS)", [*["prog"] * 41, *["erase"] * 41], [*UP * 1e6, *DOWN * 1e6]).encode(),
    {"set_word": "prog", "reset_word": "erase"},
)


@pytest.mark.parametrize("name", READ)
def test_a_shape_gives_the_device_back(tmp_path, name):
    make, chosen = READ[name]
    (tmp_path / "p.csv").write_bytes(make())
    file = from_pulses(tmp_path / "p.csv", ImportSettings(pulses=FileSettings(**chosen)))
    check(file)
    for polarity in BOUNDS:
        assert file[polarity].held_out["g_train"].passed
        fit, reads = (file[f"reads_{polarity}"].signals[each].values for each in ("g_fit", "g_cell"))
        # S: held-out reads between knots of a cubic; the curve must lie on every read of a clean ramp
        np.testing.assert_allclose(fit, reads, rtol=0, atol=5e-3 * (HIGH - LOW))
        # S: the window is that of the reads, to 1 %
        assert file[polarity].axes["g_start"].values[[0, -1]] == near(np.array([reads.min(), reads.max()]), 0.01)


def test_currents_are_divided_by_the_read_voltage_that_the_user_gives(tmp_path):
    nanoamperes = [*UP * 0.2e9, *DOWN * 0.2e9]
    (tmp_path / "p.csv").write_text(rows("Polarity,I_read (nA)", polarities(41, 41), nanoamperes))
    with pytest.raises(InputError, match=r"Add `--set read\.v_read=0\.1`, with the voltage \(V\)"):
        from_pulses(tmp_path / "p.csv", ImportSettings())
    file = from_pulses(tmp_path / "p.csv", ImportSettings(read=ReadSettings(v_read=0.2)))
    check(file)
    assert file["set"].axes["g_start"].values[-1] == near(UP[-1], 0.01)  # with the default of 0.1 V: 41 uS
    assert "v_read" not in file.provenance["assumed"]


@pytest.mark.parametrize("make", [every_fifth, unevenly_read])
def test_steps_go_by_the_pulse_number_of_the_file(tmp_path, make):
    (tmp_path / "p.csv").write_bytes(make())
    check(from_pulses(tmp_path / "p.csv", ImportSettings()), gain=0.2)


def test_what_the_file_declares_is_not_assumed(tmp_path):
    (tmp_path / "p.csv").write_bytes(signed_amplitude())
    file = from_pulses(tmp_path / "p.csv", ImportSettings())
    assert file.provenance["assumed"] == "read.v_read = 0.1 V; read.t_read = 1e-08 s"
    assert file["set"].axes["v_pulse"].values == near(1.1, 1e-12)
    assert file["reset"].axes["v_pulse"].values == near(1.3, 1e-12)
    assert file["set"].condition("t_pulse") == near(1e-7, 1e-12)
    (tmp_path / "p.csv").write_bytes(currents())
    assert "v_read" not in from_pulses(tmp_path / "p.csv", ImportSettings()).provenance["assumed"]


GAINS = np.array([0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.0])  # of mean 1


def devices_long():
    parts = [(p, f"D{k}", walk(p, 60, gain=a)) for k, a in enumerate(GAINS) for p in BOUNDS]
    columns = zip(*[(p, name, f"{g * 1e6:.7g}") for p, name, reads in parts for g in reads], strict=True)
    return rows("polarity,Device,G (uS)", *columns).encode()


def devices_wide():
    values = [np.concatenate([walk(p, 60, gain=a) for p in BOUNDS]) * 1e6 for a in GAINS]
    header = ",".join(f"Device {k + 1} (uS)" for k in range(GAINS.size))
    return rows(f"Polarity,{header}", polarities(61, 61), *values).encode()


@pytest.mark.parametrize("make", [devices_long, devices_wide])
def test_devices_differ_and_their_pulses_do_not(tmp_path, make):
    (tmp_path / "p.csv").write_bytes(make())
    file = from_pulses(tmp_path / "p.csv", ImportSettings())
    check(file)
    for polarity in BOUNDS:
        made = file[polarity]
        change = np.abs(made.signals["delta_g"].values[4:-4, 0])
        devices = made.distributions["devices"].sigma[4:-4, 0] / change
        np.testing.assert_allclose(devices, np.std(GAINS, ddof=1), rtol=0.01)  # 1 % of the spread
        assert made.distributions["cycles"].sigma.max() < 1e-3 * change.max()
        assert "sigma_window" not in made.conditions  # one window: slow devices have not come to its end yet


def test_devices_of_scaled_windows_differ_by_their_scale(tmp_path):
    lines = ["polarity,device,g_cell (uS)"]
    for k, scale in enumerate(GAINS):
        lines += [f"{p},{k},{1e6 * scale * g:.7g}" for p in BOUNDS for g in walk(p, 40)]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    file = from_pulses(tmp_path / "p.csv", ImportSettings())
    check(file)  # the device of scale 1
    for polarity in BOUNDS:
        made = file[polarity]
        # Both ends of a window scale with the device; the curve's end is that of the reads, 0.1 % off at most.
        assert made.condition("sigma_window") == near(np.std(np.log(GAINS), ddof=1), 0.01)
        devices = made.distributions["devices"].sigma[4:-4, 0] / np.abs(made.signals["delta_g"].values[4:-4, 0])
        np.testing.assert_allclose(devices, np.std(GAINS, ddof=1), rtol=0.01)  # 1 % of the spread


def test_noise_of_cycles_stays_apart_from_spread_of_devices(tmp_path):
    rng = np.random.default_rng(4)
    lines = ["polarity,device,cycle,g_cell (uS)"]
    for k, a in enumerate(GAINS):
        for cycle in range(3):
            for p in BOUNDS:
                noisy = walk(p, 60, gain=a) * 1e6 + 0.05 * rng.standard_normal(61)
                lines += [f"{p},{k},{cycle},{g:.6f}" for g in noisy]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    made = from_pulses(tmp_path / "p.csv", ImportSettings())["set"]
    assert made.condition("sigma_read") == near(0.05e-6, 0.05)  # 1,464 reads: 2 %
    middle = slice(6, -6)
    change = made.signals["delta_g"].values[middle, 0]
    # the gain of a device comes from three noisy ramps of 16 uS: 1 % each, 0.4 % of the spread of eight
    assert np.mean(made.distributions["devices"].sigma[middle, 0] / change) == near(np.std(GAINS, ddof=1), 0.03)
    assert made.distributions["cycles"].sigma.max() < 0.03e-6  # S: noise of the reads alone


def test_a_spreadsheet_is_read_and_its_sheet_asked_for(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `xlsx` is not installed")

    book = openpyxl.Workbook()
    book.active.title = "Pulses"
    book.active.append(["Pulse", "Potentiation (uS)", "Depression (uS)"])
    for k, (up, down) in enumerate(zip(UP * 1e6, DOWN * 1e6, strict=True)):
        book.active.append([k, float(up), float(down)])
    book.save(tmp_path / "p.xlsx")
    check(from_pulses(tmp_path / "p.xlsx", ImportSettings()))
    book.create_sheet("More").append([1, 2])
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(InputError, match=r"sheets 'Pulses', 'More'. Add `--set pulses.sheet=NAME`"):
        from_pulses(tmp_path / "p.xlsx", ImportSettings())
    check(from_pulses(tmp_path / "p.xlsx", ImportSettings(pulses=FileSettings(sheet="Pulses"))))


def test_numbers_that_a_spreadsheet_holds_as_text_may_have_a_decimal_comma(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `xlsx` is not installed")

    def save(digits):
        book = openpyxl.Workbook()
        book.active.append(["Pulse", "Potentiation (uS)", "Depression (uS)"])
        for k, (up, down) in enumerate(zip(UP * 1e6, DOWN * 1e6, strict=True)):
            book.active.append([k, f"{up:.{digits}f}".replace(".", ","), float(down)])
        book.save(tmp_path / "p.xlsx")

    save(7)
    check(from_pulses(tmp_path / "p.xlsx", ImportSettings()))
    save(3)  # 2,000 to 19,999: may be thousands
    with pytest.raises(InputError, match=r"Add `--set pulses\.decimal=comma`"):
        from_pulses(tmp_path / "p.xlsx", ImportSettings())
    check(from_pulses(tmp_path / "p.xlsx", ImportSettings(pulses=FileSettings(decimal="comma"))))


# --- shapes that are refused, each with the option that settles it


def long(header, *, scale=1e6, up=UP, down=DOWN, more=()):
    return rows(header, polarities(up.size, down.size), [*up * scale, *down * scale], *more).encode()


def noisy_turns():
    rng = np.random.default_rng(0)
    return rows("G (uS)", np.concatenate([UP, DOWN]) * 1e6 + rng.standard_normal(82)).encode()


REFUSED = {
    "counter and conductance": (
        rows("", range(1, 42), DOWN * 1e6).encode(),
        "--column pulse=1 --column conductance=2 --unit uS",
    ),
    "times and conductance": (rows("", np.arange(41) ** 1.1, DOWN * 1e6).encode(), "--column pulse=1"),
    "no unit": (long("polarity,conductance"), "Add `--unit uS`"),
    "no unit of resistances": (long("polarity,r_cell"), "Add `--unit kohm`"),
    "no unit of amplitudes": (long("polarity,G (uS),v_pulse", more=([1200] * 82,)), "Add `--unit amplitude=V`"),
    "no unit of widths": (long("polarity,G (uS),pulse width", more=([100] * 82,)), "Add `--unit width=ns`"),
    "unknown unit": (long("polarity,G (foo)"), "unit 'foo', which is not known. Add `--unit uS`"),
    "unit of another quantity": (long("polarity,G (kohm)"), "`conductance` must be in S"),
    "volts of what": (long("polarity,G (uS),Voltage (V)", more=(range(82),)), "--column ROLE=3"),
    "volts that do not change": (long("polarity,G (uS),V_set (V)", more=([1.2] * 82,)), "--column ROLE=3"),
    "a read voltage in mV": (long("polarity,G (uS),V_read (V)", more=([100] * 82,)), "up to 2 V; got 100 to 100 V"),
    "another column": (long("polarity,G (uS),colour", more=(range(82),)), "--column ignore=3"),
    "changes of conductance": (long("polarity,delta G (uS)"), "--column ROLE=2"),
    "currents without volts": (long("polarity,I (nA)"), "Add `--set read.v_read=0.1`"),
    "cycles or devices": (
        rows("set (uS),set (uS),reset (uS)", UP * 1e6, UP * 1e6, DOWN * 1e6).encode(),
        "pulses.repeats=cycles",
    ),
    "both of R and G": (
        rows(
            "polarity,G (uS),R (kohm)", polarities(41, 41), [*UP * 1e6, *DOWN * 1e6], [*1e-3 / UP, *1e-3 / DOWN]
        ).encode(),
        "--column ignore=3",
    ),
    "unknown words": (long("polarity,G (uS)").replace(b"reset", b"E").replace(b"set", b"W"), "pulses.set_word"),
    "short cycles": (
        long("polarity,G (uS)").replace(b"\nset,2\n", b"\nset,2\n" + b"set,2\nreset,20\n" * 2),
        "reads; it must",
    ),
    "single pulses": (
        rows("polarity,G (uS)", ["set", "reset"] * 40, [20 + 0.01 * k if k % 2 else 2 for k in range(80)]).encode(),
        "changes from row to row",
    ),
    "cycles of five": (
        rows("polarity,G (uS)", (["set"] * 5 + ["reset"] * 5) * 8, [*range(1, 6), *range(5, 0, -1)] * 8).encode(),
        "has 5 reads; it must have at least 8",
    ),
    "one polarity": (rows("Set (uS)", UP * 1e6).encode(), "--column reset=N"),
    "one way": (rows("Pulse,G (uS)", range(41), UP * 1e6).encode(), "has no reset pulses"),
    "turns in noise": (noisy_turns(), "--set pulses.ramp=N"),
    "a ramp that turns": (long("polarity,G (uS)", up=np.concatenate([UP, UP[-2::-1]])), "holds both polarities"),
    "swapped": (long("polarity,G (uS)", up=DOWN, down=UP), "does not rise along its set"),
    "staircase": (
        long("polarity,G (uS),v_pulse (V)", more=([*np.linspace(1, 2, 41), *np.linspace(1, 2, 41)],)),
        "no staircase",
    ),
    "thousands": (
        rows(
            "pulse\tset (nS)\treset (nS)",
            range(41),
            [f"{g * 1e9:,.0f}" for g in UP],
            [f"{g * 1e9:,.0f}" for g in DOWN],
            sep="\t",
        ).encode(),
        "--set pulses.decimal=comma",
    ),
    "two units": (
        rows("polarity,G (uS)", ["", *polarities(41, 41)], ["nS", *UP * 1e6, *DOWN * 1e6]).encode(),
        "has the unit 'uS' in its name and 'nS' below it. Leave out the one that is wrong.",
    ),
    "two units in a column": (
        rows(
            "pulse,polarity,R", range(4), ["set"] * 4, ["200.1 kOhm", "150.2 kOhm", "99.1 kOhm", "98000 Ohm"]
        ).encode(),
        "line 5, column 3 'R': numbers of a column must have one unit; got 'kOhm' above, and 'Ohm'",
    ),
    "a unit below and another beside": (
        rows("pulse,R", ["", *range(40)], ["ohm", *["200.1 kOhm"] * 40]).encode(),
        "has the unit 'ohm' below its name and 'kOhm' beside its numbers",
    ),
    "a unit in the name and another beside": (
        rows("pulse,polarity,R (ohm)", range(82), polarities(41, 41), ["200.1 kOhm"] * 82).encode(),
        "has the unit 'ohm' in its name and 'kOhm' below it",
    ),
    "a prefix beside numbers": (
        rows("polarity,R (ohm)", polarities(41, 41), [f"{1e-3 / g:.5g}k" for g in [*UP, *DOWN]]).encode(),
        "Write the number alone, and its unit into the name of the column.",
    ),
    "thousands and decimals": (
        rows("polarity;R (ohm)", polarities(9, 9), ["199,748.86"] * 18, sep=";").encode(),
        "Write numbers without thousands separators.",
    ),
    "an overflow": (
        rows("polarity,R (ohm)", polarities(41, 41), [*1 / UP, *1 / DOWN[1:], "9.91E+37"]).encode(),
        "line 83, column 2 'R (ohm)' must be a finite number; got '9.91E+37'. An instrument writes this for",
    ),
    "rows out of order": (
        rows(
            "pulse,polarity,G (uS)", [(7 * k) % 41 for k in range(82)], polarities(41, 41), [*UP * 1e6, *DOWN * 1e6]
        ).encode(),
        "sort the rows by device, cycle, polarity and number of the pulse",
    ),
    "two decimal marks": (b"set (uS);reset (uS)\n" + b"1.5;2,5\n" * 20, "one decimal mark"),
    "text in a number": (
        long("polarity,G (uS)").replace(b"\nreset,20\n", b"\nreset,overload\n"),
        "line 43, column 2 'G (uS)' must be a finite number; got 'overload'",
    ),
    "unequal rows": (b"polarity,G (uS)\nset,1,976\nset,2,1\n", "line 2 has 3 cells; the header names 2"),
    "far too conductive": (long("polarity,G (mS)"), "no device has that"),
    "a width in seconds": (long("polarity,G (uS),width (s)", more=([100] * 82,)), "no device has that"),
    "an amplitude in volts": (long("polarity,G (uS),amplitude (V)", more=([1200] * 82,)), "--unit amplitude=mV"),
    "windows apart": (long("polarity,G (uS)", down=DOWN * 20), "share no conductance"),
    "negative": (long("polarity,G (uS)", scale=-1e6), "not above zero"),
    "flat": (long("polarity,G (uS)", up=np.full(41, 5e-6)), "does not rise"),
    "short": (long("polarity,G (uS)", up=UP[:5]), "has 5 reads; it must have at least 8"),
    "nothing": (b"", "holds no rows"),
    "no numbers": (b"polarity,g_cell\nset,set\n", "holds no rows of numbers"),
    "binary": (b"polarity\0\1", "binary file"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0" + bytes(100), "Save the sheet as CSV"),
    "damaged spreadsheet": (b"PK\x03\x04" + bytes(100), "Save the sheet as CSV"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_declared_or_not_possible_is_refused_in_one_line(tmp_path, name):
    data, cure = REFUSED[name]
    (tmp_path / "p.csv").write_bytes(data)
    with pytest.raises(InputError) as refusal:
        from_pulses(tmp_path / "p.csv", ImportSettings())
    assert cure in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ({"columns": {"colour": 1}}, "a role must be one of conductance"),
        ({"units": {"value": "uX"}}, "must be a unit of S, ohm, A, V or s"),
        ({"columns": {"conductance": 9}}, "a number from 1 to 2 or one of the names"),
        ({"columns": {"conductance": 2, "pulse": 2}}, "is given two roles"),
        ({"units": {"value": "nS"}}, "says 'uS', the option says 'nS'"),
        ({"ramp": 30, "columns": {"ignore": 1}}, "must divide the 82 reads"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, chosen, complaint):
    (tmp_path / "p.csv").write_bytes(long("polarity,G (uS)"))
    with pytest.raises(InputError, match=complaint):
        from_pulses(tmp_path / "p.csv", ImportSettings(pulses=FileSettings(**chosen)))


NOISE = (
    b"nan",
    b"1e400",
    b"-",
    b",",
    b";",
    b"\t",
    b"\n\n",
    b"\0",
    b"\xff",
    b"-1",
    b"1e29",
    b"reset",
    b'"',
    b"(",
    b"#",
    b"",
)


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    rng, path = random.Random(5), tmp_path / "p.csv"
    seeds = [make() for make, chosen in READ.values() if not chosen]
    for _ in range(150):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 2, 8))):
            place = rng.randrange(len(data) + 1)
            data[place : place + rng.choice((0, 1, 3, 200))] = rng.choice(NOISE)
        path.write_bytes(data)
        try:
            made = from_pulses(path, ImportSettings())
        except InputError as refusal:
            assert "\n" not in str(refusal)
        else:
            assert all(np.all(np.isfinite(made[p].signals["delta_g"].values)) for p in BOUNDS)


# --- cells of any length and any size


def test_a_number_that_no_instrument_writes_is_refused_and_not_computed_with(tmp_path):
    cells = [f"{g * 1e6:.4f}" for g in (*UP, *DOWN)]
    for cell in ("1e300", "-1e300", "1e999", "9" * 400):
        path = tmp_path / "p.csv"
        path.write_text(rows("polarity,g_cell (uS)", polarities(41, 41), [*cells[:20], cell, *cells[21:]]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an overflow would be one
            complaint = r"line 22, column 2 'g_cell \(uS\)' must be a finite number; got"
            with pytest.raises(InputError, match=complaint) as error:
                from_pulses(path, ImportSettings())
        assert len(str(error.value).splitlines()) == 1


LONG = "x" * 100_000
LONG_CELLS = {
    "a name": rows(f"polarity,g_cell {LONG} (uS)", ["set", "set"], ["1", "2"]),
    "an unknown name": rows(f"polarity,{LONG}", ["set", "set"], ["1", "2"]),
    "a unit": rows(f"polarity,g_cell ({LONG})", ["set", "set"], ["1", "2"]),
    "a polarity": rows("polarity,g_cell (uS)", ["set", LONG], ["1", "2"]),
    "a number": rows("polarity,g_cell (uS)", ["set", "set"], ["1", LONG]),
    "a number with a comma": rows("polarity\tg_cell (uS)", ["set", "set"], ["1.5", "1," + "5" * 100_000], sep="\t"),
}


@pytest.mark.parametrize("name", LONG_CELLS)
def test_a_message_cuts_a_long_cell_and_keeps_the_cure(tmp_path, name):
    path = tmp_path / "p.csv"
    path.write_text(LONG_CELLS[name])
    with pytest.raises(InputError) as error:
        from_pulses(path, ImportSettings())
    said = str(error.value)
    assert len(said) < 1000 and len(said.splitlines()) == 1
    assert said.startswith(f"{path}: ") and said.endswith((".", "`"))


def test_digits_without_end_are_no_number_at_once():
    """Each digit can be matched in one way: a million are read as fast as they are long, and not in its square."""
    for decimal in ".,":
        assert number("9" * 1_000_000 + "x", decimal) is None
