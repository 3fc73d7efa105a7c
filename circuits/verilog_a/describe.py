"""Print what a compiled model (OSDI) holds, as JSON: a program of its own, since the file is code.

    python -I -S describe.py FILE.osdi

It reads the tables that every such file has: modules, pins, parameters. The layout is that of OSDI 0.3 to 0.5.
"""

import ctypes
import json
import sys
from ctypes import POINTER, Structure, c_bool, c_char_p, c_uint32, c_void_p

_OUTPUT, _TYPE, _STRING = 2 << 30, 3, 2
_KNOWN = ((0, 3), (0, 4), (0, 5))
_MOST = 1000  # modules and pins: more are none


class _Node(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("units", c_char_p),
        ("residual_units", c_char_p),
        ("offsets", c_uint32 * 4),
        ("is_flow", c_bool),
    )


class _Parameter(Structure):
    _fields_ = (
        ("names", POINTER(c_char_p)),
        ("num_alias", c_uint32),
        ("description", c_char_p),
        ("units", c_char_p),
        ("flags", c_uint32),
        ("length", c_uint32),
    )


class _Descriptor(Structure):
    """The first fields of a module's table; those of later versions come after them."""

    _fields_ = (
        ("name", c_char_p),
        ("num_nodes", c_uint32),
        ("num_terminals", c_uint32),
        ("nodes", POINTER(_Node)),
        ("num_jacobian_entries", c_uint32),
        ("jacobian_entries", c_void_p),
        ("num_collapsible", c_uint32),
        ("collapsible", c_void_p),
        ("collapsed_offset", c_uint32),
        ("noise_sources", c_void_p),
        ("num_noise_src", c_uint32),
        ("num_params", c_uint32),
        ("num_instance_params", c_uint32),
        ("num_opvars", c_uint32),
        ("param_opvar", POINTER(_Parameter)),
    )


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _module(table: _Descriptor) -> dict[str, object]:
    if not table.name or table.num_terminals > _MOST or table.num_nodes > _MOST * _MOST:
        raise ValueError("a module's table is not as OSDI has it")
    numbers = [
        _text(each.names[0])
        for each in (table.param_opvar[k] for k in range(table.num_params))
        if not each.flags & _OUTPUT and each.flags & _TYPE != _STRING
    ]
    return {
        "name": _text(table.name),
        "pins": [_text(table.nodes[k].name) for k in range(table.num_terminals)],
        "parameters": [name for name in numbers if not name.startswith("$")],
    }


def main(path: str) -> None:
    """Print the version and the modules of a compiled file."""
    library = ctypes.CDLL(path)
    major, minor, count = (
        c_uint32.in_dll(library, f"OSDI_{name}").value for name in ("VERSION_MAJOR", "VERSION_MINOR", "NUM_DESCRIPTORS")
    )
    if (major, minor) not in _KNOWN or not 1 <= count <= _MOST:
        raise ValueError(f"it is of OSDI {major}.{minor}, with {count} modules; 0.3 to 0.5 are known")
    first = ctypes.addressof(c_uint32.in_dll(library, "OSDI_DESCRIPTORS"))
    size = c_uint32.in_dll(library, "OSDI_DESCRIPTOR_SIZE").value if minor > 3 else 0
    if count > 1 and not size:
        raise ValueError("it holds several modules, of OSDI 0.3: compile each by itself")
    modules = [_module(_Descriptor.from_address(first + k * size)) for k in range(count)]
    sys.stdout.write(json.dumps({"version": f"{major}.{minor}", "modules": modules}) + "\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (OSError, ValueError) as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
