"""Response of one polarity and amplitude: the mean change of devices, the devices' own, and the noise of a pulse.

Each device has its own curve (`trajectory`), through all of its ramps, so that what differs between devices is no noise
of a pulse. Devices move in proportion::

    delta_g_d(g) = a_d f(g),     mean of a_d over devices = 1

    f  change of the mean device (S)    a_d  gain of a device (1)

f and a_d are the least squares of all devices, each over the conductances that it covers. The range of f is that of the
median device. Devices whose windows are scaled (a larger one has larger steps at each part of its window) are compared
at equal parts of their windows in place of equal conductances, where that leaves less than half of the squares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rramkit.characterization.measured.alignment import Reads
from rramkit.characterization.measured.ramps import Ramp
from rramkit.characterization.measured.trajectory import Trajectory
from rramkit.table import Polarity

_PLACES = 48  # conductances that gains are compared at
_BETTER = 0.5  # of the squares that equal conductances leave
_EXACT = 1e-6  # of the squares of the changes (1): what is left below it is rounding and the cubic between reads
_ROUNDS = 20  # of alternating least squares, which has settled to 1e-6 in ten


@dataclass(frozen=True)
class Response:
    """Curves of all devices under pulses of one polarity and amplitude.

    Attributes
    ----------
    ramps : mapping
        Device to its ramps.
    curves : mapping
        Device to its trajectory.
    """

    ramps: Mapping[str, Sequence[Ramp]]
    curves: Mapping[str, Trajectory]

    @classmethod
    def of(cls, polarity: Polarity, ramps: Sequence[Ramp]) -> "Response":
        """Build from ramps of one polarity and amplitude; every fifth read is kept from the curves."""
        by_device: dict[str, list[Ramp]] = {}
        for ramp in ramps:
            by_device.setdefault(ramp.device, []).append(ramp)
        curves = {
            device: Trajectory.of([Reads(r.pulse, r.g_cell) for r in own], rising=polarity == "set", held_out=True)
            for device, own in by_device.items()
        }
        return cls(by_device, curves)

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest conductance of the median device (S)."""
        low, high = np.median([curve.ends for curve in self.curves.values()], axis=0)
        return float(low), float(high)

    @property
    def sigma_read(self) -> float:
        """Noise of one read (S), of all devices together."""
        return self._rms([curve.sigma_read for curve in self.curves.values()])

    @property
    def sigma_write(self) -> float:
        """Noise of the change by one pulse (S), of all devices together."""
        return self._rms([curve.sigma_write for curve in self.curves.values()])

    @property
    def step_at(self) -> np.ndarray:
        """Conductance before every measured step (K,) [S]."""
        return np.concatenate([curve.step_at for curve in self.curves.values()])

    @property
    def step(self) -> np.ndarray:
        """Change less that of the device's own curve (K,) [S]."""
        return np.concatenate([curve.step for curve in self.curves.values()])

    @cached_property
    def gains(self) -> dict[str, float]:
        """Gain of each device (1); their mean is 1."""
        return dict(zip(self.curves, self._fit[0].tolist(), strict=True))

    @cached_property
    def _fit(self) -> tuple[np.ndarray, bool]:
        """Gains (D,), and whether devices are compared at equal parts of their windows."""
        if len(self.curves) == 1:
            return np.ones(1), False
        lows, highs = zip(*(curve.ends for curve in self.curves.values()), strict=True)
        span = np.linspace(min(lows), max(highs), _PLACES), np.linspace(*self.ends, _PLACES)
        fits = [
            _gains(*self._changes(g_cell, 1, scaled=each)) for g_cell, each in zip(span, (False, True), strict=True)
        ]
        (equal, rest), (scaled, rest_scaled) = fits
        return (scaled, True) if rest_scaled < _BETTER * rest and rest > _EXACT else (equal, False)

    @property
    def sigma_window(self) -> float:
        """Spread over devices of the logarithm of their windows' ends, both together (1).

        0 for one device, and where the changes of devices agree better at equal conductances than at equal parts of
        their windows: their ramps then end at different places of one window.
        """
        ends = np.array([curve.ends for curve in self.curves.values()])
        if len(ends) < 2 or not self._fit[1] or np.min(ends) <= 0.0:
            return 0.0
        return float(np.sqrt(np.mean(np.var(np.log(ends), axis=0, ddof=1))))

    @property
    def middle(self) -> str:
        """Device whose gain is nearest 1."""
        return min(self.gains, key=lambda device: abs(self.gains[device] - 1.0))

    def change(self, g_cell: np.ndarray, pulses: int) -> np.ndarray:
        """Return the change (N,) that `pulses` pulses make of the mean device at conductances (N,) (S)."""
        if len(self.curves) == 1:
            return next(iter(self.curves.values())).change(g_cell, pulses)
        gains, scaled = self._fit
        change, covered = self._changes(g_cell, pulses, scaled=scaled)
        gain = gains[:, None]
        weight = np.where(covered, gain**2, 0.0)
        # where no device covers a conductance, all count: their curves end there
        weight = np.where(np.any(weight > 0, axis=0), weight, gain**2)
        return np.sum(weight * change / gain, axis=0) / np.sum(weight, axis=0)

    def ramp_to_ramp(self) -> float:
        """Return the spread (1) of the change from ramp to ramp of one device, over the change; 0 for one ramp each."""
        spreads = [
            gain
            for device, curve in self.curves.items()
            if len(self.ramps[device]) > 1
            for gain in _ramp_gains(curve, self.ramps[device])
        ]
        return float(np.std(spreads)) if spreads else 0.0

    def _changes(self, g_cell: np.ndarray, pulses: int, *, scaled: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the change (D, N) of each device, and where it has measured that whole change."""
        change, covered, (low, high) = [], [], self.ends
        for curve in self.curves.values():
            first, last = curve.ends
            at = first + (g_cell - low) * (last - first) / (high - low) if scaled else g_cell
            change.append(curve.change(at, pulses))
            whole = curve.number(at) + pulses <= curve.pulse[-1] + 1e-6
            covered.append((at >= first) & (at <= last) & whole)
        return np.stack(change), np.stack(covered)

    def _rms(self, sigmas: Sequence[float]) -> float:
        return float(np.sqrt(np.mean(np.square(sigmas))))


def _gains(change: np.ndarray, covered: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the gain (D,) of devices from their changes (D, N) where they cover a conductance; the mean is 1.

    The second value is the square of what gains leave, over that of the changes (1).
    """
    gain, power = np.ones(change.shape[0]), float(np.sum(covered * change**2)) or 1.0
    shared = np.any(covered, axis=0)
    change, covered = change[:, shared], covered[:, shared].astype(float)
    mean = np.zeros(change.shape[1])
    for _ in range(_ROUNDS):
        mean = np.sum(covered * gain[:, None] * change, axis=0) / np.sum(covered * gain[:, None] ** 2, axis=0)
        own = np.sum(covered * mean**2, axis=1)
        gain = np.where(own > 0, np.sum(covered * change * mean, axis=1) / np.where(own > 0, own, 1.0), 1.0)
        gain /= np.mean(gain)
    mean = np.sum(covered * gain[:, None] * change, axis=0) / np.sum(covered * gain[:, None] ** 2, axis=0)
    return gain, float(np.sum(covered * (change - gain[:, None] * mean) ** 2)) / power


def _ramp_gains(curve: Trajectory, ramps: Sequence[Ramp]) -> list[float]:
    """Return how far each ramp goes over how far its curve goes over the same pulses, less their mean."""
    found = []
    for ramp, shift in zip(ramps, curve.shifts, strict=True):
        mean = curve.at(ramp.pulse + shift)
        slope, _ = np.polyfit(mean, ramp.g_cell, 1) if np.ptp(mean) > 0 else (1.0, 0.0)
        found.append(float(slope))
    return list(np.array(found) - np.mean(found))
