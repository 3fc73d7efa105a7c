"""The physical test of a device model, the kit's or a user's: pulse trains behind a resistor, and a look at its text.

A model may compile, run and be wrong: its state never moves, moves when it is read, leaves its bounds, or hangs on what
the simulator did before. Each check asks one such question of the model's own pulses (`CheckPulses`) and answers in
figures. States are over their range, 0 to 1; voltages are the source's, in the kit's sign (SET above zero).
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rramkit import netlists
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.device import Device, DevicePulseParams, HeldReadsParams, held_reads, pulse_train
from rramkit.circuits.libraries import DeviceLibrary
from rramkit.circuits.verilog_a import is_compact_model
from rramkit.errors import SimulationError
from rramkit.netlists.models import CheckPulses

MOVED = 0.01  # a pulse that is meant to move the state moves it by more
STARTS = 1e-3  # where the state starts, from where it was set to: the first step's change is in it
STEP = 1e-3  # change when the step is halved: the limit of the kit's plans (`max_step_error`)
BOUNDS = 5e-3  # past a bound for one step of a hot cell; a window that leaks shows 5e-2
HALVES = 0.05  # of the change: the second half has a rising edge of its own, and heats up again
READS, DRIFT = 1000, 0.01  # so many reads move the state by no more
HELD = 0.02  # of the current: of the held subcircuit against the moving one
_NOTHING_ELSE = "nothing but the state remembers"
_STATES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : str
        What a device must do.
    passed : bool
        Whether this one does.
    found : str
        The figures.
    cure : str
        Where it does not: what that means, and what to do.
    """

    check: str
    passed: bool
    found: str
    cure: str = ""


Answer = tuple[bool, str, str]
"""Whether a device does it, the figures, and what it means and what to do where it does not."""


class _Bench:
    """One device and its pulses; every train is run once."""

    def __init__(self, device: Device, pool: SpicePool) -> None:
        self.device, self.pool = device, pool
        self.pulses: CheckPulses = device.record.check_pulses
        self._runs: dict[str, Waveforms] = {}

    def train(self, *v_pulse: float, state: float | None = None, **changes: Any) -> Waveforms:  # noqa: ANN401  (fields)
        """Return the waveforms of a pulse train; `changes` replace its timing."""
        pulses = self.pulses
        given = {name: getattr(pulses, name) for name in ("t_pulse", "t_rise", "t_rest", "t_step", "r_series")}
        given |= {"device": self.device, "state": pulses.state if state is None else state, "v_pulse": v_pulse}
        return self.run(pulse_train(DevicePulseParams.checked(given | changes, where="device check")))

    def states(self, *v_pulse: float, **changes: Any) -> list[float]:  # noqa: ANN401
        """Return the state after each pulse of a train."""
        waves = self.train(*v_pulse, **changes)
        return [waves.measures[f"state_{k}"] for k in range(len(v_pulse))]

    def run(self, deck: Deck) -> Waveforms:
        """Return the waveforms of a deck."""
        text = deck.text()
        if text not in self._runs:
            self._runs[text] = self.pool.run(text)
        return self._runs[text]


