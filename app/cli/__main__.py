"""`python -m app.cli`: the same as `dui`."""

from app.cli import main

main(prog_name="dui")
