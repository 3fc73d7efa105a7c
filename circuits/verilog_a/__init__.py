"""Verilog-A models of the user's own: text, faults of it, compilation to OSDI, and what a compiled file holds."""

from rramkit.circuits.verilog_a.compact_model import (
    CompactModel,
    Module,
    can_be_compiled,
    check_device,
    compact_model,
    is_compact_model,
    models_of_deck,
    note,
)
from rramkit.circuits.verilog_a.compiler import FOLDER_VARIABLE, VARIABLE, Compiler, find_compiler
from rramkit.circuits.verilog_a.lint import Complaint, complaints
from rramkit.circuits.verilog_a.source import Source, source

__all__ = [
    "FOLDER_VARIABLE",
    "VARIABLE",
    "CompactModel",
    "Compiler",
    "Complaint",
    "Module",
    "Source",
    "can_be_compiled",
    "check_device",
    "compact_model",
    "complaints",
    "find_compiler",
    "is_compact_model",
    "models_of_deck",
    "note",
    "source",
]
