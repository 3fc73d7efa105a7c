"""Import of measured pulses and I-V curves, or of a published device, as a table file."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rramkit import __version__
from rramkit.characterization.measured import presets
from rramkit.characterization.measured.pulses import PulseTrain, read_trains, scaled
from rramkit.characterization.measured.read_table import linear_table, measured_table
from rramkit.characterization.measured.settings import ImportSettings, WireSettings
from rramkit.characterization.measured.write_table import mean_curve, write_table
from rramkit.errors import InputError
from rramkit.table import Polarity, Table, TableFile
from rramkit.table.schema import READ, SET, WIRES, WRITES

_ANY_SIZE = 1e6  # rows or columns that ideal wires are valid for: any size


def from_pulses(pulses: Path, settings: ImportSettings, *, iv: Path | None = None) -> TableFile:
    """Return the tables of a pulse-response file, and of an I-V file where there is one.

    Parameters
    ----------
    pulses : Path
        Conductance after each pulse: a CSV file with a header (`polarity`, `g_cell` or `r_cell`, and more), or two
        columns without one, trains of SET and of RESET pulses.
    settings : ImportSettings
        What the files do not hold: amplitudes (V), widths (s), the scale of arbitrary units (S).
    iv : Path, optional
        Current against voltage; left out, cells are read as ohmic.

    Returns
    -------
    TableFile
        Tables `read`, `set`, `reset` and `wires`; the provenance says what the measurement lacks.

    Raises
    ------
    InputError
        When a file does not fit, arbitrary units have no scale, or the two polarities share no conductances.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.characterization.measured.settings import ImportSettings
    >>> rise = np.linspace(0.0, 1.0, 40)  # arbitrary units: 40 SET pulses up, 40 RESET pulses down
    >>> np.savetxt("pulses.csv", np.column_stack([rise, rise[::-1]]), delimiter=",")
    >>> tables = from_pulses(Path("pulses.csv"), ImportSettings(g_low=2e-6, g_high=20e-6))
    >>> list(tables)
    ['read', 'set', 'reset', 'wires']
    """
    trains = read_trains(pulses, settings)
    trains = scaled(trains, ends=_levels(trains), settings=settings)
    written: dict[Polarity, Table] = {
        p: write_table(p, [t for t in trains if t.polarity == p], settings) for p in WRITES
    }
    if any(np.any(t.axes[SET.g_start].values <= 0) for t in written.values()):
        raise InputError(f"{pulses}: its mean conductance falls to 0 S or below. Check its unit, or the scale given.")
    lacks = _lacks_of(written)
    if iv is None:
        lacks.append("current against voltage: read as ohmic")
        read = linear_table(_span(written), settings)
    else:
        read, assumed = measured_table(iv, _span(written), settings)
        lacks += assumed
    files = {"pulses": pulses} | ({} if iv is None else {"iv": iv})
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    source = {"source": "measured: " + ", ".join(path.name for path in files.values())}
    source |= {"source_sha256": json.dumps(hashes, sort_keys=True)}
    return _file({READ.group: read, **written}, settings, lacks, source)


def from_preset(name: str, settings: ImportSettings) -> TableFile:
    """Return the tables of a published device.

    Parameters
    ----------
    name : str
        Its name in `presets.toml`, such as `epiram`; `presets()` gives all.
    settings : ImportSettings
        Read voltages, wires, and how writes scatter.

    Returns
    -------
    TableFile
        Tables `read`, `set`, `reset` and `wires`; the provenance names the publication.

    Raises
    ------
    InputError
        When there is no preset of that name.

    Examples
    --------
    >>> from rramkit.characterization.measured.settings import ImportSettings
    >>> list(from_preset("epiram", ImportSettings()))
    ['read', 'set', 'reset', 'wires']
    """
    device = presets.preset(name)
    written: dict[Polarity, Table] = {polarity: presets.write_table(device, polarity, settings) for polarity in WRITES}
    lacks = [
        *_lacks_of(written),
        "current against voltage: read as ohmic",
        "held-out points: none, the table is a closed formula",
    ]
    source = {"source": f"preset {name}: {device.label}, {device.source}", "preset": device.as_json()}
    return _file({READ.group: linear_table(device.g_range, settings), **written}, settings, lacks, source)


def _levels(trains: list[PulseTrain]) -> tuple[float, float]:
    """Return the lowest and the highest mean level of all trains, in the file's unit."""
    groups: dict[tuple[Polarity, float], list[PulseTrain]] = {}
    for train in trains:
        groups.setdefault((train.polarity, train.v_pulse), []).append(train)
    ends = [mean_curve(polarity, group).ends for (polarity, _), group in groups.items()]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _span(written: Mapping[Polarity, Table]) -> tuple[float, float]:
    starts = [table.axes[SET.g_start].values for table in written.values()]
    return min(float(g[0]) for g in starts), max(float(g[-1]) for g in starts)


def _lacks_of(written: Mapping[Polarity, Table]) -> list[str]:
    lacks = ["energy: estimated as v^2 g t, without lines and drivers"]
    for name, table in written.items():
        if table.axes[SET.v_pulse].values.size == 1:
            lacks.append(f"{name} amplitudes: one, so that a write is the same pulse each time")
    return lacks


def _file(tables: dict[str, Table], settings: ImportSettings, lacks: list[str], source: dict[str, str]) -> TableFile:
    if not any(settings.wires.model_dump().values()):
        lacks = [*lacks, "wires: ideal"]
    provenance = {
        **source,
        "import": settings.as_json(),
        "lacks": "; ".join(lacks),
        "kit_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return TableFile({**tables, WIRES.group: _wires(settings.wires)}, provenance)


def _wires(wires: WireSettings) -> Table:
    limits = WIRES.of(rows_max=_ANY_SIZE, cols_max=_ANY_SIZE)
    return Table(name=WIRES.group, axes={}, signals=WIRES.of(**wires.model_dump()), conditions=limits)
