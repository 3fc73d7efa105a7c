# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""`torch.nn.MultiheadAttention` with its four linear layers on tiles; `convert` makes it.

Queries, keys and values are projected by three matrices, which are parts of `in_proj_weight` where the module has it,
and heads are put together by `out_proj`, a `TileLinear`. Scores, softmax and sums over values are digital: PyTorch's
own function computes them, given identities in place of the projections.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rramkit.array.model import ArrayModel
from rramkit.torch.cells import TileMatrix, TileOptions
from rramkit.torch.linear import TileLinear

_PARTS = ("q", "k", "v")


class TileMultiheadAttention(nn.MultiheadAttention):
    """`torch.nn.MultiheadAttention` on tiles."""

    cells: nn.ModuleDict

    def put_on_tiles(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        """Add the cells of the projections; `out_proj` becomes a module on tiles."""
        matrices = {part: TileMatrix(model, options, seed=(*seed, number)) for number, part in enumerate(_PARTS)}
        self.cells = nn.ModuleDict(matrices)
        projection: Any = self.out_proj
        projection.__class__ = TileLinear
        projection.put_on_tiles(model, options, seed=(*seed, len(_PARTS)))

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return outputs (L, B, E), or (B, L, E) with `batch_first`, and the weights, as PyTorch's own module does."""
        turned = self.batch_first and query.dim() == 3
        q, k, v = (
            self._projected(part, x.transpose(0, 1) if turned else x)
            for part, x in zip(_PARTS, (query, key, value), strict=True)
        )
        same = torch.eye(self.embed_dim, dtype=query.dtype, device=query.device)
        y, weights = nn.functional.multi_head_attention_forward(
            q,
            k,
            v,
            self.embed_dim,
            self.num_heads,
            None,
            None,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            same,
            None,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=True,
            q_proj_weight=same,
            k_proj_weight=same,
            v_proj_weight=same,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        y = self.out_proj(y)
        return y.transpose(0, 1) if turned else y, weights

    def _projected(self, part: str, x: Tensor) -> Tensor:
        """Return the projection of queries, keys or values (..., N): (..., E)."""
        number, width = _PARTS.index(part), self.embed_dim
        own = slice(number * width, (number + 1) * width)
        weight = getattr(self, f"{part}_proj_weight") if self.in_proj_weight is None else self.in_proj_weight[own]
        y = self.cells[part](x.reshape(-1, x.shape[-1]), weight).reshape(*x.shape[:-1], width)
        return y if self.in_proj_bias is None else y + self.in_proj_bias[own]
