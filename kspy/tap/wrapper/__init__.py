"""A kernel that launches another kernel underneath: what a tapped kernelspec runs.

To its frontend it is the kernel: it listens where the frontend's connection file says, forwards
signals, and ends as the kernel ends. Below it runs the kernel, in a session of its own, with a
connection file of its own; between the two is a tap.

A kernel's start is waited for. So the kernel is launched first, by modules that import little,
and all else is imported while the kernel starts.
"""
