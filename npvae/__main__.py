"""``python -m npvae``, and the command ``npvae``."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; a Ctrl-C while it is being imported is no error."""
    try:
        from npvae.cli import main as run
    except KeyboardInterrupt:
        print("npvae: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
