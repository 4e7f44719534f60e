"""3 write: an EnvironmentSpec becomes C# for Unity and ML-Agents."""
