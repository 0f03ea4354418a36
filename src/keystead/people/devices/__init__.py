"""Devices with which people prove who they are, one file a sort. Nobody ever reads the secrets in them."""
