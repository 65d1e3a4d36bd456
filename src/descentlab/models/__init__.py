"""Models: Equinox modules and their specifications."""
