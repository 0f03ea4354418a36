"""One file a grant: what it alone knows of trading something for tokens. None knows another."""
