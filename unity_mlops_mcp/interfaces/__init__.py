"""Three thin spellings of app: MCP, CLI, and the supervisor's entry."""
