"""What lives now, as rows for people and programs: read from a state of the world, nothing is changed.

Field names are part of the product: programs read them from `switchroom ... --json`. Times are ms since 1970 UTC,
spans are seconds.
"""
