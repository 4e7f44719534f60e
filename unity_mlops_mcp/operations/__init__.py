"""The operations behind every face, one class a topic; ``app.App`` is all of them over one home."""
