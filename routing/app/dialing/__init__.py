"""What the processes around the engine do for campaigns."""
