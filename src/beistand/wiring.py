"""Build the adapters: the one place that knows them all."""
