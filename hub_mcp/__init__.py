"""A Model Context Protocol server that puts a model hub into any MCP host."""

__version__ = "0.1.0"
