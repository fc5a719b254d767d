"""The kernelspec of a name, or one line that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from kspy.errors import KspyError

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec


def spec_of(name: str) -> KernelSpec:
    """Raises `KspyError`."""
    manager = KernelSpecManager()
    try:
        return manager.get_kernel_spec(name)
    except NoSuchKernel as error:
        names = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise KspyError(f"no kernel is named {name!r} (there are: {names})") from error
    except Exception as error:  # whatever a broken kernel.json makes of it
        raise KspyError(f"kernel {name}: its kernelspec cannot be read: {error}") from error
