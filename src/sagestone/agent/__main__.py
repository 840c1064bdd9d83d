"""`python -m sagestone.agent`."""

from sagestone.agent.main import main

main()
