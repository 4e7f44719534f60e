"""ML-Agents' communicator protocol 1.5.0, both ends, independent of mlagents."""
