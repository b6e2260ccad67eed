"""Spherical k-means for segrun."""

from segrun.algorithms.base import Algorithm


def make(backend, **params):
    """Return an unfitted clusterer; `params` are those of the YAML, one point of the grid."""
    # Late: segrun looks at every plugin when it starts.
    from segrun_spherical.clusterer import SphericalKMeans

    return SphericalKMeans(**params)


algorithm = Algorithm(name="spherical", make=make, conf="segrun_spherical.conf")
