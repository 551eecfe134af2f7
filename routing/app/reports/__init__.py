"""Reports per interval: what calls and agents did, counted and clipped into quarters of an hour."""
