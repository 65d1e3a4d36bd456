"""Descents on landscapes: compiled, in float64, for every optimizer and schedule.

- :func:`.run.run`: every iterate of any number of methods from one start.
- :func:`.tune.tune`: which rate, decay and β come lowest, and which do so surely.
- :func:`.basins.basins`: which minimum each start of a grid reaches.
- :func:`.stability.stability`: over rate and β, what converges, oscillates, diverges, crawls.
- :func:`.diagnosis.diagnose`: what one descent did and why, by the curvature on its way.
- :func:`.minima.find_minima`: the local minima of a landscape.

Landscapes come from :func:`descentlab.objectives.landscape_catalogue.find_landscape`, methods are
whatever :meth:`.method.Method.of` takes. Programs are compiled once for a structure: another
start, other floats, another number of steps take none. All functions may be called from
several threads.
"""
