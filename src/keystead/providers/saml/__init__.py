"""SAML: providers of SAML 2.0 as they are configured, and their metadata; nobody signs in with them yet."""
