"""The agent's desktop."""
