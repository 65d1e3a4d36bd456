"""Optimizers by name, in PyTorch's conventions where libraries differ and nothing is said.

Any Optax transformation can be used from Python too: :func:`descentlab.train`.
"""

from __future__ import annotations

from descentlab.core.catalogue import Catalogue
from descentlab.optimizers.rules.adabelief import AdaBelief
from descentlab.optimizers.rules.adagrad import Adagrad
from descentlab.optimizers.rules.adam import Adam, AdamW
from descentlab.optimizers.rules.lbfgs import LBFGS
from descentlab.optimizers.rules.lion import Lion
from descentlab.optimizers.rules.lookahead import Lookahead
from descentlab.optimizers.rules.muon import Muon
from descentlab.optimizers.rules.nadam import NAdam
from descentlab.optimizers.rules.newton import Newton, SaddleFree
from descentlab.optimizers.rules.rmsprop import RMSProp
from descentlab.optimizers.rules.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from descentlab.optimizers.rules.sgd import SGD

CATALOGUE = Catalogue(
    "optimizer",
    {
        "sgd": SGD,
        "adagrad": Adagrad,
        "rmsprop": RMSProp,
        "adam": Adam,
        "adamw": AdamW,
        "nadam": NAdam,
        "adabelief": AdaBelief,
        "lion": Lion,
        "muon": Muon,
        "schedule_free_sgd": ScheduleFreeSGD,
        "schedule_free_adamw": ScheduleFreeAdamW,
        "lookahead": Lookahead,
        "lbfgs": LBFGS,
        "newton": Newton,
        "saddle_free": SaddleFree,
    },
)
