"""The words that run this very kspy in another process, whatever `kspy` the shell would find."""

from __future__ import annotations

import sys

# -P: a module in the current folder that is called as one of ours must not be run
WORDS = (sys.executable, "-P", "-m", "kspy")
