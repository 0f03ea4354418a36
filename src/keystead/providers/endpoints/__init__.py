"""Devices that people work at: what manages them (connectors), what is known of them, and who may use them."""
