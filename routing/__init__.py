"""Switchroom's routing server: the pure core, the store, the engine and everything people talk to."""
