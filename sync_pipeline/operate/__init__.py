"""What keeps an installation running: servers, stack, status; the layer below Dagster's shell."""
