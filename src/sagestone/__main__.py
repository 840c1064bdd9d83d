"""`python -m sagestone` is `sagestone`."""

from sagestone.cli import main

main()
