"""What we speak to applications: the application itself, who may use it, what it was granted, and the protocols."""
