"""Outposts: programs beside us that speak a protocol in our name, what they are told, and where they are deployed."""
