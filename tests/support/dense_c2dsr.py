"""C2DSR as it is written: grids padded on the left, dense graphs, one user and token at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def graph(prepared: Any, name: str) -> Tensor:
    """The prepared graph as a dense float64 matrix."""
    starts, columns, values = (
        getattr(prepared, f"{name}_{part}") for part in ("starts", "columns", "values")
    )
    out = torch.zeros(len(starts) - 1, len(starts) - 1, dtype=torch.float64)
    for row in range(len(out)):
        at = slice(int(starts[row]), int(starts[row + 1]))
        out[row, columns[at]] = values[at].double()
    return out


def vectors(net: Any, own: bool) -> Tensor:
    """Input vectors of all items: [I, width]."""
    tables = net.own_tables if own else net.tables
    table = tables.scope_table(tables.domains)
    bias = net.graph_biases[1:][net.owners] if own else net.graph_biases[0]
    spread = graph(net.prepared, "own" if own else "mixed") @ table + bias
    return ((table + spread) / 2 + table) * table.shape[1] ** 0.5  # type: ignore[no-any-return]


def states(net: Any, sequence: int, rows: list[list[int]]) -> Tensor:
    """States [B, max_len, width] of left-padded rows, where -1 is a masked token."""
    size = net.max_len
    encoder = net.encoders[sequence]
    table = vectors(net, own=sequence > 0)
    x = torch.zeros(len(rows), size, table.shape[1], dtype=table.dtype)
    mask = torch.zeros(len(rows), size, dtype=torch.bool)
    for i, row in enumerate(rows):
        order = 0
        for j, item in enumerate(row):
            if item >= 0:
                at = size - len(row) + j
                x[i, at] = table[item] + encoder.positions[order]
                mask[i, at] = True
                order += 1
    future = torch.ones(size, size, dtype=torch.bool).triu(1)
    for layer in encoder.layers:
        attention = layer.attention
        query = layer.query_norm(x)
        q, (k, v) = attention.query(query), attention.memory(x).chunk(2, -1)
        q, k, v = (t.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for t in (q, k, v))
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        mixed = logits.masked_fill(future, -torch.inf).softmax(-1) @ v
        y = layer.inner_norm(query + attention.out(mixed.transpose(1, 2).flatten(2)))
        x = (y + layer.outer(F.relu(layer.inner(y)))) * mask[..., None]
    out: Tensor = encoder.norm(x)
    return out


def parts(
    net: Any, rows: list[list[int]], corrupted: list[list[list[int]]], last_k: int
) -> tuple[Tensor, Tensor]:
    """Sum of cross entropies and sum of infomax losses of windows, target events included."""
    limit, size = last_k or net.max_len, net.max_len
    domains = net.tables.domains
    starts = [net.tables.scope_span(domains, name).start for name in domains]
    inputs = [row[:-1] for row in rows]
    owner = [[int(net.owners[i]) for i in row] for row in rows]
    mixed, prediction, infomax = states(net, 0, inputs), [], []
    for d, name in enumerate(domains):
        head = net.heads.domain_table(name)
        bias = net.head_biases.domain_table(name)[:, 0]
        own = states(net, 1 + d, [
            [i if o == d else -1 for i, o in zip(row, owners, strict=False)]
            for row, owners in zip(inputs, owner, strict=True)
        ])  # fmt: skip
        false = states(net, 0, corrupted[d])
        each = []
        for u, row in enumerate(rows):
            n = len(row) - 1
            at = [size - n + j for j in range(n)]
            for j in range(max(0, n - limit), n):
                if owner[u][j + 1] == d:
                    h = mixed[u, at[j]]
                    prediction.append(nll(head @ h + bias, net.pad_head(h), row[j + 1] - starts[d]))
                following = [k for k in range(j + 1, n + 1) if owner[u][k] == d]
                if owner[u][j] == d and following:
                    h = mixed[u, at[j]] + own[u, at[j]]
                    pad = net.pad_head(own[u, at[j]])
                    prediction.append(nll(head @ h + bias, pad, row[following[0]] - starts[d]))
            here = asked(owner[u], {d})
            there = [j for e in range(len(domains)) if e != d for j in asked(owner[u], {e})]
            if here and there:
                r = own[u, [at[j] for j in here]].mean(0)
                real, fake = (s[u, [at[j] for j in there]].mean(0) for s in (mixed, false))
                good, bad = (
                    (s @ net.critics[d] @ r + net.critic_biases[d]).sigmoid() for s in (real, fake)
                )
                each.append(-good.log() - (1 - bad).log())
        infomax.append(torch.stack(each).mean())
    return torch.stack(prediction).sum() / (len(rows) * limit), torch.stack(infomax).sum()


def asked(owners: list[int], domains: set[int]) -> list[int]:
    """Inputs of the domain that another event of it follows."""
    return [
        j for j in range(len(owners) - 1) if owners[j] in domains and owners[j] in owners[j + 1 :]
    ]


def nll(logits: Tensor, pad: Tensor, target: int) -> Tensor:
    """Cross entropy with one class more, of logit `pad` [1]."""
    return torch.cat([logits, pad]).logsumexp(0) - logits[target]
