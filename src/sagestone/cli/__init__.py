"""The command line: parsing and printing only."""


def main() -> None:
    """Entry point of `sagestone`."""
    from sagestone.cli.app import run

    run()
