"""Thin spellings of app: MCP, HTTP and the command line."""
