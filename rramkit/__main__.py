"""`python -m rramkit`: the command line, where its program is not on PATH."""

from rramkit.cli import main

if __name__ == "__main__":
    main()
