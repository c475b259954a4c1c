"""python -m engage is the program engage."""

from engage.cli import main

if __name__ == "__main__":  # the web process imports this file too, and must not become the program again
    main()
