"""The HTTP face: MCP, REST, dashboard, health and metrics in one application."""
