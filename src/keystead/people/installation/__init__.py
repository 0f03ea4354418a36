"""What belongs to the whole installation: its settings, files, versions, licences, tenants and blueprints."""
