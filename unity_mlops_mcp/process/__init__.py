"""The only door to other processes: short commands, detached processes, identity, stopping a tree, safe files."""
