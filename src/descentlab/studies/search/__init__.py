"""Search: settings drawn from spaces, trained as far as they deserve, never twice."""
