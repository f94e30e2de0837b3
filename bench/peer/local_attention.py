"""Attention that fits: femr's own builds a [T, T] matrix per head on a CPU, for windows of a few hundred tokens.

install() puts the same function in its place, computed block by block with torch's fused kernel."""

import femr.models.xformers
import torch

QUERIES_PER_BLOCK = 512


def local_attention(q, k, v, attn_bias):
    """[1, T, heads, size] each; a token attends to itself and the width - 1 tokens before, of its own sequence."""
    width = attn_bias._window_size
    starts = attn_bias.q_seqinfo.seqstart_py
    q, k, v = (tensor.transpose(1, 2) for tensor in (q, k, v))
    blocks = []
    for start, end in zip(starts, starts[1:]):
        for first in range(start, end, QUERIES_PER_BLOCK):
            last = min(first + QUERIES_PER_BLOCK, end)
            oldest = max(start, first - width + 1)
            distance = torch.arange(first, last)[:, None] - torch.arange(oldest, last)[None, :]
            blocks.append(torch.nn.functional.scaled_dot_product_attention(
                q[:, :, first:last], k[:, :, oldest:last], v[:, :, oldest:last],
                attn_mask=(distance >= 0) & (distance < width)))
    return torch.cat(blocks, 2).transpose(1, 2)


def check():
    """Against femr's own attention on three short sequences."""
    import xformers.ops

    mask = xformers.ops.fmha.attn_bias.BlockDiagonalMask.from_seqlens([700, 3, 40]).make_local_attention(9)
    q, k, v = torch.randn(3, 1, 743, 2, 8).unbind(0)
    expected = femr.models.xformers.ref_attention_bmhk(q, k, v, mask)
    torch.testing.assert_close(local_attention(q, k, v, mask), expected, rtol=1e-4, atol=1e-4)


def install():
    check()
    femr.models.xformers.memory_efficient_attention_wrapper = local_attention
