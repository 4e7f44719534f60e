"""2 simulate: an EnvironmentSpec becomes a vectorised numpy world and a player."""
