"""The command line: `switchroom`."""
