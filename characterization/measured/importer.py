"""Import of measured pulses and I-V curves, or of a published device, as a table file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rramkit import __version__
from rramkit.array.mapping import Pairs
from rramkit.array.model import ArrayModel
from rramkit.array.stages.chain import ReadChain
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams, WriteVerify
from rramkit.characterization.measured import presets
from rramkit.characterization.measured.delimited import read_bytes, read_delimited
from rramkit.characterization.measured.easyexpert import is_easyexpert, read_easyexpert
from rramkit.characterization.measured.plausible import check_ramps, check_responses
from rramkit.characterization.measured.ramps import Measurement, Ramp, measurement
from rramkit.characterization.measured.read_table import linear_table, measured_table
from rramkit.characterization.measured.reads import reads_table
from rramkit.characterization.measured.response import Response
from rramkit.characterization.measured.settings import FileSettings, ImportSettings, WireSettings
from rramkit.characterization.measured.sheet import Sheet
from rramkit.characterization.measured.summary import columns_json, ramps_json, spreads
from rramkit.characterization.measured.workbook import is_workbook, read_workbook
from rramkit.characterization.measured.write_table import responses, write_table
from rramkit.errors import InputError, in_one_line
from rramkit.table import Polarity, Table, TableFile
from rramkit.table.schema import ASSUMED, READ, READS, SET, WIRES, WRITES

_ANY_SIZE = 1e6  # rows or columns that ideal wires are valid for: any size


def from_pulses(pulses: Path, settings: ImportSettings, *, iv: Path | None = None) -> TableFile:
    """Return the tables of a pulse-response file, and of an I-V file where there is one.

    Parameters
    ----------
    pulses : Path
        Conductance after each pulse, in any of the shapes of docs/measured-data.md: text, an instrument's log or a
        spreadsheet, long or wide.
    settings : ImportSettings
        What the files do not hold: roles and units of columns, amplitudes (V), widths (s), the scale of arbitrary
        units (S).
    iv : Path, optional
        Current against voltage; left out, cells are read as ohmic.

    Returns
    -------
    TableFile
        Tables `read`, `set`, `reset` and `wires`, and the reads themselves beside their fit. The provenance says how
        the columns were read, what was assumed, and what the measurement lacks.

    Raises
    ------
    InputError
        When a file does not say what its numbers are, or no device has such numbers, or no array could be trained with
        them.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.characterization.measured.settings import ImportSettings
    >>> rise = np.linspace(2.0, 20.0, 40)  # uS: 40 SET pulses up, 40 RESET pulses down
    >>> np.savetxt("pulses.csv", np.column_stack([rise, rise[::-1]]), delimiter=",", header="set (uS),reset (uS)")
    >>> tables = from_pulses(Path("pulses.csv"), ImportSettings())
    >>> list(tables)
    ['read', 'set', 'reset', 'reads_set', 'reads_reset', 'wires']
    >>> tables.provenance["assumed"].split("; ")[0]
    'set.v_pulse = 1 V'
    """
    with in_one_line():
        return _from_pulses(pulses, settings, iv)


def _from_pulses(pulses: Path, settings: ImportSettings, iv: Path | None) -> TableFile:
    found = measurement(read_sheet(pulses, settings.pulses, group="pulses"), settings)
    settings = _with_read_voltage(settings, found.v_read)
    ramps = _scaled(found, settings)
    notes = [*found.notes, *check_ramps(pulses, ramps)]
    curves: dict[Polarity, dict[float, Response]] = {
        p: responses(p, [ramp for ramp in ramps if ramp.polarity == p]) for p in WRITES
    }
    notes += check_responses(pulses, curves)
    written: dict[Polarity, Table] = {p: write_table(p, curves[p], settings) for p in WRITES}
    if any(np.any(t.axes[SET.g_start].values <= 0) for t in written.values()):
        raise InputError(f"{pulses}: its mean conductance falls to 0 S or below. Check its unit, or the scale given.")
    lacks = _lacks_of(written)
    if iv is None:
        lacks.append("current against voltage: read as ohmic")
        read = linear_table(_span(written), settings)
    else:
        read, taken = measured_table(read_sheet(iv, settings.iv, group="iv"), _span(written), settings)
        lacks += taken
    files = {"pulses": pulses} | ({} if iv is None else {"iv": iv})
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    source = {"source": "measured: " + ", ".join(path.name for path in files.values())}
    source |= {"source_sha256": json.dumps(hashes, sort_keys=True)}
    source |= {"columns": columns_json(found), "ramps": ramps_json(curves)}
    source |= {"notes": "; ".join([*notes, *spreads(curves)])}
    reads = {str(READS[p].group): reads_table(p, curves[p]) for p in WRITES}
    return _file({READ.group: read, **written, **reads}, settings, lacks, source, assumed=found.assumed)


def read_sheet(path: Path, settings: FileSettings, *, group: str) -> Sheet:
    """Return the sheet of a measured file: a spreadsheet, an instrument's log, or text with delimiters."""
    data = read_bytes(path)
    if is_workbook(data):
        return read_workbook(path, data, settings, group=group)
    return read_easyexpert(path, data) if is_easyexpert(data) else read_delimited(path, data, settings, group=group)


