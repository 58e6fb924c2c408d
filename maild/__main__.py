"""`python -m maild` is the command `maild`."""

from maild.cli.app import main

if __name__ == "__main__":  # a worker process imports this module again
    main()
