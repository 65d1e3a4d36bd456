"""Optimizers by name, in PyTorch's conventions where libraries differ and nothing is said.

Any Optax transformation can be used from Python too: :func:`descentlab.train`.
"""

from __future__ import annotations

from descentlab.core.catalogue import Catalogue
from descentlab.optimizers.rules.adam import Adam, AdamW
from descentlab.optimizers.rules.rmsprop import RMSProp
from descentlab.optimizers.rules.sgd import SGD

CATALOGUE = Catalogue("optimizer", {"sgd": SGD, "rmsprop": RMSProp, "adam": Adam, "adamw": AdamW})
