"""`python -m sync_pipeline` is `sync-pipeline`."""

from sync_pipeline.cli import main

if __name__ == "__main__":
    main()
