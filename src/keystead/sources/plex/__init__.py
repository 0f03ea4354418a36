"""Plex source: people with an account at Plex sign in here, enrol, or connect the user they are."""
