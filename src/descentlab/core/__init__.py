"""Ground floor: what every room needs and that needs nothing itself."""
