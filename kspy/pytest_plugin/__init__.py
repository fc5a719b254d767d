"""Fixtures for tests of kernels and frontends: a kernel that is tapped, and one that is played.

`plugin` is what pytest loads, in every run; `kernels` has the types of what the fixtures give.
"""
