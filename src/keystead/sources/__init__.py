"""Who may vouch for a person: other providers and directories. Kept and shown; nobody signs in through them yet."""
