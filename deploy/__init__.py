"""Set-up, tests and packaging of Switchroom."""
