"""What `hub-mcp` costs beside a bare server of the same SDK. Ratios travel between machines, milliseconds do not."""
