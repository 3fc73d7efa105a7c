"""Arrays behind wires: the fast grade of `wires`, all its steps for one array after the other.

An array of 65 x 96 cells stays in the core's own cache from its conductances to the effective ones. Step 3 is arranged
for few passes: with t_j the sum over a column of psi h over beta_j, b is put into A ::

    A_ij = h_ij (1 - t_j psi_i) - phi_j sum_m a_im h_mj (1 - t_j psi_m)

so that one product of a matrix of order R with the cells is left of three, and both matrices of the system for a grow
in one pass over the cells.
"""

import numpy as np

from rramkit.array.elimination import Ladder
from rramkit.array.kernels import reference
from rramkit.array.kernels.parts import in_parts
from rramkit.array.kernels.reference import BEYOND, STEPS
from rramkit.compiling import kernel

_WORK = 64  # passes over an array's cells (1) that its solution takes, about: what `in_parts` counts


def behind_wires(g: np.ndarray, ladder: Ladder) -> np.ndarray:
    """Return the effective conductances (T, R, C) of arrays behind wires: see `reference.behind_wires`."""
    g, numbers = np.ascontiguousarray(g), _numbers(ladder, g.dtype)
    effective = np.empty_like(g)
    if not g.size:
        return effective
    failed = in_parts(lambda *tiles: _behind_wires(g, effective, *numbers, STEPS, *tiles), g.shape[0], _WORK * g.size)
    return reference.behind_wires(g, ladder) if any(failed) else effective  # which says what is wrong


