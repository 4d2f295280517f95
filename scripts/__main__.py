"""`python -m medallion`, where the command itself is not on the PATH."""

from medallion.cli import main

main()
