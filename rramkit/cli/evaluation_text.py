"""What `rramkit evaluate` found, for a person."""

from typing import Any

from rramkit import units
from rramkit.array.read_parts import READ_PARTS
from rramkit.cli.rows import rows
from rramkit.cli.spiking import spiking_rows


def text(outcome: dict[str, Any]) -> str:
    """Return an outcome as `Subject.outcome` gives it, a row each."""
    shown = [
        *_heading(outcome),
        *_of_layers(outcome),
        *_of_network(outcome),
        *_after_rests(outcome),
        *_of_spreads(outcome),
        *_of_chips(outcome),
        *(spiking_rows(outcome["spiking"]) if "spiking" in outcome else ()),
    ]
    if "weights" in outcome:
        corrected = "correction" in outcome or "correction" in outcome.get("written", {})
        plain = ", without the correction of outputs" if corrected else ""
        shown.append(("weights", f"{outcome['weights']}{plain}"))
    if "picture" in outcome:
        shown.append(("picture", outcome["picture"]))
    return rows(shown, width=19)


def _heading(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = [
        ("data", f"{units.count(outcome['inputs'], 'test input')} of {outcome['data']}"),
        *_accuracy(outcome),
    ]
    if "float_accuracy" in outcome:
        shown.append(("in float", units.percent(outcome["float_accuracy"])))
    return shown


def _accuracy(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    if "errors" not in outcome:
        return [("accuracy", units.percent(outcome["accuracy"]))]
    accuracy = f"{units.percent(outcome['accuracy'])}, which is 1 less the mean relative error"
    return [("accuracy", accuracy), ("relative error", _errors(outcome["errors"]))]


def _errors(errors: dict[str, float]) -> str:
    return f"mean {units.percent(errors['mean'])}, largest {units.percent(errors['largest'])} of the range"


def _of_layers(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = []
    for layer in outcome["layers"]:
        shown.append((f"layer {layer['name']}", f"{layer['also']}: {_layer(layer)}"))
    whole = f"{units.text(outcome['energy'], 'J')}, {units.text(outcome['seconds'], 's')}"
    whole += f" for {outcome['reads']} reads, averaged" if "reads" in outcome else ""
    areas = [layer["area"] for layer in outcome["layers"] if layer["area"] is not None]
    shown.append(("one input", f"{whole}{f'; tiles of {_square(sum(areas))}' if areas else ''}"))
    parts = {name: sum(layer["parts"].get(name, 0.0) for layer in outcome["layers"]) for name in READ_PARTS}
    told = [f"{name} {units.text(energy, 'J')}" for name, energy in parts.items() if energy]
    if told:
        shown.append(("of it", ", ".join(told)))
    return shown


def _of_network(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = []
    if "interface" in outcome:
        shown.append(("interface", _interface(outcome["interface"])))
    if "function" in outcome:
        of = outcome["function"]
        analog = f", with {units.text(of['activations'], 'J')} for analog activations" if of["activations"] else ""
        what = f"{of['operations']} operations, {units.text(of['per_joule'] / 1e9, 'GFLOPS/W')}{analog} (our counts)"
        shown.append(("function", what))
    if "correction" in outcome:
        shown.append(("outputs corrected", _correction(outcome["correction"])))
    if "by_layer" in outcome:
        shown.append(("settings by layer", f"{', '.join(outcome['by_layer'])}: cells as trained, read anew"))
    for each in outcome.get("clusters", ()):
        shown.append((f"clusters of {each['name']}", _clusters(each)))
    if "network" in outcome:
        without = f"; left out: {', '.join(outcome['left_out'])}" if outcome["left_out"] else ""
        shown.append(("network", f"of the file: {', '.join(outcome['network'])}{without}"))
    if "names" in outcome:
        listed = ", ".join(f"{theirs} as {mine}" for mine, theirs in outcome["names"].items())
        shown.append(("names", f"taken in order: {listed}"))
    return shown


def _interface(of: dict[str, Any]) -> str:
    ends = (("inputs", "input_circuits"), ("outputs", "output_circuits"))
    circuits_at = ", ".join(f"{of[number]} x {' + '.join(of[circuits])}" for number, circuits in ends)
    return f"{circuits_at}: {_square(of['area'])}, {units.text(of['energy'], 'J')} (our count of circuits)"


def _after_rests(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = []
    for each in outcome.get("aged", ()):
        kept = f", refreshed every {units.text(each['refresh'], 's')}" if each["refresh"] else ""
        rest = f"after {units.text(each['after'], 's')} at {each['temperature']:g} K{kept}"
        anew = ", outputs corrected anew" if "correction" in each else ""
        shown.append(("aged", f"{units.percent(each['accuracy'])} {rest}{anew}"))
    for each in outcome.get("refreshes", ()):
        shown.append(("a refresh", _refresh(each)))
    return shown


def _of_spreads(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = []
    for each in outcome.get("spreads", ()):
        what = f"with a lognormal spread of {units.percent(each['sigma'])}, drawn by seed {each['seed']}"
        shown.append(("cells off", f"{units.percent(each['accuracy'])} {what}"))
    return shown


def _of_chips(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    shown = []
    for each in [outcome["written"]] if "written" in outcome else outcome.get("chips", ()):
        written = f"{units.count(each['pulses'], 'pulse')}, {units.text(each['energy_write'], 'J')}"
        shown.append((f"chip {each['seed']}", f"{units.percent(each['accuracy'])}, written by {written}"))
        if "errors" in each:
            shown.append(("relative error", _errors(each["errors"])))
        if "tuned" in each:
            shown.append(
                ("tuned", f"{units.percent(each['tuned'])} of the cells within {each['window']:.2g} of the range")
            )
        if "correction" in each:
            shown.append(("outputs corrected", _correction(each["correction"])))
    if outcome.get("chips_alike"):
        shown.append(("", "the chips are alike: neither the tables nor `rule.update.spread` have a spread of devices"))
    return shown


def _correction(each: dict[str, Any]) -> str:
    cost = f"{units.text(each['energy'], 'J')}, {units.text(each['seconds'], 's')}"
    return f"a gain and an offset each, by {units.count(each['inputs'], 'training input')}: {cost}"


def _refresh(each: dict[str, Any]) -> str:
    cost = f"{units.text(each['energy'], 'J')}, {units.text(each['seconds'], 's')}"
    fired = f"{units.count(each['pulses'], 'pulse')} and {units.count(each['reads'], 'verify read')}"
    when = f"every {units.text(each['every'], 's')} at {each['temperature']:g} K"
    return f"{cost}, {fired}, {when}; {units.percent(each['accuracy'])} after it"


def _clusters(each: dict[str, Any]) -> str:
    arrays = (
        f"{units.count(each['arrays'], 'array')} use {units.percent(each['use'])} of {units.count(each['cells'])} cells"
    )
    lines = units.count(each["discrete_lines"], "line")
    single = f"{each['discrete']} of {units.count(each['connections'], 'connection')} discrete, on {lines}"
    plain = f"{units.count(each['plain_arrays'], 'array')} of that size would use {units.percent(each['plain_use'])}"
    return f"{arrays}; {single}; plain tiles: {plain}"


def _square(area: float) -> str:
    return f"{1e6 * area:.3g} mm2"


def _layer(layer: dict[str, Any]) -> str:
    rows, columns = layer["shape"]
    cost = f"{units.text(layer['energy'], 'J')}, {units.text(layer['seconds'], 's')}"
    cost += f", {_square(layer['area'])}" if layer["area"] is not None else ""
    clamped = f", {units.count(layer['clamped'], 'value')} clamped" if layer["clamped"] else ""
    return f"{rows} x {columns}, {units.count(layer['cells'])} cells: {cost}{clamped}"
