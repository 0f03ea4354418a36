"""Microsoft Entra ID: tenants that are told of people and groups, one by one when somebody asks for it."""
