"""Kinds as ``/api/v3``: routes, filters, errors and OpenAPI, all derived from the declarations (rest.md)."""
