"""SAML: providers of SAML 2.0 as they are configured; the protocol's endpoints are not built yet."""
