"""The language of flows: checker, drawing, terminal player. See the README."""
