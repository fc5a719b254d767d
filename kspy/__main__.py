"""`python -m kspy`: the command, where only the interpreter is known, as in a kernelspec."""

from kspy.cli.main import run

if __name__ == "__main__":
    run()
