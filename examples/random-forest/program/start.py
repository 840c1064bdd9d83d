"""Entry point of the container: SageMaker starts it with the argument `train` or `serve`."""

import sys


def main() -> None:
    """Hand over to the program that was asked for."""
    if sys.argv[1:] == ["train"]:
        from train import train

        train()
    elif sys.argv[1:] == ["serve"]:
        from serve import serve

        serve()
    else:
        sys.exit(f"expected the argument train or serve, got {sys.argv[1:]}")


main()