def wire_profiles(g: np.ndarray, ladder: Ladder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells and the two profiles of an array (R, C) behind wires: see `reference.wire_profiles`.

    The first half of `behind_wires` by itself, which has it inside: so that tests hold each half to a rounding of its
    own, and `benchmarks/kernels.py` says which half takes the time. No read calls it.
    """
    return _wire_profiles(np.ascontiguousarray(g), *_numbers(ladder, g.dtype), STEPS)


def _numbers(ladder: Ladder, dtype: np.dtype) -> list[np.floating]:
    """Return resistances, extrapolation and one, in the type of the cells."""
    numbers = (ladder.r_start, ladder.r_line, ladder.r_step, ladder.r_end, BEYOND, 1.0)
    return [dtype.type(each) for each in numbers]


@kernel
def _along_rows(load, rho, r_start, r_line):  # noqa: ANN001, ANN202
    """Write load P into `rho`, by running sums along the rows; four rows at once, which do not wait for each other."""
    rows, cols = load.shape
    for top in range(0, rows, 4):
        i, j, k, m = top, min(top + 1, rows - 1), min(top + 2, rows - 1), min(top + 3, rows - 1)
        a, b, c, d = load[i, cols - 1], load[j, cols - 1], load[k, cols - 1], load[m, cols - 1]
        for n in range(cols - 1, 0, -1):  # what flows through the segment before each cell
            rho[i, n], rho[j, n], rho[k, n], rho[m, n] = a, b, c, d
            a += load[i, n - 1]
            b += load[j, n - 1]
            c += load[k, n - 1]
            d += load[m, n - 1]
        a, b, c, d = r_start * a, r_start * b, r_start * c, r_start * d
        rho[i, 0], rho[j, 0], rho[k, 0], rho[m, 0] = a, b, c, d
        for n in range(1, cols):
            flow_i, flow_j, flow_k, flow_m = rho[i, n], rho[j, n], rho[k, n], rho[m, n]
            a += r_line * flow_i
            b += r_line * flow_j
            c += r_line * flow_k
            d += r_line * flow_m
            rho[i, n], rho[j, n], rho[k, n], rho[m, n] = a, b, c, d


@kernel
def _down_columns(load, kappa, r_step, r_end):  # noqa: ANN001, ANN202
    """Write Q load into `kappa`, by running sums along the columns."""
    rows, cols = load.shape
    for m in range(cols):
        kappa[0, m] = load[0, m]
    for i in range(1, rows):
        for m in range(cols):
            kappa[i, m] = kappa[i - 1, m] + load[i, m]
    for m in range(cols):
        kappa[rows - 1, m] *= r_end
    for i in range(rows - 2, -1, -1):
        for m in range(cols):
            kappa[i, m] = kappa[i + 1, m] + r_step * kappa[i, m]


@kernel
def _wire_profiles(g, r_start, r_line, r_step, r_end, beyond, one, steps):  # noqa: ANN001, ANN202
    rows, cols = g.shape
    rho, kappa, rho_before, kappa_before = np.empty_like(g), np.empty_like(g), np.empty_like(g), np.empty_like(g)
    s, s_before, load = np.empty_like(g), np.empty_like(g), g.copy()
    s[:] = one
    _along_rows(load, rho, r_start, r_line)
    _down_columns(load, kappa, r_step, r_end)
    for _ in range(steps):
        rho, rho_before, kappa, kappa_before, s, s_before = rho_before, rho, kappa_before, kappa, s_before, s
        for i in range(rows):
            for m in range(cols):
                s[i, m] = one / (one + (rho_before[i, m] + kappa_before[i, m]) / s_before[i, m])
                load[i, m] = s[i, m] * g[i, m]
        _along_rows(load, rho, r_start, r_line)
        _down_columns(load, kappa, r_step, r_end)
    phi, psi = np.zeros((1, cols), g.dtype), np.zeros((rows, 1), g.dtype)
    e_row, e_col = np.zeros(cols, g.dtype), np.zeros(rows, g.dtype)
    for i in range(rows):
        for m in range(cols):
            s[i, m] += beyond * (s[i, m] - s_before[i, m])
            e = s[i, m] * g[i, m]
            load[i, m] = e
            rho[i, m] += beyond * (rho[i, m] - rho_before[i, m])
            kappa[i, m] += beyond * (kappa[i, m] - kappa_before[i, m])
            phi[0, m] += rho[i, m]
            e_row[m] += e
        for m in range(cols):
            psi[i, 0] += kappa[i, m]
            e_col[i] += load[i, m]
    _scaled(phi[0], e_row, g.dtype.type(rows))
    _scaled(psi[:, 0], e_col, g.dtype.type(cols))
    down = np.zeros(cols, g.dtype)
    for i in range(rows):
        for m in range(cols):
            down[m] += psi[i, 0] * load[i, m]
    h = np.empty_like(g)
    for i in range(rows):
        along = one - one
        for m in range(cols):
            along += load[i, m] * phi[0, m]
        for m in range(cols):
            rest = rho[i, m] + kappa[i, m] - along * phi[0, m] - psi[i, 0] * down[m]
            h[i, m] = g[i, m] / (one + rest / s[i, m])
    return h, phi, psi


@kernel
def _scaled(drop, load, count):  # noqa: ANN001, ANN202
    """Turn sums of drops and loads over `count` lines into P u / sqrt(u P u) of their means, in place."""
    power = drop[0] - drop[0]
    for m in range(drop.size):
        drop[m] /= count
        power += drop[m] * (load[m] / count)
    if power > 0.0:
        root = np.sqrt(power)
        for m in range(drop.size):
            drop[m] /= root


@kernel
def _behind_wires(g, out, r_start, r_line, r_step, r_end, beyond, one, steps, first_tile, last_tile):  # noqa: ANN001, ANN202
    """Write the effective conductances of some arrays into `out`; return whether one of them is not positive."""
    for tile in range(first_tile, last_tile):
        h, phi, psi = _wire_profiles(g[tile], r_start, r_line, r_step, r_end, beyond, one, steps)
        if h.shape[0] > h.shape[1]:  # reciprocity: the smaller matrix
            turned = np.empty((h.shape[1], h.shape[0]), h.dtype)
            if not _reduced(h.T.copy(), psi[:, 0].copy(), phi[0], turned, one):
                return True
            out[tile] = turned.T
        elif not _reduced(h, phi[0], psi[:, 0].copy(), out[tile], one):
            return True
    return False


@kernel
def _reduced(h, phi, psi, out, one):  # noqa: ANN001, ANN202
    """Write A (R, C) of cells h with profiles phi (C,) and psi (R,) into `out`; return whether the network is positive.

    Sums grow by four products at a time, which saves three of four passes over what they are added to.
    """
    rows, cols = h.shape
    beta, sigma = np.ones(cols, h.dtype), np.zeros(cols, h.dtype)
    for m in range(rows):
        for n in range(cols):
            x = psi[m] * h[m, n]
            sigma[n] += x
            beta[n] += psi[m] * x
    alpha, own = np.ones(rows, h.dtype), np.zeros(rows, h.dtype)
    columns, part = np.zeros((_fours(cols), rows), h.dtype), np.empty((rows, cols), h.dtype)
    p, q = np.zeros(_fours(cols), h.dtype), np.zeros(_fours(cols), h.dtype)
    for n in range(cols):
        p[n], q[n] = phi[n], phi[n] / beta[n]
    for m in range(rows):
        for n in range(cols):
            x = h[m, n] * p[n]
            own[m] += x
            alpha[m] += x * p[n]
            columns[n, m] = psi[m] * h[m, n]
    matrix, right = np.zeros((rows, rows), h.dtype), np.zeros((rows, rows), h.dtype)
    for n in range(0, cols, 4):
        a, b, c, d = columns[n], columns[n + 1], columns[n + 2], columns[n + 3]
        _take_outer(right, q[n : n + 4], a, b, c, d)
        _take_outer(matrix, q[n : n + 4] * p[n : n + 4], a, b, c, d)
    system = np.empty((rows, 2 * rows), h.dtype)
    for m in range(rows):
        for k in range(rows):
            system[m, k], system[m, rows + k] = matrix[m, k], right[m, k]
        system[m, m] += alpha[m]
        system[m, rows + m] += own[m]
    if not _solved(system, rows):
        return False
    for n in range(cols):
        beta[n] = sigma[n] / beta[n]
    for m in range(rows):
        for n in range(cols):
            part[m, n] = h[m, n] * (one - beta[n] * psi[m])
    for i in range(rows):
        for n in range(cols):
            out[i, n] = one - one
        _take_rows(out, i, part, 0, rows, system[:, rows + i], 0)
        for n in range(cols):
            out[i, n] = part[i, n] + phi[n] * out[i, n]
    return True


@kernel
def _fours(count):  # noqa: ANN001, ANN202
    """Return the multiple of four that is no less."""
    return (count + 3) // 4 * 4


@kernel
def _take_outer(total, weights, a, b, c, d):  # noqa: ANN001, ANN202
    """Subtract the outer products of four rows (M,) with themselves times their weights."""
    for m in range(a.size):
        row, w, x, y, z = total[m], a[m] * weights[0], b[m] * weights[1], c[m] * weights[2], d[m] * weights[3]
        for k in range(a.size):
            row[k] -= (w * a[k] + x * b[k]) + (y * c[k] + z * d[k])


@kernel
def _solved(system, order):  # noqa: ANN001, ANN202
    """Put matrix^-1 right in the place of `right`, in a system (R, R + M) of both side by side, by Cholesky.

    Return whether the matrix is positive. Rows are taken whole, in vector instructions, although half would do.
    """
    for k in range(order):
        _take_rows(system, k, system, 0, k, system[:, k], 0)
        if not system[k, k] > 0.0:
            return False
        root = np.sqrt(system[k, k])
        for m in range(system.shape[1]):
            system[k, m] /= root
    for k in range(order - 1, -1, -1):
        _take_rows(system, k, system, k + 1, order, system[k], order)
        for m in range(order, system.shape[1]):
            system[k, m] /= system[k, k]
    return True


@kernel
def _take_rows(total, row, rows, first, last, weights, start):  # noqa: ANN001, ANN202
    """Subtract the rows `first` to `last` times their weights from one row of `total`, from column `start` on."""
    columns, i = total.shape[1], first
    while i + 4 <= last:
        w, x, y, z = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
        for m in range(start, columns):
            total[row, m] -= (w * rows[i, m] + x * rows[i + 1, m]) + (y * rows[i + 2, m] + z * rows[i + 3, m])
        i += 4
    for j in range(i, last):
        w = weights[j]
        for m in range(start, columns):
            total[row, m] -= w * rows[j, m]
