"""``python -m npvae``: the same as the command ``npvae``."""

import sys

from npvae.cli import main

if __name__ == "__main__":
    sys.exit(main())
