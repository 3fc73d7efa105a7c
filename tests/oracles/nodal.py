"""The slow oracle for the wire model: every node of a linear array, solved exactly with a sparse matrix."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu


def transfer_matrix(g, *, r_row, r_col, r_drive, r_sense):
    """Return the current (A) into each column's sense amplifier for one volt on each row's driver, (R, C).

    Row i: source - r_drive - node (i, 0) - r_row - node (i, 1) ...; column j: node (0, j) - r_col - ... - node (R-1, j)
    - r_sense - ground. Resistances must be positive.
    """
    rows, cols = g.shape
    row_node = np.arange(rows * cols).reshape(rows, cols)
    col_node = row_node + rows * cols
    links = [
        (row_node.ravel(), col_node.ravel(), g.ravel()),
        (row_node[:, :-1].ravel(), row_node[:, 1:].ravel(), np.full(rows * (cols - 1), 1 / r_row)),
        (col_node[:-1].ravel(), col_node[1:].ravel(), np.full((rows - 1) * cols, 1 / r_col)),
    ]
    a, b, y = (np.concatenate(parts) for parts in zip(*links, strict=True))
    ends = np.concatenate([row_node[:, 0], col_node[-1]])
    to_ground = np.concatenate([np.full(rows, 1 / r_drive), np.full(cols, 1 / r_sense)])
    entries = np.concatenate([y, y, -y, -y, to_ground])
    i, j = np.concatenate([a, b, a, b, ends]), np.concatenate([a, b, b, a, ends])
    matrix = coo_array((entries, (i, j)), shape=(2 * rows * cols,) * 2).tocsc()
    drive = np.zeros((2 * rows * cols, rows))
    drive[row_node[:, 0], np.arange(rows)] = 1 / r_drive
    voltage = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(drive)
    return voltage[col_node[-1]].T / r_sense


def branches(g, v_word, v_bit, *, r_row, r_col, r_source, r_sense):
    """Return the currents of the cells (R, C) of a linear array, one input vector, by modified nodal analysis.

    Every wire is a branch of its own with the unknown current i and the equation v_a - v_b = r i, which is as good for
    r = 0. `v_word` (R,) and `v_bit` (C,) stand behind r_source and r_sense. Dense, for small arrays.
    """
    rows, cols = g.shape
    word, bit = np.arange(rows * cols).reshape(rows, cols), rows * cols + np.arange(rows * cols).reshape(rows, cols)
    wires = [(None, word[i, 0], r_source, v_word[i]) for i in range(rows)]
    wires += [(word[i, j], word[i, j + 1], r_row, 0.0) for i in range(rows) for j in range(cols - 1)]
    wires += [(bit[i, j], bit[i + 1, j], r_col, 0.0) for i in range(rows - 1) for j in range(cols)]
    wires += [(None, bit[-1, j], r_sense, v_bit[j]) for j in range(cols)]
    nodes = 2 * rows * cols
    matrix, right = np.zeros((nodes + len(wires),) * 2), np.zeros(nodes + len(wires))
    for i, j in np.ndindex(rows, cols):
        a, b = word[i, j], bit[i, j]
        matrix[[a, b, a, b], [a, b, b, a]] += np.array([1, 1, -1, -1]) * g[i, j]
    for k, (a, b, r, v) in enumerate(wires, start=nodes):
        for node, sign in ((a, 1.0), (b, -1.0)):
            if node is not None:
                matrix[node, k] += sign  # the current leaves a and enters b
                matrix[k, node] += sign
        matrix[k, k], right[k] = -r, -v
    found = np.linalg.solve(matrix, right)
    return g * (found[word] - found[bit])
