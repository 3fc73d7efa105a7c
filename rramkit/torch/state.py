# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""State of cells as tensors, for `state_dict`: what stages keep for their tiles, random streams, and whose they are.

What a stage keeps is nested records, tuples, arrays and numbers. Its numbers go into tensors by their path, the rest
(curves, levels, settings) is that of a module with the same tables and stages. `digest` says whether they are the same.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rramkit.array.read_model import ReadModel
from rramkit.array.rng import TileRng
from rramkit.errors import InputError
from rramkit.parameters import Parameters

_WORDS = 4  # of 64 bits in the state of SFC64


def tensors_of(state: object, path: str) -> dict[str, Tensor]:
    """Return the numbers of nested records by their path; a record that is met again is left out."""
    return dict(_leaves(state, path, set()))


def _leaves(state: object, path: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    if isinstance(state, Tensor):
        yield path, state.detach().clone()
    elif isinstance(state, (bool, int, float, np.generic, np.ndarray)):
        yield path, torch.from_numpy(np.array(state))
    elif id(state) not in seen:
        for name, child in _children(state):
            yield from _leaves(child, f"{path}.{name}", seen)
        if is_dataclass(state):
            seen.add(id(state))


def _children(state: object) -> list[tuple[str, Any]]:
    if is_dataclass(state):
        return [(each.name, getattr(state, each.name)) for each in fields(state)]
    return [(str(index), child) for index, child in enumerate(state)] if isinstance(state, tuple) else []


def restored(state: Any, tensors: Mapping[str, Tensor], path: str, *, device: torch.device) -> Any:  # noqa: ANN401
    """Return nested records with the numbers of `tensors_of` in the places of their own.

    Raises
    ------
    InputError
        When a number has no place here, or a place no number.
    """
    left = {name: tensor for name, tensor in tensors.items() if name == path or name.startswith(f"{path}.")}
    new = _restored(state, left, path, device, {})
    if left:
        raise InputError(
            f"`state_dict` must fit the stages of this module; got `{next(iter(left))}` beside them. "
            "Build the module with the tables and settings that it was saved with."
        )
    return new


def _restored(state: Any, left: dict[str, Tensor], path: str, device: torch.device, seen: dict[int, Any]) -> Any:  # noqa: ANN401
    if isinstance(state, (Tensor, bool, int, float, np.generic, np.ndarray)):
        if path not in left:
            raise InputError(
                f"`state_dict` must hold `{path}` of the stages of this module; it does not. "
                "Build the module with the tables and settings that it was saved with."
            )
        return _as_before(left.pop(path), state, device)
    if id(state) in seen:
        return seen[id(state)]
    children = [(name, old, _restored(old, left, f"{path}.{name}", device, seen)) for name, old in _children(state)]
    if is_dataclass(state) and not isinstance(state, type):
        new = replace(state, **{name: child for name, _, child in children})
        seen[id(state)] = new
        return new
    return tuple(child for _, _, child in children) if isinstance(state, tuple) else state


def _as_before(stored: Tensor, before: Any, device: torch.device) -> Any:  # noqa: ANN401
    """Return a stored tensor as the kind of number or array that was there before; more numbers than one stay one."""
    if isinstance(before, np.ndarray):
        return stored.detach().cpu().numpy().copy()
    if isinstance(before, Tensor) or stored.dim():
        return stored.detach().to(device, copy=True)
    return type(before)(stored.item())


def streams_of(rng: TileRng) -> Tensor:
    """Return the state of the generator of each tile: (T, 6) words of NumPy's, or (T, bytes) of a device's."""
    if not isinstance(rng.generators[0], np.random.Generator):
        return torch.stack([each.get_state() for each in rng.generators])
    states = [each.bit_generator.state for each in rng.generators]
    words = [[*each["state"]["state"], each["has_uint32"], each["uinteger"]] for each in states]
    return torch.from_numpy(np.array(words, dtype=np.uint64).view(np.int64))


def set_streams(rng: TileRng, streams: Tensor) -> None:
    """Put the generators of `rng` into the states of `streams_of`.

    Raises
    ------
    InputError
        When the streams are those of other generators.
    """
    own = streams_of(rng)
    if streams.shape != own.shape or streams.dtype != own.dtype:
        raise InputError(
            f"`state_dict` must hold random streams {tuple(own.shape)} of {own.dtype}, one a tile; got "
            f"{tuple(streams.shape)} of {streams.dtype}. Load it on the kind of device on which it was saved."
        )
    if not isinstance(rng.generators[0], np.random.Generator):
        for generator, state in zip(rng.generators, streams.cpu(), strict=True):
            generator.set_state(state)
        return
    for generator, row in zip(rng.generators, streams.cpu().numpy().view(np.uint64), strict=True):
        state = {"state": row[:_WORDS].copy()}
        has, left = (int(word) for word in row[_WORDS:])
        generator.bit_generator.state = {
            "bit_generator": "SFC64", "state": state, "has_uint32": has, "uinteger": left
        }  # fmt: skip


def digest(model: ReadModel, largest: tuple[int, int] | None) -> Tensor:
    """Return 32 bytes that two modules share only if they read the same cells alike."""
    parts = (model.cells, model.wires, model.t_read, model.chain, largest or model.largest_array, model.precision)
    sha = hashlib.sha256()
    for part in parts:
        _add(sha, part)
    return torch.frombuffer(bytearray(sha.digest()), dtype=torch.uint8)


def _add(sha: Any, part: object) -> None:  # noqa: ANN401  (hashlib names no type)
    if isinstance(part, np.ndarray):
        sha.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
    elif isinstance(part, Parameters):
        sha.update(part.model_dump_json().encode())
    elif is_dataclass(part):
        for each in fields(part):
            sha.update(each.name.encode())
            _add(sha, getattr(part, each.name))
    else:
        sha.update(repr(part).encode())
