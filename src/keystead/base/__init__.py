"""Ground floor: clock, randomness, errors, configuration, logging, secrets. Imports nothing of Keystead's."""
