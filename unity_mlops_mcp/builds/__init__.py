"""4 build: a player out of a spec."""
