"""`python -m squeezespan` is the `squeezespan` program."""

import sys

from squeezespan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
