"""Unity builds: the user's Editor in batch mode makes a player out of a copy of a project."""
