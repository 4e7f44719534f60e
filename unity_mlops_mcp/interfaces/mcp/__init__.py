"""The MCP face: tools, resources and prompts over stdio, for chat clients and other agents."""
