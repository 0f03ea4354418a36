"""OAuth sources: vendors and OpenID providers whose accounts people have."""
