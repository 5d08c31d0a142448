"""The JSON API under /api/v1: everything that a page does, for programs with a token; OpenAPI describes it."""
