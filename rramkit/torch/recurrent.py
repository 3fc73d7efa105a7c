# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""`torch.nn.LSTM`, `GRU` and `RNN` on tiles; `convert` makes them.

Each of their matrices has its cells: those of the inputs read the whole sequence as one batch, those of the hidden
state are read once a step. Gates and states are digital. A sequence is held packed, as PyTorch does: the vectors of the
first step, of the second, and so on, with the number of each; longer sequences come first, so that a step's are the
first of those of the step before.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rramkit.array.model import ArrayModel
from rramkit.torch.cells import TileMatrix, TileOptions

States = tuple[Tensor, ...]
"""What a step hands to the next: the hidden state (B, H), and of an LSTM the cell state."""


class _TileRecurrent(nn.RNNBase):
    """The common part: layers, directions and steps."""

    cells: nn.ModuleDict

    def put_on_tiles(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        """Add the cells of each matrix, by the name of its weight."""
        names = [name for names in self._all_weights for name in names if name.startswith("weight")]
        matrices = {name: TileMatrix(model, options, seed=(*seed, number)) for number, name in enumerate(names)}
        self.cells = nn.ModuleDict(matrices)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:  # noqa: ANN401  (PyTorch's overloads)
        """Return outputs and last states, in the shapes that PyTorch's own module gives."""
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            states = None if hx is None else _as_states(self.permute_hidden(hx, order))
            y, last = self._sequence(data, sizes.tolist(), states)
            return PackedSequence(y, sizes, order, back), self.permute_hidden(self._as_given(last), back)
        single = input.dim() == 2
        x = input[:, None] if single else input.transpose(0, 1) if self.batch_first else input  # (T, B, N)
        states = None if hx is None else _as_states(hx)
        if states is not None and single:
            states = tuple(each[:, None] for each in states)
        if states is not None:
            self.check_forward_args(x.transpose(0, 1) if self.batch_first else x, self._as_given(states), None)
        y, last = self._sequence(x.reshape(-1, x.shape[-1]), [x.shape[1]] * x.shape[0], states)
        y = y.reshape(*x.shape[:2], -1)
        if single:
            return y[:, 0], self._as_given(tuple(each[:, 0] for each in last))
        return y.transpose(0, 1) if self.batch_first else y, self._as_given(last)

    def _sequence(self, data: Tensor, sizes: list[int], states: States | None) -> tuple[Tensor, States]:
        """Return outputs (T B, ...) and last states of a packed sequence; converters take their range from it first."""
        if states is None:
            states = self._zeros(data, sizes[0])
        if any(cells.unmeasured for cells in self.cells.values()):
            with ExitStack() as stack, torch.no_grad():
                stack.enter_context(torch.random.fork_rng(devices=[]))
                cells: Any
                for cells in self.cells.values():
                    if cells.unmeasured:
                        stack.enter_context(cells.collecting())
                self._layers(data, sizes, states)
        return self._layers(data, sizes, states)

    def _layers(self, data: Tensor, sizes: list[int], states: States) -> tuple[Tensor, States]:
        """Return the outputs of the last layer, and the last states of all."""
        directions, lasts = 2 if self.bidirectional else 1, []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                number = layer * directions + direction
                start = tuple(each[number] for each in states)
                y, last = self._steps(data, sizes, start, names=self._all_weights[number], reverse=bool(direction))
                outputs.append(y)
                lasts.append(last)
            data = torch.cat(outputs, dim=-1)
            if self.dropout and layer < self.num_layers - 1:
                data = nn.functional.dropout(data, self.dropout, self.training)
        return data, tuple(torch.stack(each) for each in zip(*lasts, strict=True))

    def _steps(
        self, data: Tensor, sizes: list[int], states: States, *, names: list[str], reverse: bool
    ) -> tuple[Tensor, States]:
        """Return the outputs of one layer in one direction, and its last states."""
        of_input, of_hidden = names[0], names[1]
        driven = self._product(of_input, data).split(sizes)
        outputs: list[Tensor] = [data] * len(sizes)
        for step in reversed(range(len(sizes))) if reverse else range(len(sizes)):
            count = sizes[step]
            now = tuple(each[:count] for each in states)
            new = self._step(driven[step], self._product(of_hidden, now[0]), now)
            if len(names) in (3, 5):  # a projection of the hidden state
                new = (self._product(names[-1], new[0]), *new[1:])
            outputs[step] = new[0]
            states = tuple(torch.cat([one, old[count:]]) for one, old in zip(new, states, strict=True))
        return torch.cat(outputs), states

    def _product(self, name: str, x: Tensor) -> Tensor:
        y, bias = self.cells[name](x.contiguous(), getattr(self, name)), name.replace("weight", "bias")
        return y + getattr(self, bias) if self.bias and "_hr_" not in name else y

    def _step(self, driven: Tensor, recurrent: Tensor, states: States) -> States:
        raise NotImplementedError

    def _zeros(self, data: Tensor, batch: int) -> States:
        lead = (self.num_layers * (2 if self.bidirectional else 1), batch)
        hidden = data.new_zeros(*lead, self.proj_size or self.hidden_size)
        return (hidden, data.new_zeros(*lead, self.hidden_size)) if self.mode == "LSTM" else (hidden,)

    def _as_given(self, states: States) -> Any:  # noqa: ANN401
        return states if self.mode == "LSTM" else states[0]


def _as_states(hx: Tensor | States) -> States:
    return (hx,) if isinstance(hx, Tensor) else tuple(hx)


class TileLSTM(_TileRecurrent, nn.LSTM):
    """`torch.nn.LSTM` on tiles."""

    def _step(self, driven: Tensor, recurrent: Tensor, states: States) -> States:
        """Return i, f, o = sigmoid, g = tanh of both products' sum;  c = f c + i g,  h = o tanh(c)."""
        i, f, g, o = (driven + recurrent).chunk(4, dim=-1)
        cell = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * cell.tanh(), cell


class TileGRU(_TileRecurrent, nn.GRU):
    """`torch.nn.GRU` on tiles."""

    def _step(self, driven: Tensor, recurrent: Tensor, states: States) -> States:
        """Return r, z = sigmoid of both products' sum, n = tanh(x' + r h');  h = n + z (h - n)."""
        (xr, xz, xn), (hr, hz, hn) = driven.chunk(3, dim=-1), recurrent.chunk(3, dim=-1)
        new = (xn + (xr + hr).sigmoid() * hn).tanh()
        return (new + (xz + hz).sigmoid() * (states[0] - new),)


class TileRNN(_TileRecurrent, nn.RNN):
    """`torch.nn.RNN` on tiles."""

    def _step(self, driven: Tensor, recurrent: Tensor, states: States) -> States:
        """Return h = tanh, or the positive part, of both products' sum."""
        total = driven + recurrent
        return (total.tanh() if self.mode == "RNN_TANH" else total.relu(),)
