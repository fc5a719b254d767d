"""Fixtures for tests of kernels and frontends: a kernel that is tapped, and one that is played.

`plugin` is what pytest loads; the types of what its fixtures give are here, for annotations.
"""

from kspy.pytest_plugin.kernels import ServedKernel, Server, TappedKernel

__all__ = ["ServedKernel", "Server", "TappedKernel"]
