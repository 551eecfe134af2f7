"""Use cases around the core: configuration files, settings, checks of the surroundings."""
