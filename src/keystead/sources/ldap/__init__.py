"""LDAP source: somebody else's directory. What is set of it, and the client that reads it.

``source`` has the settings, ``debug`` looks into a directory with them. The client stands below: ``client`` (servers in
turn, bind, search), ``line`` (one connection), ``tls``, ``servers``, ``failure``. Nothing is synchronised yet, and
nobody signs in with a directory's password.
"""
