"""Where live state, inputs and outputs are kept: one port, in memory and in Redis."""