def check_device(device: Device, pool: SpicePool, *, checks: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return what each check of a device finds; one whose simulation fails has not passed.

    Parameters
    ----------
    device : Device
        Of the kit or of the user.
    pool : SpicePool
        Runs about fifteen short decks.
    checks : collection of str
        Names of checks (`CHECKS`); left out: all, and the look at the model's text first.

    Raises
    ------
    InputError
        When the device's library has changed meanwhile and does not fit any more.
    """
    bench = _Bench(device, pool)
    found = [_found(name, CHECKS[name], bench) for name in checks or CHECKS]
    return tuple(found) if checks else (_text_of(device), *found)


def _found(name: str, check: "Callable[[_Bench], Answer]", bench: _Bench) -> Finding:
    try:
        passed, found, cure = check(bench)
    except SimulationError as error:
        return Finding(
            name,
            False,
            f"no result: {error.detail}",
            "The model does not converge there: see the form of the kit's own.",
        )
    return Finding(name, passed, found, "" if passed else cure)


def _start(bench: _Bench) -> Answer:
    found = {state: float(bench.train(bench.pulses.v_reads[0], state=state)["state"][0]) for state in (0.2, 0.8)}
    return (
        all(abs(value - state) <= STARTS for state, value in found.items()),
        ", ".join(f"{state:g} asked: {value:.4g}" for state, value in found.items()),
        "The parameter `initial` does not set the state, or not in the state's own units (`low`, `high`): give the "
        "state's capacitor `ic={...}`.",
    )


def _moves(bench: _Bench) -> Answer:
    pulses = bench.pulses
    up, down = bench.states(pulses.v_set, -pulses.v_reset)
    reset_only = down - up
    if up - pulses.state < MOVED and reset_only > -MOVED:
        cure = "The state does not move: it is not integrated, or the pulses are too weak (`check.v_set`, `v_reset`)."
    elif up - pulses.state < 0 or reset_only > 0:
        cure = "The state moves the wrong way: turn `set_voltage` round, or exchange `low` and `high`."
    else:
        cure = "One polarity does nothing: raise `check.v_set` or `check.v_reset`, or correct that branch of the model."
    return (
        up - pulses.state >= MOVED and reset_only <= -MOVED,
        f"{pulses.state:.4g} to {up:.4g} by {pulses.v_set:g} V, to {down:.4g} by {-pulses.v_reset:g} V",
        cure,
    )


def _reads(bench: _Bench) -> Answer:
    pulses = bench.pulses
    long = {"t_pulse": READS * pulses.t_read, "t_step": pulses.t_read / 2}
    moves = {
        (v, state): abs(bench.states(v, state=state, **long)[0] - state) for v in pulses.v_reads for state in (0.2, 0.8)
    }
    (v, state), worst = max(moves.items(), key=lambda item: item[1])
    return (
        worst <= DRIFT,
        f"{READS} reads of {pulses.t_read:.3g} s move it by {worst:.2g} (at {v:g} V, from {state:g})",
        "A read is a write, the rate has no threshold: lower `check.v_reads`, read one way only, or give it one.",
    )


def _strong(bench: _Bench) -> dict[str, Waveforms]:
    """Return strong trains from the middle and from both ends, out of the range first, then back into it."""
    v = bench.pulses.v_max
    return {
        "middle": bench.train(v, -v, state=0.5),
        "1": bench.train(v, -v, state=1.0),
        "0": bench.train(-v, v, state=0.0),
    }


def _bounds(bench: _Bench) -> Answer:
    v_max = bench.pulses.v_max
    states = [waves["state"] for waves in _strong(bench).values()]
    low, high = (float(end([end(state) for state in states])) for end in (np.min, np.max))
    return (
        low >= -BOUNDS and high <= 1 + BOUNDS,
        f"{low:.4f} to {high:.4f} under {v_max:g} V of either sign",
        "The current goes on beyond what the state can be: multiply the rate by a window that is zero at the bound it "
        "moves towards, or name the true bounds (`low`, `high`).",
    )


def _leaves(bench: _Bench) -> Answer:
    v_max, runs = bench.pulses.v_max, _strong(bench)
    down, up = (runs[end].measures["state_1"] - runs[end].measures["state_0"] for end in ("1", "0"))
    return (
        down <= -MOVED and up >= MOVED,
        f"{down:.4f} from 1 by {-v_max:g} V, {up:+.4f} from 0 by {v_max:g} V",
        "A cell at a bound is stuck: its window is zero for both directions (make it one-sided), or `check.v_max` "
        "behind `check.r_series` is too weak.",
    )


def _step(bench: _Bench) -> Answer:
    pulses = bench.pulses
    train = (pulses.v_set, -pulses.v_reset)
    whole, half = bench.states(*train), bench.states(*train, t_step=pulses.t_step / 2)
    worst = max(abs(a - b) for a, b in zip(whole, half, strict=True))
    return (
        worst <= STEP,
        f"the state changes by {worst:.2g}",
        "The result is the simulator's, not the model's: integrate the state as a current into a capacitor, without "
        "jumps in the rate, or lower `check.t_step`.",
    )


def _halves(bench: _Bench) -> Answer:
    pulses = bench.pulses
    up, down = bench.states(pulses.v_set, -pulses.v_reset)
    halved = {"t_pulse": (pulses.t_pulse - pulses.t_rise) / 2}  # at half height, an edge counts as half its duration
    errors = [
        abs(bench.states(v, v, state=start, **halved)[1] - whole) / max(abs(whole - start), MOVED)
        for v, start, whole in ((pulses.v_set, pulses.state, up), (-pulses.v_reset, _within(up), down))
    ]
    return (
        max(errors) <= HALVES,
        f"the change differs by {errors[0]:.1%} (SET) and {errors[1]:.1%} (RESET)",
        "The state is not all that the cell remembers, or hangs on when a pulse began: a variable that lasts must be "
        "part of it. (Where a pulse runs away by its own heat, try a weaker `check.v_set`, `check.v_reset`.)",
    )


def _later(bench: _Bench) -> Answer:
    pulses = bench.pulses
    now, (rested, later) = bench.states(pulses.v_set)[0], bench.states(0.0, pulses.v_set)
    worst = max(abs(rested - pulses.state), abs(later - now))
    return (
        worst <= STEP,
        f"after {pulses.t_pulse + pulses.t_rest:.3g} s at rest: {later:.4g} instead of {now:.4g}",
        "The model knows the time, or loses its state at rest (a leak): take `time` out of its equations.",
    )


def _conducts(bench: _Bench) -> Answer:
    v = abs(bench.pulses.v_reads[0])
    waves = bench.run(held_reads(HeldReadsParams(device=bench.device, state=_STATES, v_read=v)))
    currents = np.array([waves[f"i_device_{k}"] for k in range(len(_STATES))])
    # state 0 may be an open circuit
    rising = bool(np.all(np.diff(currents[:, -1]) > 0) and np.all(np.diff(currents[:, 0]) < 0))
    rising &= bool(currents[1, -1] > 0 > currents[1, 0])
    g = currents[:, -1] / v
    return (
        rising,
        f"{g[0]:.3g} S in state 0, {g[2]:.3g} S in 0.5, {g[-1]:.3g} S in 1, at {v:g} V",
        "State 1 must be the one of high conductance: exchange `low` and `high`.",
    )


def _held(bench: _Bench) -> Answer:
    pulses, states = bench.pulses, (0.2, 0.8)
    v_read, ratios = pulses.v_reads[0], []
    for state in states:
        waves = bench.train(v_read, state=state)
        settled = waves["time"] >= pulses.t_rise + pulses.t_pulse / 2
        k = int(np.argmax(settled))
        v, now = float(waves["v_device"][k]), float(waves["state"][k])
        if not 0 <= now <= 1:
            return False, f"the state is {now:.4g}", "See whether it starts and stays within 0 to 1."
        still = bench.run(held_reads(HeldReadsParams(device=bench.device, state=(now,), v_read=abs(v))))
        i_moving, i_held = -float(waves["i_drive"][k]), float(still["i_device_0"][-1 if v > 0 else 0])
        ratios.append(i_moving / i_held if i_held else float("inf"))
    return (
        all(abs(ratio - 1) <= HELD for ratio in ratios),
        ", ".join(f"moving over held {ratio:.4f} in {state:g}" for state, ratio in zip(states, ratios, strict=True)),
        "Reads are simulated with the held subcircuit, writes with the moving one: give both the same current "
        "equation, or leave `held` out.",
    )


CHECKS: dict[str, Callable[[_Bench], Answer]] = {
    "the state starts where it is set to": _start,
    "a higher state conducts more": _conducts,
    "the held subcircuit has the moving one's current": _held,
    "SET moves the state up and RESET moves it down": _moves,
    "reads do not move the state": _reads,
    "the state stays within its bounds": _bounds,
    "the state leaves both of its ends": _leaves,
    "halving the time step changes nothing": _step,
    "two half pulses equal one": _halves,
    "a pulse that comes later does the same": _later,
}


def _within(state: float) -> float:
    return min(max(state, 0.0), 1.0)


def _text_of(device: Device) -> Finding:
    """Return what the device's text says; of a compact model it was read when its file was named (`verilog_a`)."""
    library = device.model_file
    path = library.path if isinstance(library, DeviceLibrary) else ""
    if not is_compact_model(path):
        return hidden_state(_lines(device))
    if path.lower().endswith(".va"):
        return Finding(_NOTHING_ELSE, True, "no variable, clock, integral, delay or event in the Verilog-A text")
    return Finding(_NOTHING_ELSE, True, "a compiled file, whose text is not known: the other checks alone speak for it")


def _lines(device: Device) -> list[str]:
    """Return the cards of a device, continuations joined."""
    library = device.model_file
    text = library.text() if isinstance(library, DeviceLibrary) else netlists.text(str(library))
    return [line for line in text.replace("\n+", " ").splitlines() if line and not line.startswith("*")]


_CLOCK = re.compile(r"(?i)\btime\b|\$abstime")
_WAVEFORM = re.compile(r"(?i)\b(?:pulse|sin|exp|pwl|sffm|am|trnoise|trrandom)\b\s*\(?")
_HISTORY = re.compile(r"(?i)\b(?:idt|idtmod|sdt|ddt|delay|absdelay|last_crossing)\s*\(")
_HYSTERESIS = re.compile(r"(?i)^\.model\s+\S+\s+c?sw\b.*\b[vi]h\s*=\s*(?!0*\.?0+(?:\s|\)|$))")


def hidden_state(lines: Iterable[str]) -> Finding:
    """Return what the cards of a model say of results that hang on the simulator's history instead of the state."""
    complaints = [complaint for line in lines if (complaint := _complaint(line))]
    return Finding(
        _NOTHING_ELSE,
        not complaints,
        "; ".join(complaints[:3]) or "no clock, delay, hysteresis or integral in the model's text",
        "Such a cell cannot be set to a state, and its past is lost between two decks: write what lasts as a current "
        "into a capacitor, and name that node as the state."
        if complaints
        else "",
    )


def _complaint(line: str) -> str:
    letter, card = line[0].lower(), line[:50].strip()
    clock = _CLOCK.search(line.partition(" ")[2]) or (letter in "vi" and _WAVEFORM.search(line))
    if letter != "." and clock:
        return f"`{card}` depends on the simulator's clock (`{clock[0].strip('( ')}`)"
    if found := _HISTORY.search(line):
        return f"`{card}` has `{found[0].strip('( ')}`, which keeps a value of its own"
    if _HYSTERESIS.search(line):
        return f"`{card}` is a switch with hysteresis"
    if letter in "atoyup":
        return f"`{card}` is a code model or a line with a delay: it may keep a state of its own"
    return ""
