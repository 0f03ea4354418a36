"""Pages: challenges as forms, the portal, and what else a browser opens. Works without JavaScript."""
