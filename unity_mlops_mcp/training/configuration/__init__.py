"""The trainer YAML: composed, read, checked against the schema of mlagents."""