def _with_read_voltage(settings: ImportSettings, v_read: float | None) -> ImportSettings:
    """Return the settings with the read voltage (V) that a file holds."""
    if v_read is None:
        return settings
    read = settings.read.model_copy(update={READ.v_read: v_read, "v_max": max(v_read, settings.read.v_max)})
    return settings.model_copy(update={"read": read})


def _scaled(found: Measurement, settings: ImportSettings) -> list[Ramp]:
    """Return ramps in siemens: arbitrary units are stretched so that their mean levels become g_low and g_high."""
    ramps = list(found.ramps)
    if ramps[0].scaled:
        return ramps
    assert settings.g_low is not None and settings.g_high is not None  # else the column has no unit, and is refused
    ends = [
        curve.ends
        for polarity in WRITES
        for curve in responses(polarity, [ramp for ramp in ramps if ramp.polarity == polarity]).values()
    ]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    slope = (settings.g_high - settings.g_low) / (high - low)
    return [replace(r, g_cell=settings.g_low + slope * (r.g_cell - low), scaled=True) for r in ramps]


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
        When there is no preset of that name, or no array could be trained with the settings.

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
    tables = {READ.group: linear_table(device.g_range, settings), **written}
    given, read = settings.read.model_fields_set, settings.read
    assumed = {} if READ.v_read in given else {"read.v_read": f"{read.v_read:g} V"}
    assumed |= {} if READ.t_read in given else {"read.t_read": f"{read.t_read:g} s"}
    return _file(tables, settings, lacks, source, assumed=assumed)


def _span(written: Mapping[Polarity, Table]) -> tuple[float, float]:
    starts = [table.axes[SET.g_start].values for table in written.values()]
    return min(float(g[0]) for g in starts), max(float(g[-1]) for g in starts)


def _lacks_of(written: Mapping[Polarity, Table]) -> list[str]:
    lacks = ["energy: estimated as v^2 g t, without lines and drivers"]
    for name, table in written.items():
        if table.axes[SET.v_pulse].values.size == 1:
            lacks.append(f"{name} amplitudes: one, so that a write is the same pulse each time")
    return lacks


def _file(
    tables: dict[str, Table],
    settings: ImportSettings,
    lacks: list[str],
    source: dict[str, str],
    *,
    assumed: Mapping[str, str],
) -> TableFile:
    if not any(settings.wires.model_dump().values()):
        lacks = [*lacks, "wires: ideal"]
    provenance = {
        **source,
        "import": settings.as_json(),
        ASSUMED: "; ".join(f"{key} = {value}" for key, value in assumed.items()),
        "lacks": "; ".join(lacks),
        "kit_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    made = TableFile({**tables, WIRES.group: _wires(settings.wires)}, provenance)
    _check_trainable(made)
    return made


def _check_trainable(tables: TableFile) -> None:
    """Raise `InputError` for what a training refuses: its arrays, writes and weights cannot be built of the tables."""
    chain, update = ReadChain.from_tables(tables), UpdateParams.from_tables(tables)
    ArrayModel(tables, chain=chain)
    WriteVerify.from_tables(tables, VerifyParams.from_tables(tables), update)
    Pairs.from_tables(tables)


def _wires(wires: WireSettings) -> Table:
    limits = WIRES.of(rows_max=_ANY_SIZE, cols_max=_ANY_SIZE)
    return Table(name=WIRES.group, axes={}, signals=WIRES.of(**wires.model_dump()), conditions=limits)
