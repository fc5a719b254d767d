"""How hypothesis runs here: on a machine that is busy, slow examples are no mistakes."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("kspy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kspy")
