"""What the API tells of itself: an OpenAPI document and a page to read it, both made from the declarations."""
