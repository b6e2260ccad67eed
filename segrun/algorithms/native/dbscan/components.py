"""From neighbours to labels.

Core rows within eps of each other are one component (union-find). A component's number is the
rank of its first core row; another row within eps of core rows joins the component with the
smallest number, as in scikit-learn, which grows one after the other.
"""

from __future__ import annotations

import numpy as np

from segrun.algorithms.native.dbscan.leaves import WIDTH
from segrun.algorithms.native.jit import kernel
from segrun.algorithms.native.simd import count_bits, first_bit

#: Leaf << 32 | leaf, taken apart.
_LOWER = (1 << 32) - 1
#: Rows of a mask from which on all of its bits are gone through.
_MANY = 12
#: More than any number of components.
NONE = np.iinfo(np.int32).max


@kernel
def count(places, masks, weights, counts):  # type: ignore[no-untyped-def]
    """Add the weights of each row's neighbours to its count."""
    for k in range(places.size):
        i, base, mask = places[k] >> 32, (places[k] & _LOWER) * WIDTH, masks[k]
        weight, total = weights[i], np.int32(0)
        if count_bits(mask) >= _MANY:
            for j in range(WIDTH):
                bit = np.int32(mask >> j & 1)
                counts[base + j] += weight * bit
                total += weights[base + j] * bit
        else:
            while mask != 0:
                j = base + first_bit(mask)
                mask &= mask - 1
                counts[j] += weight
                total += weights[j]
        counts[i] += total


@kernel
def count_wholes(wholes, totals, counts):  # type: ignore[no-untyped-def]
    """Add the weight of each leaf's neighbours to its count."""
    for k in range(wholes.size):
        a, b = wholes[k] >> 32, wholes[k] & _LOWER
        counts[a] += totals[b]
        counts[b] += totals[a]


@kernel
def as_bits(is_core, cores):  # type: ignore[no-untyped-def]
    """Store a bit per row, 64 rows a leaf."""
    for a in range(cores.size):
        bits = np.int64(0)
        for j in range(min(WIDTH, is_core.size - a * WIDTH)):
            bits |= np.int64(is_core[a * WIDTH + j]) << j
        cores[a] = bits


@kernel
def _find(parents, i):  # type: ignore[no-untyped-def]
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@kernel
def _join(parents, root, bits, base):  # type: ignore[no-untyped-def]
    """Join rows of a leaf, a bit each, to a component; return its root."""
    while bits != 0:
        j = base + first_bit(bits)
        bits &= bits - 1
        if parents[j] == root:
            continue
        other = _find(parents, j)
        if other < root:
            parents[root] = other
            root = other
        else:
            parents[other] = root
    return root


@kernel
def join(places, masks, cores, parents):  # type: ignore[no-untyped-def]
    """Join the components of core rows that are neighbours."""
    for k in range(places.size):
        i, b = places[k] >> 32, places[k] & _LOWER
        if cores[i // WIDTH] >> (i % WIDTH) & 1:
            bits = masks[k] & cores[b]
            if bits != 0:
                _join(parents, _find(parents, i), bits, b * WIDTH)


@kernel
def join_wholes(wholes, cores, parents):  # type: ignore[no-untyped-def]
    """Join all core rows of pairs of leaves."""
    for k in range(wholes.size):
        a, b = wholes[k] >> 32, wholes[k] & _LOWER
        if cores[a] != 0 and cores[b] != 0:
            root = _find(parents, a * WIDTH + first_bit(cores[a]))
            root = _join(parents, root, cores[b], b * WIDTH)
            _join(parents, root, cores[a], a * WIDTH)


@kernel
def settle(cores, parents, n_places, settled):  # type: ignore[no-untyped-def]
    """Store the component that a whole leaf belongs to, -1 for none."""
    for a in range(cores.size):
        size = min(WIDTH, n_places - a * WIDTH)
        component = -1
        if count_bits(cores[a]) == size:
            component = _find(parents, a * WIDTH)
            for i in range(a * WIDTH, a * WIDTH + size):
                if _find(parents, i) != component:
                    component = -1
                    break
        # Once: other threads read it meanwhile.
        settled[a] = component


@kernel
def number(parents, row_at, cores, first, labels):  # type: ignore[no-untyped-def]
    """Store each core row's component, -1 for other rows; return how many there are.

    `first`, a value per row of X, is room to work in.
    """
    first[:] = -1
    least = np.full(row_at.size, NONE, np.int64)
    for i in range(row_at.size):
        labels[i] = -1
        if cores[i // WIDTH] >> (i % WIDTH) & 1:
            root = _find(parents, i)
            least[root] = min(least[root], row_at[i])
    for i in range(row_at.size):
        if least[i] != NONE:
            first[least[i]] = i
    n_components = 0
    for row in range(first.size):
        if first[row] >= 0:
            labels[first[row]] = n_components
            n_components += 1
    for i in range(row_at.size):
        if cores[i // WIDTH] >> (i % WIDTH) & 1:
            labels[i] = labels[_find(parents, i)]
    return n_components


@kernel
def border(places, masks, cores, labels, least):  # type: ignore[no-untyped-def]
    """Lower `least` of rows that are no core rows to the components they border on."""
    for k in range(places.size):
        i, b = places[k] >> 32, places[k] & _LOWER
        mask = masks[k]
        if cores[i // WIDTH] >> (i % WIDTH) & 1:
            mask &= ~cores[b]
            while mask != 0:
                j = b * WIDTH + first_bit(mask)
                mask &= mask - 1
                least[j] = min(least[j], labels[i])
        else:
            mask &= cores[b]
            while mask != 0:
                least[i] = min(least[i], labels[b * WIDTH + first_bit(mask)])
                mask &= mask - 1


@kernel
def border_wholes(wholes, lowest, leaf_least):  # type: ignore[no-untyped-def]
    """Lower `leaf_least` to the lowest component of leaves that are wholly near."""
    for k in range(wholes.size):
        a, b = wholes[k] >> 32, wholes[k] & _LOWER
        leaf_least[a] = min(leaf_least[a], lowest[b])
        leaf_least[b] = min(leaf_least[b], lowest[a])
