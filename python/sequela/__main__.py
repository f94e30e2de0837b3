"""`python -m sequela`, which torchrun and other launchers start once for each rank."""

from sequela._command import main

main()
