"""The same operations against Vertex AI: upload, aliases, labels, rollback."""
