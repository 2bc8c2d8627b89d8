"""Readback's faces to people and programs: the chat page, the HTTP API and MCP."""
