"""The commands: arguments in, one call, text out; a module a command."""
