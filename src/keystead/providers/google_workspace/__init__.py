"""Google Workspace: directories that are told of people and groups; the synchronisation is not built yet."""
