"""`outdial` and `python -m outdial`."""

from outdial.cli.main import main

if __name__ == "__main__":
    main()
