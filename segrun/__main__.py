"""``python -m segrun`` is the console script."""

from segrun.cli.main import main

if __name__ == "__main__":
    main()
