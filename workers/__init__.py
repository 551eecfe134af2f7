"""Processes beside the engine: the recorder, jobs, the ticker."""
