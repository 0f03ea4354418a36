"""Who may vouch for a person: other providers and directories. Nothing is built here yet."""
