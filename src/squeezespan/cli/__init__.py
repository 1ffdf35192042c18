"""The command line: one thin module a command, found and run by `main`."""
