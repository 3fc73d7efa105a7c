"""Units of ngspice's vectors, by their names: node voltages, branch currents, quantities of devices, spectra, axes."""

import re

_DEVICE = re.compile(r"@(?P<device>[\w.:#$]+)\[(?P<quantity>\w+)\]")
_AXES = {
    "time": ("time", "s"),
    "frequency": ("frequency", "Hz"),
    "v-sweep": ("swept source", "V"),
    "i-sweep": ("swept source", "A"),
    "temp-sweep": ("temperature", "degC"),
    "res-sweep": ("swept resistor", "ohm"),
}
# Quantities of devices, as the manual of ngspice names them.
_QUANTITIES = {
    "A": "i id ig is ib ic ie ibd ibs isub igd igs igb igidl igisl igcs igcd id0 idrain isource cd cbd cbs",
    "S": "g gd gm gds gmb gmbs gbd gbs gpi gmu gx go gcsub geqcb gmin conductance",
    "V": "v vd vg vs vb vth von vdsat vgs vds vbs vbd vgd vbe vbc vce vcs vdss vgt vov",
    "F": "c cap capacitance cgs cgd cgb cgg cdd cdg cds cdb css csg csd csb cbb cbg cbsb cjs cpi cmu",
    "C": "q qg qd qs qb qinv charge qgs qgd",
    "W": "p power",
    "ohm": "r resistance rd rs",
    "Wb": "flux",
}
_UNIT_OF_QUANTITY = {name: unit for unit, names in _QUANTITIES.items() for name in names.split()}


def axis(scale: str) -> tuple[str, str]:
    """Return what an abscissa is and its unit, by ngspice's name of it; raise `KeyError` for another vector."""
    return _AXES[scale]


def unit_of(vector: str, kind: str, words: tuple[str, ...] = ()) -> str:
    """Return the unit of a vector; `1` where it has none or ngspice's name does not tell it.

    Parameters
    ----------
    vector : str
        In a deck's words: `v(out)`, `i(v1)`, `@m1[id]`, `onoise_spectrum`.
    kind : str
        The analysis: `tran`, `noise`.
    words : tuple of str
        What the deck says after the analysis' name: the source of a `.noise` or `.tf` is in it.
    """
    name = vector.lower()
    if name in _AXES:
        return _AXES[name][1]
    if kind == "noise":
        return _noise(name, words)
    if kind == "tf":
        return _transfer(name, words)
    if kind in ("pz", "sens"):
        return "rad/s" if kind == "pz" else "1"
    device = _DEVICE.fullmatch(name)
    if device is not None:
        return _UNIT_OF_QUANTITY.get(device["quantity"], "1")
    return "A" if name.startswith("i(") or "#branch" in name else "V"


def _noise(name: str, words: tuple[str, ...]) -> str:
    by_current = name.startswith("inoise") and len(words) > 1 and words[1][0] in "iI"
    unit = "A" if by_current else "V"
    return unit if name.startswith(("onoise_total", "inoise_total")) else f"{unit}/√Hz"


def _transfer(name: str, words: tuple[str, ...]) -> str:
    if "impedance" in name:
        return "ohm"
    out, by = (words[0][:1].lower(), words[1][:1].lower()) if len(words) > 1 else ("v", "v")
    return {("v", "v"): "1", ("i", "i"): "1", ("v", "i"): "ohm", ("i", "v"): "S"}.get((out, by), "1")
