"""The command line for developers and operators. Never deployed."""
